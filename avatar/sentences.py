"""Cut a stream of text into speakable pieces: the first at a clause, later ones ever longer. No I/O."""

import re

_FULL_STOPS = "。！？!?…\n"
_PAUSES = "，,、；;—"
_CLOSERS = "”’\"')）】》」』"
_ABBREVIATIONS = frozenset(
    re.findall(
        r"\S+",
        "mr mrs ms dr prof st mt ave blvd rd no nos vs etc inc ltd jr sr fig figs vol pp ch ext tel dept approx ca "
        "e.g i.e a.m p.m u.s jan feb mar apr jun jul aug sept oct nov dec",
    )
)
_WORD = re.compile(r"\w")
_EAGER_END = re.compile(r"(?:^|\s)[A-Za-z][a-z'-]{2,}\.$")
_GROWTH = (2.0, 10.0, 20.0, 40.0)
_LONGEST = 300
"""Characters after which a piece ends at a space, or anywhere, though nothing in it pauses."""


def speech_weight(text: str) -> float:
    """Rough length of speech: a Han character counts 1, a Latin letter or digit about a third of a syllable."""
    return sum(0.35 if char.isascii() else 1.0 for char in text if char.isalnum())


class SentenceSplitter:
    """`feed` text as it comes, take pieces out; `flush` at the end. Joined, they are the text but for wordless runs.

    Piece n may end at a pause once it weighs `_GROWTH[n]`: a short first clause is heard early, and each
    piece is long enough to cover the synthesis of the next at half of real time. Other pieces wait for
    the character after a stop ("3.14", a closing quote); the very first does not, to be heard early.
    """

    def __init__(self, spoken: int = 0) -> None:
        """`spoken`: pieces of the same speech that were cut before."""
        self._buffer = ""
        self._count = spoken
        self._wordless = self._scanned = 0
        self._weight = 0.0

    def feed(self, text: str) -> list[str]:
        self._buffer += text
        pieces: list[str] = []
        while (end := self._boundary()) is not None:
            if _WORD.search(self._buffer, self._wordless, end):
                pieces.append(self._buffer[:end])
                self._count += 1
                self._drop(end)
            elif end > _LONGEST:
                self._drop(end)
            else:
                self._wordless = self._scanned = end
                self._weight = 0.0
        return pieces

    def flush(self) -> list[str]:
        rest = self._buffer
        self._drop(len(rest))
        return [rest] if _WORD.search(rest) else []

    def _drop(self, end: int) -> None:
        self._buffer = self._buffer[end:]
        self._wordless = self._scanned = 0
        self._weight = 0.0

    def _boundary(self) -> int | None:
        """Where the piece that begins after the wordless run ends; reads no character twice but the last."""
        pause_weight = _GROWTH[min(self._count, len(_GROWTH) - 1)]
        text, start = self._buffer, self._wordless
        longest = start + _LONGEST
        for i in range(self._scanned, min(len(text), longest)):
            self._scanned = i
            char, after = text[i], text[i + 1 : i + 2]
            if not after:
                return i + 1 if self._count == 0 and self._ends_early(text[start:]) else None
            self._weight += speech_weight(char)
            if after in _CLOSERS:
                continue
            if char in _CLOSERS and i > start and text[i - 1] in _FULL_STOPS + ".":
                return i + 1
            if char in _FULL_STOPS and not _queries(text, i):
                return i + 1
            if char == "." and _ends_sentence(text[start:i], after):
                return i + 1
            if char in _PAUSES and not _joins(text, i) and self._weight >= pause_weight:
                return i + 1
        return None if len(text) <= longest else text.rfind(" ", start + 1, longest) + 1 or longest

    def _ends_early(self, text: str) -> bool:
        if "/" in text.rpartition(" ")[2]:
            return False
        if text[-1] in _FULL_STOPS:
            return True
        return bool(_EAGER_END.search(text)) and not _abbreviation(text.split()[-1])


def _ends_sentence(before: str, after: str) -> bool:
    if not (after.isspace() or after in "“‘") or _abbreviation(f"{before}.".split()[-1]):
        return False
    return not before.strip().isdigit()


def _queries(text: str, i: int) -> bool:
    """The mark of a web address: `index.html?lang=en`."""
    return text[i] == "?" and text[i + 1].isascii() and text[i + 1].isalnum() and text[i - 1 : i].isascii()


def _joins(text: str, i: int) -> bool:
    """A mark between two digits belongs to a number or a time: 1,000 and 12:30."""
    return 0 < i < len(text) - 1 and text[i - 1].isdigit() and text[i + 1].isdigit()


def _abbreviation(word: str) -> bool:
    bare = word.rstrip(".").lower().lstrip("(“\"'")
    return bare in _ABBREVIATIONS or (len(bare) == 1 and bare.isalpha() and bare != "i")
