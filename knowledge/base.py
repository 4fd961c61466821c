"""The knowledge base: takes documents in, keeps them, and finds the passages that answer a question."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from knowledge.documents import Document, Entry, Ingested, KnowledgeUnavailable, Passage, Retrieval
from knowledge.embedding import Embedder
from knowledge.ingest import digest, document_id, read
from knowledge.library import Library
from knowledge.parse import FileLimits, check_size
from knowledge.retrieve import Shelf, prepared
from knowledge.store import VectorStore
from knowledge.vectors import Patience, VectorIndex

T = TypeVar("T")
_SLICE = 50
"""Passages put on the shelf or taken off at once: a search waits for no more."""
_WAITING = 8
"""Documents that may wait, or be in hand, at once."""


@dataclass(frozen=True, slots=True)
class State:
    """`pending`: passages that are found by words only, so far. `trouble`: why vectors are not made or not used."""

    documents: int
    passages: int
    pending: int
    trouble: str | None


class KnowledgeBase:
    """Every call but `state` and `documents` is done in worker threads.

    A document can be found by words as soon as `ingest` returns; its vectors follow. Raises KnowledgeUnavailable
    when the library cannot be used, and DocumentError for a file that cannot become a document.
    """

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        store: VectorStore,
        limits: FileLimits | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._folder = folder
        self._embedder = embedder
        self._store = store
        self._limits = limits or FileLimits()
        self._patience = patience or Patience()
        self._words = ThreadPoolExecutor(1, "words")
        self._files = ThreadPoolExecutor(1, "files")
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._shelf = Shelf()
        self._catalogue: dict[str, Entry] = {}
        self._ids: dict[str, list[str]] = {}
        self._opened: tuple[Library, VectorIndex] | None = None
        self._closing = False

    async def open(self) -> None:
        """What has been opened is closed again when a part cannot be."""
        async with AsyncExitStack() as undo:
            undo.push_async_callback(self._in, self._files, self._store.close)
            library = await self._in(self._files, lambda: Library(self._folder))
            undo.push_async_callback(self._in, self._files, library.close)
            shelves = await self._in(self._files, lambda: [(_entry(d, p), p) for d, p in library.documents()])
            for entry, passages in shelves:
                await self._place(entry, passages)
            vectors = VectorIndex(self._embedder, self._store, library, self._patience)
            await vectors.open(passage for _, passages in shelves for passage in passages)
            self._opened = (library, vectors)
            undo.pop_all()

    async def close(self) -> None:
        """The document in hand is completed; those that wait are dropped."""
        self._closing = True
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._opened is not None:
            library, vectors = self._opened
            self._opened = None
            try:
                await vectors.close()
            finally:
                await self._in(self._files, library.close)
        self._words.shutdown(wait=False)
        self._files.shutdown(wait=False)

    async def ingest(self, name: str, data: bytes) -> Ingested:
        """Take a file in, in place of an earlier one of the same name. Once begun, it is completed."""
        check_size(name, len(data), self._limits)
        if len(self._tasks) >= _WAITING:
            raise KnowledgeUnavailable(f"{_WAITING} documents are being taken in already; try again in a while")
        return await self._whole(self._ingest(name, data))

    async def remove(self, identifier: str) -> bool:
        """Forget a document; False when there is none of this id."""
        return await self._whole(self._remove(identifier))

    def documents(self) -> list[Entry]:
        return sorted(self._catalogue.values(), key=lambda entry: entry.source)

    async def document(self, identifier: str) -> Document | None:
        library, _ = self._parts()
        return await asyncio.to_thread(library.document, identifier)

    async def search(self, question: str, count: int) -> Retrieval:
        """The `count` best passages; by words alone, and saying why, when the vectors cannot be used."""
        _, vectors = self._parts()
        began = perf_counter()
        found = await vectors.nearest(question)
        ranking = await self._in(self._words, lambda: self._shelf.search(question, count, found.nearest))
        timings = found.timings | ranking.timings | {"total": (perf_counter() - began) * 1e3}
        return Retrieval(question, ranking.hits, timings, found.reason, ranking.weights)

    def state(self) -> State:
        documents, passages = len(self._catalogue), sum(map(len, self._ids.values()))
        if self._opened is None:
            return State(documents, passages, passages, "the knowledge base is not open")
        _, vectors = self._opened
        return State(documents, passages, vectors.pending, vectors.trouble)

    async def settled(self) -> None:
        """Return when every passage has its vector, or when trouble, which `state` tells, keeps it from that."""
        _, vectors = self._parts()
        await vectors.settled()

    async def _ingest(self, name: str, data: bytes) -> Ingested:
        async with self._writing:
            library, vectors = self._begun()
            known = self._catalogue.get(document_id(name))
            if known is not None and known.sha256 == await self._in(self._files, lambda: digest(data)):
                return Ingested(known, unchanged=True)
            document, passages, warnings = await self._in(self._files, lambda: read(name, data, self._limits))
            await self._in(self._files, lambda: library.put(document, passages))
            entry = _entry(document, passages)
            old = await self._place(entry, passages)
            new = {passage.id for passage in passages}
            vectors.forget(old - new)
            vectors.want(passage for passage in passages if passage.id not in old)
        return Ingested(entry, unchanged=False, warnings=warnings)

    async def _remove(self, identifier: str) -> bool:
        async with self._writing:
            library, vectors = self._begun()
            if identifier not in self._catalogue:
                return False
            await self._in(self._files, lambda: library.remove(identifier))
            old = self._ids[identifier]
            await self._take(old)
            del self._ids[identifier], self._catalogue[identifier]
            vectors.forget(old)
        return True

    async def _place(self, entry: Entry, passages: list[Passage]) -> set[str]:
        """Put a document's passages on the shelf in place of its earlier ones, whose ids are returned."""
        old = self._ids.get(entry.id, [])
        new = await self._in(self._files, lambda: prepared(passages))
        for start in range(0, len(new), _SLICE):
            await self._in(self._words, partial(self._shelf.replace, [], new[start : start + _SLICE]))
        self._ids[entry.id] = [passage.id for passage in passages]
        kept = set(self._ids[entry.id])
        await self._take([identifier for identifier in old if identifier not in kept])
        self._catalogue[entry.id] = entry
        return set(old)

    async def _take(self, ids: list[str]) -> None:
        """Take passages off the shelf."""
        for start in range(0, len(ids), _SLICE):
            await self._in(self._words, partial(self._shelf.replace, ids[start : start + _SLICE], []))

    def _begun(self) -> tuple[Library, VectorIndex]:
        """The parts, for a change that begins now."""
        if self._closing:
            raise KnowledgeUnavailable("the knowledge base is being closed")
        return self._parts()

    def _parts(self) -> tuple[Library, VectorIndex]:
        if self._opened is None:
            raise KnowledgeUnavailable("the knowledge base is not open")
        return self._opened

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end even if the caller is cancelled: the library and its indexes stay in step."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _in(self, thread: ThreadPoolExecutor, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, function)


def _entry(document: Document, passages: list[Passage]) -> Entry:
    return Entry(
        document.id,
        document.title,
        document.source,
        document.format,
        document.lang,
        document.sha256,
        len(document.text),
        len(passages),
    )
