"""What an embedder is: texts in, unit vectors out; and the threads that all knowledge bases share it by."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.calls import Calls

Vectors = NDArray[np.float32]
Role = Literal["question", "passage"]


_BATCH = 16


class EmbedderError(RuntimeError):
    """The embedder failed."""


class Embedder(Protocol):
    """Blocking and CPU-bound: call it from a worker thread. Not assumed to be thread-safe."""

    @property
    def identity(self) -> str:
        """Name and version of the weights; vectors of different identities never mix."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        """Shape (len(texts), dimension), float32, each row of length 1."""
        ...


class Embedding:
    """One embedder, called by one thread. Texts that are indexed go one at a time, so that a question waits for one
    at most; with a second embedder of the same identity, `bulk`, which has a thread of its own, it waits for none."""

    def __init__(self, embedder: Embedder, bulk: Embedder | None = None) -> None:
        self._embedder = embedder
        self._bulk = bulk or embedder
        self._thread = ThreadPoolExecutor(1, "questions")
        self._questions = Calls(self._thread, "the embedder")
        self._behind = ThreadPoolExecutor(1, "embedding") if bulk is not None else self._thread
        self._turn = asyncio.Lock()

    @property
    def identity(self) -> str:
        return self._embedder.identity

    async def question(self, text: str, patience: float) -> Vectors:
        """Shape (dimension,). Raises EmbedderError, also after `patience` seconds, and at once while an earlier
        question still has not come back."""
        try:
            return _first(await self._questions.within(patience, lambda: self._embedder.embed([text], "question")))
        except TimeoutError as error:
            raise EmbedderError(str(error)) from error

    @property
    def batch(self) -> int:
        """Texts to have embedded at once: with one embedder one, so that a question waits no longer than for that."""
        return 1 if self._behind is self._thread else _BATCH

    async def indexed(self, texts: Sequence[str], role: Role) -> Vectors:
        """The vectors of texts that are to be found, in calls of `batch` texts. Shape (len(texts), dimension)."""
        loop = asyncio.get_running_loop()
        rows = []
        for start in range(0, len(texts), self.batch):
            part = texts[start : start + self.batch]
            async with self._turn:
                rows.append(await loop.run_in_executor(self._behind, self._bulk.embed, part, role))
        return np.concatenate(rows)

    def close(self) -> None:
        """Nothing waits for an embedder that does not come back."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._behind.shutdown(wait=False, cancel_futures=True)


class Former:
    """The embedder before the present one: loaded for the first base that it still answers, let go with the last."""

    def __init__(self, loaded: Callable[[], AbstractAsyncContextManager[Embedding]]) -> None:
        self._loaded = loaded
        self._parts = AsyncExitStack()
        self._embedding: Embedding | None = None
        self._users = 0
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Embedding]:
        """Raises what loading it raises."""
        self._users += 1
        try:
            async with self._turn:
                if self._embedding is None:
                    self._embedding = await self._parts.enter_async_context(self._loaded())
            yield self._embedding
        finally:
            self._users -= 1
            async with self._turn:
                if not self._users:
                    self._embedding = None
                    await self._parts.aclose()


def _first(rows: Vectors) -> Vectors:
    vector: Vectors = rows[0]
    return vector
