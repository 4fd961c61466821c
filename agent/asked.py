"""A question as grounding sees it: its language, the kind of answer it wants and the words that matter."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from agent.facts import Figure, age, ages, figures, spellings, telling, written
from agent.questions import Kind, focus, kind_of
from agent.wording import Wording
from configs.characters import simplified
from configs.language import Lang

_FORMER = re.compile(
    r"首任|第[一二三]任|前任|曾任|历任|原任|\b(?:first|former|previous|served|retired)\b"
    r"|\d{4}\s*年?\s*(?:至|到|-|–|to|until)\s*\d{4}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """`weights`: the idf of its terms; `age`: of somebody, where the question tells it; `told`: those of its `figures`
    that are times, years or long."""

    question: str
    lang: Lang
    kind: Kind
    wording: Wording
    weights: Mapping[str, float]
    age: int | None
    figures: tuple[Figure, ...]
    told: tuple[Figure, ...]

    @classmethod
    def of(cls, question: str, lang: Lang, weights: Mapping[str, float]) -> "Asked":
        """`weights`: the idf of the question's terms, as the knowledge base told with the passages."""
        question = simplified(written(question))
        kind, asking = kind_of(question, lang)
        wording = Wording(question, weights, asking, focus(question, lang))
        spoken = tuple(figures(question))
        told = tuple(figure for figure in spoken if telling(figure))
        return cls(question, lang, kind, wording, weights, age(question), spoken, told)

    @property
    def weight(self) -> float:
        """Of all its terms together."""
        return sum(self.weights.values())

    def fits(self, text: str) -> bool:
        """Does the text look like the kind of answer that is asked for?"""
        return self.kind.found_in(simplified(text))

    def answerable(self, text: str) -> bool:
        """Can the text hold the answer? Only a kind that is told by figures is sure not to be there."""
        return self.kind.soft or self.fits(text)

    def dated(self, text: str) -> bool:
        """Does the text name who held a post before, where the question is who holds it?"""
        return (
            self.kind.name in ("person", "name")
            and not _FORMER.search(self.question)
            and bool(_FORMER.search(simplified(text)))
        )

    def lacks(self, text: str) -> bool:
        """Does the text lack a time or a year that the question tells?"""
        return bool(self.told) and any(not figure & spellings(text) for figure in self.told)

    def suits(self, text: str) -> int:
        """1 where the text speaks of people of the age that the question tells, -1 where only of others."""
        spoken_of = ages(text) if self.age is not None else []
        if self.age is None or not spoken_of:
            return 0
        return 1 if any(low <= self.age <= high for low, high in spoken_of) else -1
