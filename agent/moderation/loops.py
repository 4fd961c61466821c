"""Whether an answer goes round in circles: a sentence said for the third time, or a phrase over and over."""

from collections import Counter

from agent.moderation.folding import bare

TIMES = 3
_SENTENCE = 4
"""Letters of a piece that counts as a sentence."""
_LONGEST = 120
"""Letters of a phrase that may be found to repeat."""
_FEWEST = 12
"""Letters that the repetitions of a phrase have together: "ha ha ha" is none."""


class Loops:
    """`feed` an answer piece by piece."""

    def __init__(self) -> None:
        self._said: Counter[str] = Counter()
        self._tail = ""

    def feed(self, piece: str) -> bool:
        """Does the answer repeat itself with this piece?"""
        letters = bare(piece)
        self._said[letters] += 1
        self._tail = (self._tail + letters)[-TIMES * _LONGEST :]
        return (len(letters) >= _SENTENCE and self._said[letters] >= TIMES) or self._cycles()

    def _cycles(self) -> bool:
        tail, size = self._tail, len(self._tail)
        for period in range(1, min(_LONGEST, size // TIMES) + 1):
            times = max(TIMES, -(-_FEWEST // period))
            span = times * period
            if span <= size and tail[-span:-period] == tail[-span + period :] and not tail[-period:].isdigit():
                return True
        return False
