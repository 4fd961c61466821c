"""Cut a stream of text into speakable pieces: the first at a clause, later ones ever longer. No I/O."""

import re

_FULL_STOPS = "。！？!?…\n"
_PAUSES = "，,、；;—"
_CLOSERS = "”’\"')）】》」』"
_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof st no vs etc inc ltd jr sr fig vol approx e.g i.e a.m p.m u.s".split()  # noqa: SIM905 - a list
)
_WORD = re.compile(r"\w")
_EAGER_END = re.compile(r"(?:^|\s)[A-Za-z][a-z'-]{2,}\.$")
_GROWTH = (2.0, 10.0, 20.0, 40.0)


def speech_weight(text: str) -> float:
    """Rough length of speech: a Han character counts 1, a Latin letter or digit about a third of a syllable."""
    return sum(0.35 if char.isascii() else 1.0 for char in text if char.isalnum())


class SentenceSplitter:
    """`feed` text as it comes, take pieces out; `flush` at the end. Joined, the pieces are the text.

    Piece n may end at a pause once it weighs `_GROWTH[n]`: a short first clause is heard early, and each
    piece is long enough to cover the synthesis of the next at half of real time. Other pieces wait for
    the character after a stop ("3.14", a closing quote); the very first does not, to be heard early.
    """

    def __init__(self, spoken: int = 0) -> None:
        """`spoken`: pieces of the same speech that were cut before."""
        self._buffer = ""
        self._count = spoken

    def feed(self, text: str) -> list[str]:
        self._buffer += text
        pieces: list[str] = []
        start = 0
        while (end := self._boundary(start)) is not None:
            if _WORD.search(self._buffer, 0, end):
                pieces.append(self._buffer[:end])
                self._buffer = self._buffer[end:]
                self._count += 1
                start = 0
            else:
                start = end
        return pieces

    def flush(self) -> list[str]:
        rest, self._buffer = self._buffer, ""
        return [rest] if _WORD.search(rest) else []

    def _boundary(self, start: int) -> int | None:
        pause_weight = _GROWTH[min(self._count, len(_GROWTH) - 1)]
        text = self._buffer
        for i in range(start, len(text)):
            char, after = text[i], text[i + 1 : i + 2]
            if not after:
                return i + 1 if self._count == 0 and self._ends_early(text) else None
            if after in _CLOSERS:
                continue
            if char in _CLOSERS and i > start and text[i - 1] in _FULL_STOPS + ".":
                return i + 1
            if char in _FULL_STOPS or (char == "." and _ends_sentence(text, i, after)):
                return i + 1
            if char in _PAUSES and not _joins(text, i) and speech_weight(text[:i]) >= pause_weight:
                return i + 1
        return None

    def _ends_early(self, text: str) -> bool:
        if text[-1] in _FULL_STOPS:
            return True
        return bool(_EAGER_END.search(text)) and not _abbreviation(text.split()[-1])


def _ends_sentence(text: str, i: int, after: str) -> bool:
    if not (after.isspace() or after in "“‘") or _abbreviation(text[: i + 1].split()[-1]):
        return False
    return not text[:i].strip().isdigit()


def _joins(text: str, i: int) -> bool:
    """A mark between two digits belongs to a number or a time: 1,000 and 12:30."""
    return 0 < i < len(text) - 1 and text[i - 1].isdigit() and text[i + 1].isdigit()


def _abbreviation(word: str) -> bool:
    bare = word.rstrip(".").lower().lstrip("(“\"'")
    return bare in _ABBREVIATIONS or (len(bare) == 1 and bare.isalpha() and bare != "i")
