"""Curated answers."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from avatar.motion import Emotion, Gesture
from configs.language import Lang
from knowledge.documents import Curated, QuestionAnswer
from server.bodies.base import Asked, Given, Line


class Answer(Asked):
    """A curated answer: said word for word where one of `questions` is asked, from `since` to `until`."""

    questions: Annotated[tuple[Line, ...], Field(min_length=1, max_length=100)]
    answer: Line
    emotion: Emotion | None = None
    gesture: Gesture | None = None
    since: date | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.until < self.since:
            raise ValueError("until is before since")
        return self

    def entry(self) -> QuestionAnswer:
        return QuestionAnswer(**dict(self))


class AnswerBody(Given):
    """`document`: the FAQ sheet it came from; null for one that an editor wrote."""

    id: str
    lang: Lang
    document: str | None
    questions: tuple[str, ...]
    answer: str
    emotion: str | None
    gesture: str | None
    since: date | None
    until: date | None

    @classmethod
    def of(cls, curated: Curated) -> Self:
        entry = curated.entry
        return cls(
            id=curated.id,
            lang=curated.lang,
            document=curated.document,
            **{name: getattr(entry, name) for name in ("questions", "answer", "emotion", "gesture", "since", "until")},
        )
