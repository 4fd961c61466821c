"""What the parts of a knowledge base cost: the lexical index alone, and a whole base from files to answers."""

import asyncio
import gc
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil

from configs.home import Home, current
from configs.language import LANGUAGES
from knowledge import lexical_cache
from knowledge.base import Engines, KnowledgeBase
from knowledge.embedding import Embedder, Embedding, Role, Vectors
from knowledge.engines.chroma import Chroma
from knowledge.engines.e5 import E5
from knowledge.engines.hashing import Hashing
from knowledge.engines.memory import Memory
from knowledge.ingest import read
from knowledge.lexical import LexicalIndex, counted, question_terms
from knowledge.parse import FileLimits
from knowledge.postings import freeze
from knowledge.store import VectorStore
from knowledge.vectors import Patience
from tests.bench.texts import Texts, generated, recombined
from tests.doubles import HereReader

S, T = TypeVar("S"), TypeVar("T")
Spread = tuple[float, float]
_CANDIDATES = 64
_PASSAGES = 100
"""In one generated document."""
_DOCUMENTS = 50
"""Published at once."""


@dataclass(frozen=True, slots=True)
class Plan:
    size: int
    questions: int
    store: str
    data: tuple[Path, ...]
    e5: bool
    sentences: bool


@dataclass(slots=True)
class Figures:
    """`stages`: CPU milliseconds, the median and the 95th percentile. `rates`: passages a second of one core."""

    size: int
    stages: dict[str, Spread] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    megabytes: dict[str, float] = field(default_factory=dict)


def words(plan: Plan) -> Figures:
    """The lexical index alone: made at once, written and read, asked and changed."""
    texts, figures = drawn(plan), Figures(plan.size)
    stages, before = figures.stages, resident()
    with seconds(figures, "counting and freezing"):
        index = LexicalIndex(freeze(map(counted, texts.passages)))
    figures.megabytes["index"] = resident() - before
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words"
        with seconds(figures, "writing the cache"):
            lexical_cache.save(path, index, ["id"] * index.capacity)
        with seconds(figures, "reading the cache"):
            lexical_cache.load(path)
        figures.megabytes["cache"] = path.stat().st_size / 1e6
    wanted = [question_terms(question) for question in texts.questions]
    stages["terms of a question"], _ = each(texts.questions, question_terms)
    stages["best 64"], found = each(wanted, lambda terms: index.search(terms, _CANDIDATES))
    twice = [(terms, match.slots.tolist() * 2) for terms, match in zip(wanted, found, strict=True)]
    stages["score and coverage of 128"], _ = each(twice, lambda asked: index.measure(*asked))
    stages["lexical, in all"], _ = each(texts.questions, lambda question: lexical(index, question))
    stages["counting a passage"], some = each(texts.passages[:1000], counted)
    stages["adding a passage"], slots = each(some, index.add)
    stages["removing a passage"], _ = each(slots, index.remove)
    return figures


def lexical(index: LexicalIndex, question: str) -> None:
    """All that a search does with words."""
    terms = question_terms(question)
    index.idfs(terms)
    index.measure(terms, index.search(terms, _CANDIDATES).slots.tolist())


def base(plan: Plan) -> Figures:
    """A whole knowledge base: files taken in, opened anew, and asked."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_base(plan, Path(folder)))


async def _base(plan: Plan, folder: Path) -> Figures:
    texts, figures = drawn(plan), Figures(plan.size)
    files = list(documents(texts.passages))
    embedder: Embedder = E5(E5.Options(), current()) if plan.e5 else Hashing(Hashing.Options(dimension=384), current())
    began = time.process_time()
    places = sum(len(read(name, data, FileLimits()).places) for name, data in files[:20])
    figures.rates["parsing, cutting and counting"] = places / (time.process_time() - began)
    began = time.process_time()
    embedder.embed(texts.passages[:8], "passage")
    figures.rates["embedding"] = 8 / (time.process_time() - began)
    nearby = Nearby(embedder, texts.questions[:50])
    before = resident()
    store: VectorStore = _store(plan, folder)
    async with opened(plan, folder, Embedding(embedder, nearby), store) as knowledge:
        began = time.process_time()
        for start in range(0, len(files), _DOCUMENTS):
            await knowledge.publish(files[start : start + _DOCUMENTS], ahead=False)
        await knowledge.settled()
        figures.rates["taking in, but for embedding"] = knowledge.state().passages / (time.process_time() - began)
    del files
    gc.collect()
    began = time.process_time()
    async with opened(plan, folder, Embedding(embedder, nearby), store) as knowledge:
        figures.seconds["opening"] = time.process_time() - began
        await knowledge.settled()
        figures.size = knowledge.state().passages
        figures.megabytes["whole base"] = resident() - before
        await _asked(knowledge, texts.questions, figures)
    store.close()
    return figures


async def _asked(knowledge: KnowledgeBase, questions: Sequence[str], figures: Figures) -> None:
    """The stages are told apart by the threads that do them; a store's own threads count as vectors."""
    taken: dict[str, list[float]] = {}
    for question in questions:
        whole, threads = time.process_time(), clocks()
        found = await knowledge.search(question, 5)
        stages = {name: spent - threads.get(name, 0.0) for name, spent in clocks().items()}
        stages["total"] = time.process_time() - whole
        rest = stages["total"] - sum(stages.get(name, 0.0) for name in ("questions", "words", "MainThread"))
        named = {
            "embedding": stages.get("questions", 0.0),
            "vectors": rest,
            "words and fusion": stages.get("words", 0.0),
            "event loop": stages.get("MainThread", 0.0),
            "total": stages["total"],
        }
        assert found.hits, "a question about a passage finds something"
        assert found.degraded is None, found.degraded
        for name, spent in named.items():
            taken.setdefault(name, []).append(spent * 1e3)
    figures.stages |= {name: spread(values) for name, values in taken.items()}


class Nearby:
    """An embedder of passages that takes no time: vectors about as near to questions as real ones are."""

    def __init__(self, embedder: Embedder, questions: Sequence[str]) -> None:
        self.identity, self.dimension = embedder.identity, embedder.dimension
        self._centres = embedder.embed(questions, "question")
        self._chance = np.random.default_rng(3)

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        noise = self._chance.standard_normal((len(texts), self.dimension), np.float32)
        noise *= np.float32(0.6 / self.dimension**0.5)
        vectors: Vectors = self._centres[self._chance.integers(len(self._centres), size=len(texts))] + noise
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@asynccontextmanager
async def opened(plan: Plan, folder: Path, embedding: Embedding, store: VectorStore) -> AsyncIterator[KnowledgeBase]:
    engines = Engines(embedding, store, HereReader(), sentences=plan.sentences)
    knowledge = KnowledgeBase(folder / "knowledge", engines, patience=Patience())
    await knowledge.open()
    try:
        yield knowledge
    finally:
        await knowledge.close()
        embedding.close()


def _store(plan: Plan, folder: Path) -> VectorStore:
    home = Home(folder, folder)
    return Chroma(Chroma.Options(), home) if plan.store == "chroma" else Memory(Memory.Options(), home)


def documents(passages: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Markdown files with a passage under each heading."""
    for start in range(0, len(passages), _PASSAGES):
        parts = [f"## {start + at}\n\n{text}\n\n" for at, text in enumerate(passages[start : start + _PASSAGES])]
        yield f"{start:06}.md", f"# {start}\n\n{''.join(parts)}".encode()


def drawn(plan: Plan) -> Texts:
    """Chinese and English in turn where texts are generated; questions in turn of each."""
    if plan.data:
        kinds = [recombined(path, plan.size // len(plan.data)) for path in plan.data]
    else:
        kinds = [generated(lang, plan.size // 2, plan.questions) for lang in LANGUAGES]
    questions = [question for asked in zip(*(kind.questions for kind in kinds), strict=False) for question in asked]
    return Texts([text for kind in kinds for text in kind.passages], questions[: plan.questions])


def each(items: Iterable[S], call: Callable[[S], T]) -> tuple[Spread, list[T]]:
    """The CPU milliseconds of a call for each item, and what the calls gave."""
    taken, found = [], []
    for item in items:
        began = time.thread_time()
        found.append(call(item))
        taken.append((time.thread_time() - began) * 1e3)
    return spread(taken), found


def spread(values: Sequence[float]) -> Spread:
    middle, high = np.percentile(values, [50, 95]).tolist()
    return middle, high


def clocks() -> dict[str, float]:
    """CPU seconds of this process's threads so far, by the name of the pool they belong to."""
    spent: dict[str, float] = {}
    for thread in threading.enumerate():
        if thread.ident is not None:
            name = thread.name.partition("_")[0]
            clock = time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
            spent[name] = spent.get(name, 0.0) + clock
    return spent


@contextmanager
def seconds(figures: Figures, label: str) -> Iterator[None]:
    began = time.process_time()
    yield
    figures.seconds[label] = time.process_time() - began


def resident() -> float:
    return float(psutil.Process().memory_info().rss / 1e6)
