"""All vectors of a base that one embedder makes: of its passages, of its curated questions and of its sentences."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from knowledge.documents import Passage
from knowledge.embedding import Embedding
from knowledge.ingest import indexed
from knowledge.library import Library
from knowledge.onlooker import Onlooker
from knowledge.sentence_vectors import SentenceVectors
from knowledge.store import VectorStore
from knowledge.vectors import Needed, Patience, VectorIndex, named


@dataclass(frozen=True, slots=True)
class Site:
    """Where a base's vectors are kept, and of what they are made.

    `folder`: of the sentences'; None where these have none. `shown`: the passages that can be found; `questions`: the
    curated ones, by id; `kept`: the ids of all passages whose vectors may be wanted again.
    """

    name: str
    library: Library
    store: VectorStore
    folder: Path | None
    patience: Patience
    shown: Callable[[], Awaitable[list[Passage]]]
    questions: Needed
    kept: Callable[[], Awaitable[set[str]]]

    async def passages(self) -> dict[str, str]:
        return {passage.id: indexed(passage) for passage in await self.shown()}

    async def texts(self) -> dict[str, str]:
        return {passage.id: passage.text for passage in await self.shown()}


async def _nothing() -> None:
    """Nothing follows when the vectors are complete."""


class DenseIndex:
    """`ready` is called each time the passages, or the questions, all have their vectors. Those of the sentences are
    made only by the index that answers, from `serve` on."""

    def __init__(self, site: Site, embedding: Embedding, ready: Callable[[], Awaitable[None]] = _nothing) -> None:
        self.embedding = embedding
        library, patience = site.library, site.patience
        store = site.store if library.writable else Onlooker(site.store)
        self.passages = VectorIndex(embedding, store, library, site.name, "passage", site.passages, ready, patience)
        self.questions = VectorIndex(
            embedding, store, library, _faq(site.name), "question", site.questions, ready, patience
        )
        self.sentences: SentenceVectors | None = None
        if site.folder is not None:
            settled, writable = self.passages.settled, library.writable
            self.sentences = SentenceVectors(embedding, site.folder, writable, site.texts, settled, patience.retry)
        self._lent = 0
        self._free = asyncio.Event()
        self._free.set()

    @property
    def complete(self) -> bool:
        """Have all passages and questions their vectors?"""
        return self.passages.complete and self.questions.complete

    @property
    def empty(self) -> bool:
        return self.passages.empty and self.questions.empty

    @property
    def pending(self) -> int:
        return self.passages.pending + self.questions.pending

    @property
    def trouble(self) -> str | None:
        return self.passages.trouble or self.questions.trouble

    @contextmanager
    def lent(self) -> Iterator["DenseIndex"]:
        """It stays as long as somebody searches it."""
        self._lent += 1
        self._free.clear()
        try:
            yield self
        finally:
            self._lent -= 1
            if not self._lent:
                self._free.set()

    async def returned(self) -> None:
        """Return when nobody searches it any more."""
        await self._free.wait()

    async def open(self, kept: Iterable[str]) -> None:
        await asyncio.gather(self.passages.open(kept), self.questions.open())

    async def serve(self, kept: Iterable[str]) -> None:
        if self.sentences is not None:
            await self.sentences.open(kept)

    async def predecessor(self) -> str | None:
        """The identity of the embedder whose vectors answered before, while they are all there."""
        passages, questions = await self.passages.predecessor(), await self.questions.predecessor()
        return passages if passages == questions else None

    async def succeed(self) -> None:
        """Drop the vectors of the embedder before this one. Raises StoreError."""
        await self.passages.succeed()
        await self.questions.succeed()

    def want(self, passages: Iterable[Passage]) -> None:
        new = list(passages)
        self.passages.want({passage.id: indexed(passage) for passage in new})
        if self.sentences is not None:
            self.sentences.want({passage.id: passage.text for passage in new})

    def leave(self, ids: Iterable[str]) -> None:
        """Make no vectors for these passages; those that are made stay."""
        left = list(ids)
        self.passages.leave(left)
        if self.sentences is not None:
            self.sentences.leave(left)

    async def forget(self, ids: Iterable[str]) -> None:
        gone = list(ids)
        self.passages.forget(gone)
        if self.sentences is not None:
            await self.sentences.forget(gone)

    def reword(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """The curated questions have changed, by id."""
        self.questions.forget(before.keys() - after.keys())
        self.questions.want(after)

    async def rebuild(self) -> None:
        """Raises StoreError."""
        await asyncio.gather(self.passages.rebuild(), self.questions.rebuild())
        if self.sentences is not None:
            await self.sentences.rebuild()

    async def drop(self) -> None:
        """Raises StoreError."""
        await asyncio.gather(self.passages.drop(), self.questions.drop())

    async def settled(self) -> None:
        """Every passage and question has its vector, or trouble keeps them from that."""
        await asyncio.gather(self.passages.settled(), self.questions.settled())

    async def close(self) -> None:
        if self.sentences is not None:
            await self.sentences.close()
        await asyncio.gather(self.passages.close(), self.questions.close())


def collections(name: str, embedding: Embedding) -> tuple[str, str]:
    """The vectors' of a base of this name, by this embedder."""
    return named(name, embedding), named(_faq(name), embedding)


def _faq(name: str) -> str:
    return f"{name}|faq"
