"""Knowledge bases and their editions."""

import json
from contextlib import suppress
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from configs.settings import BaseName
from knowledge.bases import Bases
from knowledge.documents import KnowledgeUnavailable
from knowledge.library import Edition
from server.bodies.base import Asked, Given

CALIBRATION = "calibration"
"""The note of a base that holds what was measured on it."""


class EditionBody(Given):
    """What a base said at a time. `number` only grows; `current` is what answers come from now."""

    number: int
    created: str
    note: str
    documents: int
    passages: int
    current: bool


class Warned:
    """What was noticed about files while they were read, by their names."""

    def __init__(self) -> None:
        self.warnings: dict[str, list[str]] = {}

    def add(self, name: str, warning: str) -> None:
        self.warnings.setdefault(name, []).append(warning)

    def of(self, name: str) -> tuple[str, ...]:
        return tuple(self.warnings.get(name, ()))


class Published(EditionBody):
    """`warnings`: by file, what its reader could not do with it."""

    warnings: dict[str, list[str]]

    @classmethod
    def of(cls, edition: Edition, warned: Warned) -> Self:
        return cls(**EditionBody.model_validate(edition).model_dump(), warnings=warned.warnings)


class BaseBody(Given):
    """`vectors_pending`: vectors still to be made of passages that are found by words meanwhile, or by the vectors of
    the embedder before. `trouble`: why a part of it does not work.

    `calibration`: from which support on this base answers, as measured on it; null before that.
    """

    name: str
    title: str
    documents: int
    passages: int
    vectors_pending: int
    trouble: str | None
    edition: EditionBody | None
    calibration: dict[str, Any] | None

    @classmethod
    async def of(cls, bases: Bases, name: str) -> Self:
        knowledge = bases.get(name)
        state, note, current = knowledge.state(), None, None
        with suppress(KnowledgeUnavailable):  # then `trouble` tells why
            note = await knowledge.note(CALIBRATION)
            current = next((edition for edition in await knowledge.editions() if edition.current), None)
        return cls(
            name=name,
            title=bases.title(name),
            documents=state.documents,
            passages=state.passages,
            vectors_pending=state.pending,
            trouble=state.trouble,
            edition=EditionBody.model_validate(current) if current else None,
            calibration=json.loads(note) if note else None,
        )


class NewBase(Asked):
    name: BaseName
    title: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""


class Back(Asked):
    """`edition`: the one to go back to; left out, the one before the current one."""

    edition: Annotated[int, Field(ge=1)] | None = None
