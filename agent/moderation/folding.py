"""Texts made comparable: width, case, accents, look-alikes, old characters and invisible ones folded away."""

import functools
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass

from configs.characters import simplified

_ALIKE = str.maketrans("аеорсухіјѕԁһӏқтмнвкαεορτυνικχɡıøłßæ", "aeopcyxijsdhlktmhbkaeoptuvikxgiolsa")
_HARD = frozenset("，。！？；：、,!?;:…\n\r")
"""Marks that end a clause: a word seldom goes on behind one."""


@dataclass(frozen=True, slots=True)
class Folded:
    """`text`: folded, nothing invisible in it. `at`: where each of its characters stands in the original."""

    text: str
    at: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Of the original."""
        return self.at[start], self.at[end - 1] + 1

    def before(self, offset: int) -> int:
        """Characters of the folded text that come from before `offset` of the original."""
        return bisect_left(self.at, offset)


def fold(text: str) -> Folded:
    pieces, at = [], []
    for index, char in enumerate(text):
        folded = _folded(char)
        pieces.append(folded)
        at += [index] * len(folded)
    return Folded("".join(pieces), tuple(at))


def compact(folded: Folded) -> Folded:
    """Letters and figures only: what stands between the characters of a word to hide it is gone."""
    kept = [index for index, char in enumerate(folded.text) if char.isalnum()]
    return Folded("".join([folded.text[index] for index in kept]), tuple([folded.at[index] for index in kept]))


def bare(text: str) -> str:
    """Folded and compact, where nobody asks for places."""
    return "".join([char for char in map(_folded, text) if char.isalnum() or len(char) > 1])


def breaks(text: str, start: int, end: int) -> bool:
    """Does a clause end between two places of the original?"""
    return end - start > 1 and not _HARD.isdisjoint(text[start:end])


@functools.lru_cache(maxsize=16384)
def _folded(char: str) -> str:
    if char.isascii():
        return char.lower() if char >= " " or char in "\n\r\t" else ""
    plain = [
        part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) not in ("Cf", "Mn", "Cc")
    ]
    return simplified("".join(plain).casefold()).translate(_ALIKE)
