"""The knowledge side of a process: embedder, store, reader and reranker built, and every base opened."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from agent.labelling import Worded
from agent.model import ChatModel
from configs.home import Home
from configs.settings import ParsingSettings, Settings
from knowledge.base import Engines
from knowledge.bases import Bases
from knowledge.embedding import Embedder, Embedding, Former
from knowledge.labels import Keywords, Labeller
from knowledge.parse import FileLimits
from knowledge.reader import Reader
from knowledge.rerank import Reranking
from knowledge.sandbox import Budget
from server.building import built, close_in_thread


@asynccontextmanager
async def opened(settings: Settings, home: Home, model: Awaitable[ChatModel] | None = None) -> AsyncIterator[Bases]:
    """`model`: the one that gives documents their labels, where the settings want that.

    Raises ConfigError where an engine cannot be built, and KnowledgeUnavailable where a library cannot be used.
    """
    async with AsyncExitStack() as parts:
        engines = replace(await _engines(settings, home, parts), labeller=await _labeller(settings, model))
        bases = Bases(home.data / "knowledge", engines, settings.knowledge.editions)
        parts.push_async_callback(bases.close)
        await bases.open()
        yield bases


def _reader(settings: Settings, home: Home) -> Reader:
    """Scans take longer to read than text: unless the operator says how long, the reader has its own budget."""
    parsing = settings.knowledge.parsing
    told = Budget(parsing.cpu, parsing.memory, parsing.wall)
    budget = told if settings.ocr is None or parsing != ParsingSettings() else None
    return Reader(FileLimits(size=settings.server.upload_bytes), budget, recognizer=settings.ocr, home=home)


async def _labeller(settings: Settings, model: Awaitable[ChatModel] | None) -> Labeller | None:
    """Labels that a model is to give are left to a process that has one."""
    if settings.knowledge.labels == "keywords":
        return Keywords()
    return Worded(await model, Keywords()) if model is not None else None


async def _engines(settings: Settings, home: Home, parts: AsyncExitStack) -> Engines:
    async with asyncio.TaskGroup() as tasks:
        embedder = tasks.create_task(built(parts, "embedders", settings.embedder, home, close_in_thread))
        bulk = tasks.create_task(_second(parts, settings, home))
        store = tasks.create_task(built(parts, "stores", settings.store, home, close_in_thread))
        reranker = tasks.create_task(_reranker(parts, settings, home))
    embedding = Embedding(embedder.result(), bulk.result())
    parts.callback(embedding.close)
    reader = _reader(settings, home)
    parts.push_async_callback(reader.close)
    former, sentences = _former(settings, home), settings.knowledge.sentences
    return Engines(embedding, store.result(), reader, reranker.result(), sentences=sentences, former=former)


def _former(settings: Settings, home: Home) -> Former | None:
    """The embedder before this one: loaded where a base still needs it."""
    spec = settings.embedder_before
    if spec is None:
        return None

    @asynccontextmanager
    async def loaded() -> AsyncIterator[Embedding]:
        async with AsyncExitStack() as parts:
            embedding = Embedding(await built(parts, "embedders", spec, home, close_in_thread))
            parts.callback(embedding.close)
            yield embedding

    return Former(loaded)


async def _second(parts: AsyncExitStack, settings: Settings, home: Home) -> Embedder | None:
    if not settings.knowledge.bulk:
        return None
    second: Embedder = await built(parts, "embedders", settings.embedder, home, close_in_thread)
    return second


async def _reranker(parts: AsyncExitStack, settings: Settings, home: Home) -> Reranking | None:
    if settings.reranker is None:
        return None
    reranking = Reranking(await built(parts, "rerankers", settings.reranker, home, close_in_thread))
    parts.callback(reranking.close)
    return reranking
