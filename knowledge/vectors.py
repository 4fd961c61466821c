"""Vectors of all passages, made in the background; questions go first, and trouble never stops a search by words."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import numpy as np

from knowledge.documents import KnowledgeUnavailable, Passage
from knowledge.embedding import Embedder, EmbedderError
from knowledge.ingest import indexed
from knowledge.library import Library
from knowledge.retrieve import CANDIDATES, Nearest
from knowledge.store import StoreError, VectorStore

T = TypeVar("T")
_NOTE = "embedder"
_BATCH = 8


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: how long a question waits for its vectors, and the rest after a failure."""

    question: float = 2.0
    retry: float = 5.0
    closing: float = 3.0


@dataclass(frozen=True, slots=True)
class Found:
    """What the vectors say about a question. Without `nearest`, `reason` says why."""

    nearest: Nearest | None
    reason: str | None = None
    timings: dict[str, float] = field(default_factory=dict)


class VectorIndex:
    """Owns the embedder and the store: one thread makes every call to them, one passage at a time.

    So a question waits for one passage at most, and neither engine needs to be thread-safe.
    """

    def __init__(self, embedder: Embedder, store: VectorStore, library: Library, patience: Patience) -> None:
        self._embedder = embedder
        self._store = store
        self._library = library
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, "vectors")
        self._wanted: dict[str, str] = {}
        self._doomed: set[str] = set()
        self._stored: set[str] = set()
        self._counted = False
        self._late: Future[Any] | None = None
        self._work = asyncio.Event()
        self._rest = asyncio.Event()
        self._halted = asyncio.Event()
        self._tried = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self.trouble: str | None = None

    @property
    def pending(self) -> int:
        """Passages that have no vector yet."""
        return len(self._wanted)

    async def open(self, passages: Iterable[Passage]) -> None:
        """Begin with these passages; only those that the store does not have are embedded."""
        self.want(passages)
        self._work.set()
        self._worker = asyncio.create_task(self._make())
        self._worker.add_done_callback(self._ended)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), self._patience.question)

    def want(self, passages: Iterable[Passage]) -> None:
        for passage in passages:
            self._wanted[passage.id] = indexed(passage)
            self._doomed.discard(passage.id)
        self._stir()

    def forget(self, ids: Iterable[str]) -> None:
        for identifier in ids:
            self._wanted.pop(identifier, None)
            self._stored.discard(identifier)
            self._doomed.add(identifier)
        self._stir()

    async def settled(self) -> None:
        """Return when every passage has its vector, or when `trouble` keeps it from that.

        A failure that lies in the past is none: what counts is the next attempt.
        """
        ends = [asyncio.create_task(event.wait()) for event in (self._rest, self._halted)]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.wait(ends)

    async def nearest(self, question: str) -> Found:
        if self._late is not None and not self._late.done():
            return Found(None, "the vector search has not come back from an earlier question")
        if not self._stored:
            reason = "the vectors are still being made" if self._wanted else None
            return Found(None, self.trouble or reason)
        job = self._thread.submit(self._search, question)
        waiting = asyncio.wrap_future(job)
        try:
            await asyncio.wait({waiting}, timeout=self._patience.question)
            if not waiting.done():
                self._late = job
                return Found(None, f"the vector search took longer than {self._patience.question:g} s")
            similarities, timings = waiting.result()
        except (EmbedderError, StoreError) as error:
            return Found(None, str(error))
        finally:
            waiting.cancel()
        stored = self._stored
        return Found(Nearest(similarities, lambda identifier: identifier not in stored), None, timings)

    async def close(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.wait({self._worker})
        last = asyncio.wrap_future(self._thread.submit(self._store.close))
        self._thread.shutdown(wait=False)
        done, _ = await asyncio.wait({last}, timeout=self._patience.closing)
        for future in done:
            future.exception()

    def _search(self, question: str) -> tuple[dict[str, float], dict[str, float]]:
        began = perf_counter()
        vector = self._embedder.embed([question], "question")[0]
        embedded = perf_counter()
        similarities = dict(self._store.search(vector, CANDIDATES))
        return similarities, {"embedding": (embedded - began) * 1e3, "vectors": (perf_counter() - embedded) * 1e3}

    def _stir(self) -> None:
        if self._wanted or self._doomed:
            self._work.set()
            self._rest.clear()

    async def _make(self) -> None:
        """The worker: count what is there, then remove and make until nothing is left to do."""
        while True:
            await self._work.wait()
            try:
                if not self._counted:
                    await self._count()
                elif not self._library.writable:
                    self.trouble = "another process makes the vectors of this knowledge base"
                    self._work.clear()
                    self._halted.set()
                elif self._doomed:
                    await self._remove()
                elif self._wanted:
                    await self._embed()
                else:
                    self.trouble = None
                    self._work.clear()
                    self._rest.set()
            except (EmbedderError, StoreError, KnowledgeUnavailable) as error:
                self.trouble = str(error)
                self._tried.set()
                self._halted.set()
                self._halted.clear()
                await asyncio.sleep(self._patience.retry)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        """An error that no engine should raise ends the worker: say so, and keep nobody waiting."""
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self.trouble = f"no more vectors are made until the next start: {error!r}"
        self._tried.set()
        self._halted.set()

    async def _count(self) -> None:
        """Compare the store with what is wanted; vectors of another embedder are of no use."""
        identity = self._embedder.identity
        if await asyncio.to_thread(self._library.note, _NOTE) != identity:
            if self._library.writable:
                await self._call(self._store.clear)
                await asyncio.to_thread(self._library.set_note, _NOTE, identity)
            there: set[str] = set()
        else:
            there = await self._call(self._store.ids)
        self._stored |= there & self._wanted.keys()
        self._doomed |= there - self._wanted.keys()
        for identifier in self._stored:
            self._wanted.pop(identifier, None)
        self._counted = True
        self._tried.set()

    async def _remove(self) -> None:
        doomed = list(self._doomed)
        await self._call(lambda: self._store.remove(doomed))
        self._doomed.difference_update(doomed)

    async def _embed(self) -> None:
        batch = [(identifier, self._wanted[identifier]) for identifier in list(self._wanted)[:_BATCH]]
        vectors = {}
        for identifier, text in batch:
            vectors[identifier] = (await self._call(partial(self._embedder.embed, [text], "passage")))[0]
        ready = [identifier for identifier, text in batch if self._wanted.get(identifier) is text]
        if not ready:
            return
        rows = np.stack([vectors[identifier] for identifier in ready])
        await self._call(lambda: self._store.add(ready, rows))
        for identifier, text in batch:
            if self._wanted.get(identifier) is text:
                del self._wanted[identifier]
                self._stored.add(identifier)

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
