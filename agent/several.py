"""The documents of several knowledge bases, asked as one."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from knowledge.documents import Document, KnowledgeUnavailable, Retrieval


class Knowledge(Protocol):
    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval: ...
    async def document(self, identifier: str, revision: int | None = None) -> Document | None: ...


class Several:
    """A question is answered from one of the bases: the one with a curated answer, else the one whose passages speak
    most of it. Scores are comparable within one base only, so passages of several are not mixed."""

    def __init__(self, bases: Sequence[Knowledge]) -> None:
        self._bases = tuple(bases)

    async def search(self, question: str, count: int, *, also: Sequence[str] = ()) -> Retrieval:
        """Raises KnowledgeUnavailable where none of them can be searched."""
        searches = (base.search(question, count, also=also) for base in self._bases)
        found = await asyncio.gather(*searches, return_exceptions=True)
        retrievals = [one for one in found if isinstance(one, Retrieval)]
        for one in found:
            if isinstance(one, BaseException) and not isinstance(one, KnowledgeUnavailable):
                raise one
        if not retrievals:
            raise KnowledgeUnavailable("none of the knowledge bases can be read")
        return max(retrievals, key=_speaks)

    async def document(self, identifier: str, revision: int | None = None) -> Document | None:
        """Of the first base that has it. Raises KnowledgeUnavailable where none has and one cannot be read."""
        unread: KnowledgeUnavailable | None = None
        for base in self._bases:
            try:
                if (document := await base.document(identifier, revision)) is not None:
                    return document
            except KnowledgeUnavailable as error:
                unread = error
        if unread is not None:
            raise unread
        return None


def _speaks(retrieval: Retrieval) -> tuple[bool, float]:
    best = max((hit.coverage + (hit.dense or 0.0) for hit in retrieval.hits), default=0.0)
    return retrieval.curated is not None, best
