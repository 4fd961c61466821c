"""Operators' instructions to the presenter, each for so many answers."""

_MOST = 5
"""At once; the oldest goes for a new one."""


class Whispers:
    def __init__(self, turns: int) -> None:
        self._turns = turns
        self._left: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._left)

    def add(self, text: str) -> None:
        """Nothing but spaces withdraws all."""
        note = " ".join(text.split())
        if not note:
            self._left.clear()
            return
        self._left.pop(note, None)
        while len(self._left) >= _MOST:
            del self._left[next(iter(self._left))]
        self._left[note] = self._turns

    def take(self) -> tuple[str, ...]:
        """Those for the next answer, which counts as one turn of each."""
        notes = tuple(self._left)
        self._left = {note: left - 1 for note, left in self._left.items() if left > 1}
        return notes
