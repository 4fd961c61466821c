"""Whether two passages say the same: nearly the same characters, and the same figures."""

import re
from dataclasses import dataclass, field

_FIGURES = re.compile(r"\d+")
_NOISE = re.compile(r"\W+")
_SHINGLE = 4
"""Characters in a shingle, after Broder, "On the resemblance and containment of documents" (1997)."""
_ALIKE = 0.97
"""Share of two passages' shingles that they must have in common: another name in 200 characters is another fact."""


@dataclass(slots=True)
class Likeness:
    """A passage made ready to be compared. Two that differ in a figure never say the same."""

    bare: str
    figures: list[str]
    _shingles: frozenset[str] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, text: str) -> "Likeness":
        return cls(_NOISE.sub("", text).casefold(), _FIGURES.findall(text))

    def repeats(self, other: "Likeness") -> bool:
        shorter, longer = sorted((len(self.bare), len(other.bare)))
        if shorter < _ALIKE * longer or self.figures != other.figures:
            return False
        if self.bare == other.bare:
            return True
        mine, theirs = self._cut(), other._cut()
        return len(mine & theirs) >= _ALIKE * len(mine | theirs)

    def _cut(self) -> frozenset[str]:
        if self._shingles is None:
            last = max(len(self.bare) - _SHINGLE, 0)
            self._shingles = frozenset(self.bare[at : at + _SHINGLE] for at in range(last + 1))
        return self._shingles
