"""Questions, the passages found for them, and why."""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from configs.language import Lang
from knowledge.documents import Filter, Format, Hit, Passage, Place, Retrieval
from server.bodies.base import Asked, Given, Tag
from server.bodies.curated import AnswerBody


class FilterBody(Asked):
    """Which passages may be found; an empty part leaves everything in. `tags`: all of them; others: one of them."""

    langs: frozenset[Lang] = frozenset()
    formats: frozenset[Format] = frozenset()
    tags: frozenset[Tag] = frozenset()
    documents: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None

    def filter(self) -> Filter:
        return Filter(**dict(self))


class Explanation(Given):
    """What a passage's place in the ranking comes from; see docs/architecture.md."""

    lexical: float
    coverage: float
    dense: float | None
    rerank: float | None


class Found(Given):
    """A passage; `start` and `end` are characters of the text of this revision of the document.

    `score` is comparable within one search only. `at`: seconds into the recording that a transcript belongs to.
    """

    document: str
    revision: int
    title: str
    source: str
    section: tuple[str, ...]
    page: int | None
    at: float | None
    start: int
    end: int
    text: str
    score: float
    explanation: Explanation | None = None

    @classmethod
    def of(cls, hit: Hit, explain: bool) -> Self:
        return cls(
            **_placed(hit.passage, hit.passage.place),
            score=hit.score,
            explanation=Explanation.model_validate(hit) if explain else None,
        )


def _placed(passage: Passage, place: Place) -> dict[str, Any]:
    return {
        **{name: getattr(passage, name) for name in ("document", "revision", "title", "source", "text")},
        **{name: getattr(place, name) for name in ("section", "page", "at", "start", "end")},
    }


class Question(Asked):
    """`count`: at most that many passages; left out, as many as an answer is made from."""

    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    count: Annotated[int, Field(ge=1, le=50)] | None = None
    filter: FilterBody = FilterBody()
    explain: bool = False


class Trace(Given):
    """`weights`: how much each term of the question says in this base. `timings`: milliseconds by stage.

    `enough`: the support from which this base answers; null where it has not been calibrated.
    """

    weights: dict[str, float]
    timings: dict[str, float]
    enough: float | None


class Result(Given):
    """`degraded`: why passages were found by words alone. `curated`: the answer that would be said instead."""

    question: str
    passages: list[Found]
    degraded: str | None
    curated: AnswerBody | None
    trace: Trace | None = None

    @classmethod
    def of(cls, retrieval: Retrieval, explain: bool) -> Self:
        return cls(
            question=retrieval.question,
            passages=[Found.of(hit, explain) for hit in retrieval.hits],
            degraded=retrieval.degraded,
            curated=AnswerBody.of(retrieval.curated) if retrieval.curated else None,
            trace=Trace.model_validate(retrieval) if explain else None,
        )
