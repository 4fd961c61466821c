"""The knowledge base as its users see it: documents in, answers' passages out, through faults and restarts."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from configs.home import Home
from knowledge.base import Engines, KnowledgeBase
from knowledge.documents import DocumentError, KnowledgeUnavailable, Passage, Retrieval
from knowledge.embedding import Embedder, EmbedderError, Embedding, Role, Vectors
from knowledge.engines.hashing import Hashing
from knowledge.engines.memory import Collection, Memory
from knowledge.lexical import Counts
from knowledge.retrieve import Shelf
from knowledge.store import StoreError, VectorStore
from knowledge.vectors import Patience
from tests.doubles import HereReader

HOME = Home(Path("/nonexistent"), Path("/nonexistent"))
GUIDE = "# 参观指南\n\n## 开放时间\n\n周二至周日 9:30 开门。\n\n## 门票\n\n成人票 60 元。\n"
SERVICES = "# Services\n\n## Parking\n\nThe car park has 240 spaces.\n\n## Food\n\nThe café sells noodles.\n"
SOON = Patience(question=1.5, retry=0.02, closing=0.2)


def hashing(dimension: int = 64) -> Hashing:
    return Hashing(Hashing.Options(dimension=dimension), HOME)


def memory() -> Memory:
    return Memory(Memory.Options(), HOME)


class Lasting(Memory):
    """A memory store that survives being closed, like a store on disk; counts what is added."""

    def __init__(self) -> None:
        super().__init__(Memory.Options(), HOME)
        self.added = 0

    def collection(self, name: str) -> "Adding":
        known = self._collections.get(name)
        return known if isinstance(known, Adding) else self._collections.setdefault(name, Adding(self))  # type: ignore[return-value]

    def ids(self) -> set[str]:
        """Of every collection."""
        return {name for collection in self._collections.values() for name in collection.ids()}

    def close(self) -> None:
        pass


class Adding(Collection):
    def __init__(self, store: Lasting) -> None:
        super().__init__()
        self._store = store

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._store.added += len(ids)
        super().add(ids, vectors)


class Failing(Memory):
    """Fails in every call while `broken`."""

    def __init__(self) -> None:
        super().__init__(Memory.Options(), HOME)
        self.broken = False

    def collection(self, name: str) -> "Breaking":
        known = self._collections.get(name)
        return known if isinstance(known, Breaking) else self._collections.setdefault(name, Breaking(self))  # type: ignore[return-value]

    def check(self) -> None:
        if self.broken:
            raise StoreError("the disk is gone")


class Breaking(Collection):
    def __init__(self, store: Failing) -> None:
        super().__init__()
        self._store = store

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._store.check()
        super().add(ids, vectors)

    def ids(self) -> set[str]:
        self._store.check()
        return super().ids()

    def search(self, vector: Vectors, count: int, among: AbstractSet[str] | None = None) -> list[tuple[str, float]]:
        self._store.check()
        return super().search(vector, count, among)


class Counted(Shelf):
    """Remembers how many passages each job put in or took out."""

    def __init__(self) -> None:
        super().__init__()
        self.work: list[int] = []

    def stock(self, new: Iterable[tuple[Passage, Counts]]) -> None:
        come = list(new)
        self.work.append(len(come))
        super().stock(come)

    def discard(self, ids: Iterable[str]) -> None:
        gone = list(ids)
        self.work.append(len(gone))
        super().discard(gone)


class Gated(Hashing):
    """Stops at every passage until it is let through; remembers the order of what it embedded."""

    def __init__(self) -> None:
        super().__init__(Hashing.Options(), HOME)
        self.gate = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)
        self.order: list[str] = []
        self.threads: set[threading.Thread] = set()

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        self.threads.add(threading.current_thread())
        if role == "passage":
            self.entered.release()
            self.gate.acquire()
        self.order.extend([role] * len(texts))
        return super().embed(texts, role)


class Stuck(Memory):
    """Does not come back from a search until released."""

    def __init__(self) -> None:
        super().__init__(Memory.Options(), HOME)
        self.release = threading.Event()

    def collection(self, name: str) -> "Sticking":
        return self._collections.setdefault(name, Sticking(self.release))  # type: ignore[return-value]


class Sticking(Collection):
    def __init__(self, release: threading.Event) -> None:
        super().__init__()
        self._release = release

    def search(self, vector: Vectors, count: int, among: AbstractSet[str] | None = None) -> list[tuple[str, float]]:
        self._release.wait()
        return super().search(vector, count, among)


def made(
    folder: Path,
    embedder: Embedder | None = None,
    store: VectorStore | None = None,
    patience: Patience | None = None,
    keep: int = 1,
    today: date = date(2026, 11, 24),
    sentences: bool = False,
) -> KnowledgeBase:
    engines = Engines(Embedding(embedder or hashing()), store or memory(), HereReader(), sentences=sentences)
    return KnowledgeBase(folder, engines, keep=keep, patience=patience, today=lambda: today)


@asynccontextmanager
async def opened(
    folder: Path,
    embedder: Embedder | None = None,
    store: VectorStore | None = None,
    patience: Patience | None = None,
    keep: int = 1,
    today: date = date(2026, 11, 24),
    sentences: bool = False,
) -> AsyncIterator[KnowledgeBase]:
    knowledge = made(folder, embedder, store, patience, keep, today, sentences)
    await knowledge.open()
    try:
        yield knowledge
    finally:
        await knowledge.close()


def first(found: Retrieval) -> str:
    return found.hits[0].passage.text


async def test_documents_in_both_languages_are_found_with_their_place(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        done = await knowledge.ingest("参观指南.md", GUIDE.encode())
        await knowledge.ingest("services.md", SERVICES.encode())
        await knowledge.settled()
        found = await knowledge.search("成人票多少钱？", 2)
        assert first(found) == "成人票 60 元。" and found.degraded is None
        assert found.hits[0].passage.place.section == ("参观指南", "门票")
        assert found.timings.keys() == {"embedding", "vectors", "lexical", "fusion", "total"}
        document = await knowledge.document(done.document.id)
        place = found.hits[0].passage.place
        assert document is not None and document.text[place.start : place.end] == first(found)
        assert first(await knowledge.search("How many cars can park there?", 1)) == "The car park has 240 spaces."
        assert [entry.source for entry in knowledge.documents()] == ["services.md", "参观指南.md"]
        state = knowledge.state()
        assert (state.documents, state.passages, state.pending, state.trouble) == (2, 4, 0, None)


async def test_the_same_bytes_are_no_work_and_changed_ones_replace(tmp_path: Path) -> None:
    store = Lasting()
    async with opened(tmp_path, store=store) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.settled()
        assert (await knowledge.ingest("a.md", GUIDE.encode())).unchanged
        changed = await knowledge.ingest("a.md", GUIDE.replace("60", "80").encode())
        assert not changed.unchanged
        assert first(await knowledge.search("成人票", 1)) == "成人票 80 元。"
        await knowledge.settled()
        assert store.added == 3, "the passage that stayed the same kept its vector"
        assert len(store.ids()) == len((await knowledge.search("成人票", 9)).hits) == 2


async def test_a_removed_document_is_in_no_answer_and_leaves_no_vector(tmp_path: Path) -> None:
    store = Lasting()
    async with opened(tmp_path, store=store) as knowledge:
        guide = await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.ingest("b.md", SERVICES.encode())
        await knowledge.settled()
        assert await knowledge.remove(guide.document.id)
        assert not await knowledge.remove(guide.document.id)
        assert {hit.passage.title for hit in (await knowledge.search("成人票", 9)).hits} == {"Services"}
        assert await knowledge.document(guide.document.id) is None
        await knowledge.settled()
        assert len(store.ids()) == 2


async def test_a_restart_loads_everything_and_embeds_only_what_is_missing(tmp_path: Path) -> None:
    store = Lasting()
    async with opened(tmp_path, store=store) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.ingest("b.md", SERVICES.encode())
        await knowledge.settled()
    lost = sorted(store.ids())[0]
    vectors = next(collection for collection in store._collections.values() if lost in collection.ids())
    vectors.remove([lost])
    vectors.add(["stranger"], hashing().embed(["x"], "passage"))
    store.added = 0
    async with opened(tmp_path, store=store) as knowledge:
        assert first(await knowledge.search("parking spaces", 1)) == "The car park has 240 spaces."
        await knowledge.settled()
        assert store.added == 1 and lost in store.ids() and "stranger" not in store.ids()


async def test_another_embedder_makes_its_vectors_beside_the_old_ones_which_then_go(tmp_path: Path) -> None:
    store = Lasting()
    async with opened(tmp_path, hashing(64), store) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.settled()
    embedder = Gated()
    async with opened(tmp_path, embedder, store) as knowledge:
        await asyncio.to_thread(embedder.entered.acquire, timeout=60)
        assert len(store.ids()) == 2, "the old vectors are there until the new ones are complete"
        embedder.gate.release(2)
        await knowledge.settled()
        assert store.added == 4 and len(store.ids()) == 2
        assert [name for name in store._collections if "64" in name and "faq" not in name] == []
        assert (await knowledge.search("成人票", 1)).degraded is None


async def test_words_serve_while_vectors_are_made_and_questions_go_first(tmp_path: Path) -> None:
    embedder = Gated()
    async with opened(tmp_path, embedder) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        found = await knowledge.search("成人票", 1)
        assert first(found) == "成人票 60 元。"
        assert found.degraded is not None and "being made" in found.degraded
        embedder.gate.release(2)
        await knowledge.settled()
        await knowledge.ingest("b.md", SERVICES.encode())
        await asyncio.to_thread(embedder.entered.acquire, timeout=60)
        while knowledge.state().pending != 2 or not embedder.entered.acquire(blocking=False):
            await asyncio.sleep(0)
        question = asyncio.create_task(knowledge.search("Where is the car park?", 1))
        await asyncio.sleep(0)
        embedder.gate.release()
        found = await question
        assert embedder.order[-1] == "question" and embedder.order.count("passage") == 3
        assert first(found) == "The car park has 240 spaces." and found.hits[0].dense is None
        embedder.gate.release(1)
        await knowledge.settled()
        assert threading.main_thread() not in embedder.threads


async def test_without_its_store_the_base_is_unavailable_and_it_recovers(tmp_path: Path) -> None:
    store = Failing()
    async with opened(tmp_path, store=store, patience=SOON) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.settled()
        store.broken = True
        for _ in range(2):
            with pytest.raises(KnowledgeUnavailable, match="the disk is gone"):
                await knowledge.search("成人票", 1)
        assert knowledge.state().trouble == "the disk is gone"
        await knowledge.ingest("b.md", SERVICES.encode())
        assert knowledge.state().pending == 2
        store.broken = False
        while knowledge.state().trouble is not None:
            await asyncio.sleep(0.001)
        await knowledge.settled()
        assert knowledge.state().pending == 0
        assert (await knowledge.search("成人票", 1)).degraded is None


async def test_a_broken_embedder_leaves_the_words(tmp_path: Path) -> None:
    class Broken(Hashing):
        def embed(self, texts: Sequence[str], role: Role) -> Vectors:
            raise EmbedderError("no weights")

    async with opened(tmp_path, Broken(Hashing.Options(), HOME), patience=SOON) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        while knowledge.state().trouble is None:
            await asyncio.sleep(0.001)
        found = await knowledge.search("成人票", 1)
        assert first(found) == "成人票 60 元。" and found.degraded == "no weights"


async def test_a_store_that_hangs_delays_one_question_only(tmp_path: Path) -> None:
    store = Stuck()
    async with opened(tmp_path, store=store, patience=SOON) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.settled()
        found = await knowledge.search("成人票", 1)
        assert first(found) == "成人票 60 元。" and found.degraded is not None and "took longer" in found.degraded
        found = await knowledge.search("成人票", 1)
        assert found.degraded is not None and "has not come back" in found.degraded
        store.release.set()
        while (await knowledge.search("成人票", 1)).degraded is not None:
            await asyncio.sleep(0.001)


async def test_a_cancelled_upload_is_completed_all_the_same(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        upload = asyncio.create_task(knowledge.ingest("a.md", GUIDE.encode()))
        await asyncio.sleep(0)
        upload.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
    async with opened(tmp_path) as knowledge:
        assert first(await knowledge.search("成人票", 1)) == "成人票 60 元。"


async def test_uploads_at_the_same_time_end_in_one_version(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        versions = [GUIDE.replace("60", str(price)).encode() for price in range(61, 69)]
        await asyncio.gather(*(knowledge.ingest("a.md", version) for version in versions))
        await knowledge.settled()
        found = await knowledge.search("成人票", 9)
        assert len(found.hits) == knowledge.state().passages == 2


async def test_no_more_documents_wait_than_memory_has_room_for(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        uploads = [asyncio.create_task(knowledge.ingest(f"{n}.md", GUIDE.encode())) for n in range(9)]
        done = await asyncio.gather(*uploads, return_exceptions=True)
        refused = [result for result in done if isinstance(result, BaseException)]
        assert len(refused) == 1 and isinstance(refused[0], KnowledgeUnavailable) and "try again" in str(refused[0])


async def test_closing_completes_the_document_in_hand_and_drops_those_that_wait(tmp_path: Path) -> None:
    knowledge = made(tmp_path)
    await knowledge.open()
    uploads = [asyncio.create_task(knowledge.ingest(f"{n}.md", GUIDE.encode())) for n in range(3)]
    for _ in range(3):
        await asyncio.sleep(0)
    await knowledge.close()
    first_one, *others = await asyncio.gather(*uploads, return_exceptions=True)
    assert not isinstance(first_one, BaseException) and first_one.document.source == "0.md"
    assert all(isinstance(other, KnowledgeUnavailable) for other in others)
    async with opened(tmp_path) as knowledge:
        assert [entry.source for entry in knowledge.documents()] == ["0.md"]


async def test_a_question_does_not_wait_for_a_long_document(tmp_path: Path) -> None:
    chapters = [f"## 第 {n} 章\n\n展品编号 {n} 在第 {n} 展厅。Exhibit {n} is in hall {n}.\n" for n in range(3000)]
    knowledge = made(tmp_path)
    await knowledge.open()
    assert knowledge._opened is not None
    knowledge._opened.stacks._shelf = shelf = Counted()
    await knowledge.ingest("a.md", "\n".join(chapters).encode())
    done = await knowledge.ingest("a.md", GUIDE.encode())
    assert sum(shelf.work) >= 6000 and max(shelf.work) <= 50
    assert all(hit.passage.title == "参观指南" for hit in (await knowledge.search("Exhibit", 9)).hits)
    assert await knowledge.remove(done.document.id)
    assert (await knowledge.search("成人票", 9)).hits == ()
    await knowledge.close()


async def test_an_engine_that_breaks_its_word_keeps_nobody_waiting(tmp_path: Path) -> None:
    class Odd(Hashing):
        def embed(self, texts: Sequence[str], role: Role) -> Vectors:
            raise ZeroDivisionError("an odd error")

    async with asyncio.timeout(60), opened(tmp_path, Odd(Hashing.Options(), HOME)) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.settled()
        trouble = knowledge.state().trouble
        assert trouble is not None and "an odd error" in trouble
        assert first(await knowledge.search("成人票", 1)) == "成人票 60 元。"
    async with opened(tmp_path) as knowledge:
        await knowledge.ingest("b.md", SERVICES.encode())


async def test_waiting_for_vectors_ends_while_the_store_is_broken(tmp_path: Path) -> None:
    store = Failing()
    store.broken = True
    async with asyncio.timeout(60), opened(tmp_path, store=store, patience=SOON) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.settled()
        assert knowledge.state().trouble == "the disk is gone"


async def test_a_bad_file_changes_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        for bad in (b"", bytes(100_000_000)):
            with pytest.raises(DocumentError):
                await knowledge.ingest("a.md", bad)
        assert first(await knowledge.search("成人票", 1)) == "成人票 60 元。"


@pytest.mark.parametrize("question", ["", "🙂🙂", "\x00\x01", "ما هو سعر التذكرة؟", "票" * 100_000])
async def test_odd_questions_are_searched_without_an_error(tmp_path: Path, question: str) -> None:
    async with opened(tmp_path) as knowledge:
        assert (await knowledge.search(question, 3)).hits == ()
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.settled()
        assert len((await knowledge.search(question, 3)).hits) <= 2


async def test_a_second_process_reads_but_may_not_write(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        async with opened(tmp_path) as other:
            assert first(await other.search("成人票", 1)) == "成人票 60 元。"
            with pytest.raises(KnowledgeUnavailable, match="another process"):
                await other.ingest("b.md", SERVICES.encode())


async def test_a_closed_or_damaged_base_is_unavailable(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        pass
    with pytest.raises(KnowledgeUnavailable):
        await knowledge.search("成人票", 1)
    (tmp_path / "library.sqlite").write_bytes(b"garbage" * 1000)
    damaged = made(tmp_path)
    with pytest.raises(KnowledgeUnavailable):
        await damaged.open()
    await damaged.close()


@pytest.mark.parametrize("harm", ["none", "changed", "damaged"])
async def test_a_large_base_keeps_its_lexical_index_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    monkeypatch.setattr("knowledge.stacks._LARGE", 3)
    cache = tmp_path / "lexical.cache"
    async with opened(tmp_path) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.ingest("b.md", SERVICES.encode())
    async with opened(tmp_path) as knowledge:
        assert cache.exists()
        if harm == "changed":
            await knowledge.ingest("a.md", GUIDE.replace("60", "80").encode())
    if harm == "damaged":
        cache.write_bytes(cache.read_bytes()[:-9])
    async with opened(tmp_path) as knowledge:
        price = "80" if harm == "changed" else "60"
        assert first(await knowledge.search("成人票", 1)) == f"成人票 {price} 元。"
        assert first(await knowledge.search("How many cars can park?", 1)) == "The car park has 240 spaces."
        assert len((await knowledge.search("成人票 car park noodles 开门", 9)).hits) == 4
