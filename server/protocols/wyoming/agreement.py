"""What a recogniser is sure of so far: partials may be revised, chunks of a transcript may not. No I/O."""

import re

_EDGE = re.compile(r"\s|(?<=[\u3400-\u9fff\u3000-\u303f\uff00-\uffef])|$")


class Agreement:
    """`feed` partials: what two in a row agree on, in whole words, comes out once. `finish` with the final text."""

    def __init__(self) -> None:
        self._last = ""
        self._told = ""

    def feed(self, partial: str) -> str:
        agreed, self._last = _shared(self._last, partial), partial
        if not agreed.startswith(self._told):
            return ""
        more = agreed[len(self._told) :]
        self._told = agreed
        return more

    def finish(self, final: str) -> str:
        """The rest; nothing where the final text is another than what was told."""
        more = final[len(self._told) :] if final.startswith(self._told) else ""
        self._told += more
        return more


def _shared(one: str, other: str) -> str:
    """What both begin with, in whole words or Han characters."""
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    edges = [edge.start() for edge in _EDGE.finditer(other, 0, same)]
    whole = [edge for edge in edges if edge < same or _ends(other, same)]
    return other[: whole[-1]] if whole else ""


def _ends(text: str, at: int) -> bool:
    return at == len(text) or text[at].isspace() or not text[at - 1 : at].isascii()
