"""The vectors of a base's passages, or of its curated questions, by one embedder: made in the background."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from knowledge.calls import Calls
from knowledge.documents import KnowledgeUnavailable
from knowledge.embedding import EmbedderError, Embedding, Role, Vectors
from knowledge.library import Library
from knowledge.retrieve import CANDIDATES, Nearest
from knowledge.store import Gone, StoreError, VectorCollection, VectorStore

log = logging.getLogger(__name__)

T = TypeVar("T")
Needed = Callable[[], Awaitable[dict[str, str]]]
_ELSEWHERE = "another process makes the vectors of this knowledge base"
_BATCH = 16
_WIDEST = 4
"""How many times as many neighbours are asked for, at most, where some of them may not be found."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: how long a question waits for its vectors, and the rest after a failure."""

    question: float = 2.0
    retry: float = 5.0
    closing: float = 3.0


def named(name: str, embedding: Embedding) -> str:
    """The collection of an index in the store."""
    return f"{name}|{embedding.identity}"


class VectorIndex:
    """Owns one collection of the store: one thread makes every call to it.

    `name` is the collection's, less the embedder's identity; `needed` tells the texts that are to have vectors, by id;
    `ready` is called each time they all have them. `trouble` is why vectors are not made; while `broken`, the store
    cannot be read.
    """

    def __init__(
        self,
        embedding: Embedding,
        store: VectorStore,
        library: Library,
        name: str,
        role: Role,
        needed: Needed,
        ready: Callable[[], Awaitable[None]],
        patience: Patience,
    ) -> None:
        self._embedding = embedding
        self._needed, self._ready = needed, ready
        self._store, self._library = store, library
        self._own, self._role, self._note = f"{name}|", role, f"vectors|{role}"
        self._name, self._patience = named(name, embedding), patience
        self._thread = ThreadPoolExecutor(1, "vectors")
        self._searches = Calls(self._thread, "the vector search")
        self._collection: VectorCollection | None = None
        self._wanted: dict[str, str] = {}
        self._doomed: set[str] = set()
        self._stored: set[str] = set()
        self._kept: set[str] = set()
        self._there: int | None = None
        self._work, self._rest = asyncio.Event(), asyncio.Event()
        self._halted, self._tried = asyncio.Event(), asyncio.Event()
        self._progress = asyncio.Condition()
        self._worker: asyncio.Task[None] | None = None
        self.trouble: str | None = None
        self.broken = False

    @property
    def pending(self) -> int:
        """Texts that have no vector yet."""
        return len(self._wanted)

    @property
    def complete(self) -> bool:
        """Has every text its vector, as far as the store has been read?"""
        return self._there is not None and not self._wanted

    @property
    def any(self) -> bool:
        """Is there any vector to search?"""
        return bool(self._stored)

    @property
    def empty(self) -> bool:
        """Has the store been read, and had it no vector then?"""
        return self._there == 0

    @property
    def lack(self) -> str | None:
        """Why there is no vector to search, where there should be."""
        return self.trouble or ("the vectors are still being made" if self._wanted else None)

    def lacking(self, ids: Iterable[str]) -> int:
        """How many of these have no vector yet."""
        return sum(identifier in self._wanted for identifier in ids)

    async def open(self, kept: Iterable[str] = ()) -> None:
        """Only what the store does not have is embedded. The vectors of `kept` stay where there are any: they may be
        wanted again."""
        self._kept = set(kept)
        self._wanted = await self._needed()
        self._work.set()
        self._worker = asyncio.create_task(self._run())
        with suppress(TimeoutError):
            await asyncio.wait_for(self._tried.wait(), self._patience.question)

    def want(self, texts: Mapping[str, str]) -> None:
        for identifier, text in texts.items():
            self._doomed.discard(identifier)
            if identifier not in self._stored:
                self._wanted[identifier] = text
        self._stir()

    def leave(self, ids: Iterable[str]) -> None:
        """Make no vectors for these; those that are made stay."""
        for identifier in ids:
            self._wanted.pop(identifier, None)
            self._kept.add(identifier)
        self._stir()

    def forget(self, ids: Iterable[str]) -> None:
        for identifier in ids:
            self._wanted.pop(identifier, None)
            self._stored.discard(identifier)
            self._kept.discard(identifier)
            self._doomed.add(identifier)
        self._stir()

    async def settled(self) -> None:
        """Return when every text has its vector, or when `trouble` keeps it from that.

        A failure that lies in the past is none: what counts is the next attempt.
        """
        ends = [asyncio.create_task(event.wait()) for event in (self._rest, self._halted)]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.wait(ends)

    async def made(self, ids: AbstractSet[str]) -> None:
        """Return when these have their vectors. Raises KnowledgeUnavailable where trouble keeps them from that."""
        async with self._progress:
            while self._wanted.keys() & ids:
                if self.trouble is not None:
                    raise KnowledgeUnavailable(f"the vectors cannot be made: {self.trouble}")
                await self._progress.wait()

    async def nearest(self, vector: Vectors, shown: int, among: AbstractSet[str] | None = None) -> Nearest | None:
        """The nearest of the `shown` texts that may be found; None while there are no vectors at all.

        Raises KnowledgeUnavailable where the store cannot be read, and TimeoutError where it is not in time.
        """
        if self.broken:
            raise KnowledgeUnavailable(self.trouble or "the vector store cannot be read")
        if not self._stored:
            return None
        count = CANDIDATES * max(1, min(_WIDEST, -(-len(self._stored) // max(shown, 1))))
        try:
            similarities = await self._searches.within(
                self._patience.question, lambda: dict(self._opened().search(vector, count, among))
            )
        except StoreError as error:
            self._break(error)
            if isinstance(error, Gone):
                self.broken, self._stored = False, set()
                return None
            raise KnowledgeUnavailable(str(error)) from error
        stored = self._stored
        return Nearest(similarities, lambda identifier: identifier not in stored)

    async def rebuild(self) -> None:
        """Make all vectors anew, in a new collection. Raises StoreError."""
        await self._call(lambda: self._store.drop(self._name))
        self._collection = None
        await self._call(self._opened)
        self._stored.clear()
        self._doomed.clear()
        self._kept.clear()
        self._wanted = await self._needed()
        self._there, self.broken, self.trouble = 0, False, None
        self._work.set()
        self._rest.clear()

    async def predecessor(self) -> str | None:
        """The identity of the embedder before this one, while the vectors that it made are there.

        A library that was copied tells of those of the base it was copied from: they are not ours.
        """
        before = await asyncio.to_thread(self._library.note, self._note)
        if before is None or before == self._name or not before.startswith(self._own):
            return None
        return before.removeprefix(self._own)

    async def succeed(self) -> None:
        """Drop the vectors of the embedder before this one. Raises StoreError."""
        if not self._library.writable or await asyncio.to_thread(self._library.note, self._note) == self._name:
            return
        if (before := await self.predecessor()) is not None:
            await self._call(lambda: self._store.drop(self._own + before))
        await asyncio.to_thread(self._library.set_note, self._note, self._name)

    async def drop(self) -> None:
        """Forget the collection, for good. Raises StoreError."""
        await self._halt()
        await self._call(lambda: self._store.drop(self._name))

    async def vectors(self, ids: Iterable[str]) -> dict[str, Vectors]:
        """Vectors as the store has them. Raises StoreError."""
        names = list(ids)
        return await self._call(lambda: self._opened().vectors(names))

    async def close(self) -> None:
        await self._halt()
        with suppress(RuntimeError):  # closed before
            last = asyncio.wrap_future(self._thread.submit(lambda: None))
            self._thread.shutdown(wait=False)
            await asyncio.wait({last}, timeout=self._patience.closing)

    async def _halt(self) -> None:
        """End the worker, and keep nothing that refers to it: what is left of this is then gone at once."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            await asyncio.wait({worker})

    def _opened(self) -> VectorCollection:
        if self._collection is None:
            self._collection = self._store.collection(self._name)
        return self._collection

    def _break(self, error: Exception) -> None:
        """The store cannot be read: count again what is there, when it can."""
        self.trouble, self.broken = str(error), True
        self._there = None
        self._collection = None
        self._rest.clear()
        self._work.set()

    def _stir(self) -> None:
        if self._wanted or self._doomed:
            self._work.set()
            self._rest.clear()

    async def _run(self) -> None:
        """The worker. Its end, be it by an error that no engine should raise, is told and keeps nobody waiting."""
        try:
            await self._make()
        except asyncio.CancelledError:
            self.trouble = "the knowledge base is being closed"
            raise
        except Exception as error:
            log.exception("vectors are made no more")
            self.trouble = f"no more vectors are made until the next start: {error!r}"
        finally:
            self._tried.set()
            self._halted.set()
            await self._tell()

    async def _make(self) -> None:
        """Count what is there, then remove and make until nothing is left to do."""
        while True:
            await self._work.wait()
            try:
                await self._step()
            except (EmbedderError, StoreError, KnowledgeUnavailable) as error:
                if isinstance(error, StoreError):
                    self._break(error)
                self.trouble = str(error)
                self._tried.set()
                self._halted.set()
                self._halted.clear()
                await self._tell()
                await asyncio.sleep(self._patience.retry)

    async def _step(self) -> None:
        if self._there is None:
            changing = not self._library.writable and await self.predecessor() is not None
            await (self._wait() if changing else self._count())
        elif self._doomed and self._library.writable:
            doomed = list(self._doomed)
            await self._call(lambda: self._opened().remove(doomed))
            self._doomed.difference_update(doomed)
        elif self._wanted and not self._library.writable:
            self.trouble = _ELSEWHERE
            self._halted.set()
            self._work.clear()
        elif self._wanted:
            await self._embed()
        else:
            await self._ready()
            self.trouble = None
            if not self._wanted and not (self._doomed and self._library.writable):
                self._work.clear()
                self._rest.set()

    async def _wait(self) -> None:
        """Chroma reads an index once: one that another process makes is looked at when it has made all of it."""
        self.trouble, self.broken = _ELSEWHERE, False
        self._tried.set()
        self._halted.set()
        await asyncio.sleep(self._patience.retry)

    async def _count(self) -> None:
        """Compare the store with what is wanted."""
        there = await self._call(lambda: self._opened().ids())
        wanted = self._wanted | await self._needed()
        self._doomed |= there - wanted.keys() - self._kept
        self._stored = there - self._doomed
        self._wanted = {identifier: text for identifier, text in wanted.items() if identifier not in there}
        self._there, self.broken = len(there), False
        self._tried.set()

    async def _embed(self) -> None:
        batch = [(identifier, self._wanted[identifier]) for identifier in islice(self._wanted, _BATCH)]
        vectors = await self._embedding.indexed([text for _, text in batch], self._role)
        kept = [at for at, (identifier, text) in enumerate(batch) if self._wanted.get(identifier) is text]
        if not kept:
            return
        ready, rows = [batch[at][0] for at in kept], vectors[kept]
        await self._call(lambda: self._opened().add(ready, rows))
        for identifier, text in batch:
            if self._wanted.get(identifier) is text:
                del self._wanted[identifier]
                self._stored.add(identifier)
        self.trouble = None
        await self._tell()

    async def _tell(self) -> None:
        async with self._progress:
            self._progress.notify_all()

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
