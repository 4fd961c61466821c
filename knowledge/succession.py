"""A change of embedder: the index of the one before answers until that of the new one is complete, and then goes."""

import asyncio
import logging
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import AsyncExitStack

from configs.engines import ConfigError
from knowledge.dense import DenseIndex, Site
from knowledge.documents import KnowledgeUnavailable
from knowledge.embedding import Embedding, Former
from knowledge.store import StoreError

log = logging.getLogger(__name__)


class Succession:
    """`serving` is the index that answers: the newest, or, while that is made, the one of the embedder before it.

    Without a `former` embedder, or where the vectors are not of its making, the newest one answers from the start: with
    the vectors that it has.
    """

    def __init__(self, site: Site, embedding: Embedding, former: Former | None) -> None:
        self._site, self._former = site, former
        self._newest = self.serving = DenseIndex(site, embedding, self._ready)
        self._before: DenseIndex | None = None
        self._borrowed = AsyncExitStack()
        self._turn = asyncio.Lock()

    def __iter__(self) -> Iterator[DenseIndex]:
        """Those that are kept in step with the base."""
        yield self._newest
        if self.serving is not self._newest:
            yield self.serving

    @property
    def pending(self) -> int:
        """Vectors of passages and questions that are still to be made."""
        return self._newest.pending

    @property
    def trouble(self) -> str | None:
        return next((index.trouble for index in self if index.trouble is not None), None)

    async def open(self) -> None:
        async with self._turn:
            kept = await self._site.kept()
            await self._newest.open(kept)
            await self._recall(kept)
            await self.serving.serve(kept)

    async def close(self) -> None:
        await self._newest.close()
        if self._before is not None:
            await self._before.close()
        await self._borrowed.aclose()

    async def rebuild(self) -> None:
        """Make all vectors of the newest anew; it answers from now on. Raises StoreError."""
        async with self._turn:
            await self._succeed()
            await self._newest.rebuild()

    async def drop(self) -> None:
        """Forget all vectors. Raises StoreError."""
        async with self._turn:
            try:
                await self._succeed()
            finally:
                await self._newest.drop()

    async def settled(self) -> None:
        """Every vector is made and the newest index answers, or trouble keeps it from that."""
        await self._newest.settled()
        if self.serving.sentences is not None and self._newest.passages.trouble is None:
            await self.serving.sentences.settled()

    async def _recall(self, kept: AbstractSet[str]) -> None:
        """Let the embedder before this one answer, where there is need of it and its vectors are there."""
        if self._former is None or self._newest.complete or (maker := await self._newest.predecessor()) is None:
            return
        name, words = self._site.name, "until the new vectors are made, words answer"
        try:
            embedding = await self._borrowed.enter_async_context(self._former.lent())
        except ConfigError as error:
            log.warning("knowledge base %s: embedder_before cannot be used (%s); %s", name, error, words)
            return
        if embedding.identity != maker:
            told = "knowledge base %s: its vectors are of %s, not of embedder_before, which is %s; %s"
            log.warning(told, name, maker, embedding.identity, words)
            await self._borrowed.aclose()
            return
        self._before = DenseIndex(self._site, embedding)
        await self._before.open(kept)
        if self._before.empty:
            log.warning("knowledge base %s: the vectors of embedder_before, %s, are gone; %s", name, maker, words)
            await self._part(self._before)
            self._before = None
            return
        self.serving = self._before
        log.info("knowledge base %s: %s answers until the vectors of its successor are made", name, maker)

    async def _ready(self) -> None:
        async with self._turn:
            if self._newest.complete:
                try:
                    await self._succeed()
                except StoreError as error:  # old vectors that are still there keep nobody from the new ones
                    raise KnowledgeUnavailable(f"the old vectors cannot be dropped: {error}") from error

    async def _succeed(self) -> None:
        """In one step the newest index answers; then what it takes the place of goes. Raises StoreError; what was not
        done then is done the next time."""
        self.serving = self._newest
        if self._before is not None:
            await self._before.returned()
            await self._part(self._before)
            await self._newest.serve(await self._site.kept())
            self._before = None
            log.info("knowledge base %s: %s answers from now on", self._site.name, self._newest.embedding.identity)
        await self._newest.succeed()

    async def _part(self, before: DenseIndex) -> None:
        """What an engine raises at its end is told, and keeps nobody from its successor."""
        for end in (before.close, self._borrowed.aclose):
            try:
                await end()
            except Exception:
                told = "knowledge base %s: embedder_before, %s, cannot be let go"
                log.exception(told, self._site.name, before.embedding.identity)
