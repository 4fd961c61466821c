"""What breaks while a knowledge base serves: its store's folder, its disk, its process; and how it comes back."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import orjson
import pytest

from configs.home import Home
from knowledge import lexical_cache
from knowledge.base import Engines, KnowledgeBase
from knowledge.database import FILE, Database
from knowledge.documents import Document, KnowledgeUnavailable, QuestionAnswer
from knowledge.embedding import EmbedderError, Embedding, Role, Vectors
from knowledge.engines.chroma import Chroma
from knowledge.engines.hashing import Hashing
from knowledge.labels import Labels
from knowledge.lexical import LexicalIndex, counted
from knowledge.postings import freeze
from knowledge.rerank import Reranking
from knowledge.retrieve import WORDS
from knowledge.vectors import Patience
from tests.doubles import HereReader
from tests.knowledge.test_base import GUIDE, HOME, SERVICES, SOON, first, hashing, memory, opened


@asynccontextmanager
async def on_disk(tmp_path: Path) -> AsyncIterator[KnowledgeBase]:
    """With a Chroma store in `tmp_path/data/chroma`."""
    store = Chroma(Chroma.Options(), Home(tmp_path / "data", tmp_path))
    engines = Engines(Embedding(hashing()), store, HereReader())
    knowledge = KnowledgeBase(tmp_path / "base", engines, patience=SOON)
    await knowledge.open()
    try:
        yield knowledge
    finally:
        await knowledge.close()
        store.close()


def deleted(folder: Path) -> None:
    shutil.rmtree(folder)


def overwritten(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_bytes(b"garbage" * 1000)


def emptied(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file():
            file.write_bytes(b"")


@pytest.mark.parametrize("harm", [deleted, overwritten, emptied])
async def test_a_harmed_store_makes_the_base_unavailable_until_it_is_rebuilt(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    async with asyncio.timeout(60), on_disk(tmp_path) as knowledge:
        await knowledge.ingest("参观指南.md", GUIDE.encode())
        await knowledge.ingest("services.md", SERVICES.encode())
        await knowledge.settled()
        harm(tmp_path / "data" / "chroma")
        with pytest.raises(KnowledgeUnavailable):
            while True:
                await knowledge.search("成人票多少钱", 1)
                await asyncio.sleep(0.02)
        for question in ("成人票多少钱", "How many cars can park?"):
            with pytest.raises(KnowledgeUnavailable):
                await knowledge.search(question, 1)
        assert knowledge.state().trouble is not None and "chroma" in str(knowledge.state().trouble).lower()
        await knowledge.rebuild()
        await knowledge.settled()
        assert knowledge.state().trouble is None and knowledge.state().pending == 0
        found = await knowledge.search("成人票多少钱", 1)
        assert first(found) == "成人票 60 元。" and found.degraded is None
        await knowledge.ingest("参观指南.md", GUIDE.replace("60", "80").encode())
        await knowledge.settled()
        assert first(await knowledge.search("成人票多少钱", 1)) == "成人票 80 元。"
    async with on_disk(tmp_path) as knowledge:
        await knowledge.settled()
        assert (await knowledge.search("成人票多少钱", 1)).degraded is None


async def test_vectors_whose_reading_ends_a_process_are_made_anew(tmp_path: Path) -> None:
    text = "\n\n".join(f"# 第{number}节\n\n成人票 {number} 元。" for number in range(1100))
    async with asyncio.timeout(600), on_disk(tmp_path) as knowledge:
        await knowledge.ingest("价目.md", text.encode())
        await knowledge.settled()
    for index in (tmp_path / "data" / "chroma").rglob("data_level0.bin"):
        index.write_bytes(b"\xa5" * index.stat().st_size)
    async with asyncio.timeout(600), on_disk(tmp_path) as knowledge:
        while (found := await knowledge.search("第77节的成人票多少钱", 1)).degraded is not None:
            await asyncio.sleep(0.2)
        await knowledge.settled()
        assert "77" in first(found) and (knowledge.state().trouble, knowledge.state().pending) == (None, 0)


async def test_a_full_disk_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path, keep=9) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        assert knowledge._opened is not None
        database = knowledge._opened.stacks.library.database
        with database.reading() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")
        long = (SERVICES + "\n\nThe whale is long. 鲸很长。" * 20_000).encode()
        for change in (
            lambda: knowledge.ingest("b.md", long),
            lambda: knowledge.submit("b.md", long),
            lambda: knowledge.publish([("b.md", long)]),
            lambda: knowledge.put_curated(QuestionAnswer(("鲸有多长？",), "很长。" * 100_000)),
        ):
            with pytest.raises(KnowledgeUnavailable, match="full"):
                await change()
        assert [entry.source for entry in knowledge.documents()] == ["a.md"] and len(await knowledge.editions()) == 1
        assert first(await knowledge.search("成人票", 1)) == "成人票 60 元。"
        await knowledge.settled()
        with database.reading() as db:
            db.execute("PRAGMA max_page_count = 1000000")
        await knowledge.ingest("b.md", long)
        assert len(await knowledge.editions()) == 2
    async with opened(tmp_path) as knowledge:
        assert [entry.source for entry in knowledge.documents()] == ["a.md", "b.md"]


async def test_a_promise_that_meets_a_full_disk_is_kept_later(tmp_path: Path) -> None:
    async with asyncio.timeout(60), opened(tmp_path, keep=9, patience=SOON) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        assert knowledge._opened is not None
        database = knowledge._opened.stacks.library.database
        job = await knowledge.submit("b.md", ("\n".join(f"{SERVICES}{n}" for n in range(400))).encode())
        with database.reading() as db:
            pages = db.execute("PRAGMA page_count").fetchone()[0]
            db.execute(f"PRAGMA max_page_count = {pages}")
        for _ in range(20):
            await asyncio.sleep(0.01)
        with database.reading() as db:
            db.execute("PRAGMA max_page_count = 1000000")
        ended = await knowledge.ended(job.id)
        assert ended is not None and ended.state == "done"


async def test_labels_are_made_in_the_background_and_again_after_a_restart(tmp_path: Path) -> None:
    class Labelling:
        async def label(self, document: Document) -> Labels:
            return Labels((document.lang, "自动"), f"about {document.title}")

    engines = Engines(Embedding(hashing()), memory(), HereReader(), labeller=Labelling())
    async with opened(tmp_path) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode(), tags=["门票"])
    knowledge = KnowledgeBase(tmp_path, engines)
    await knowledge.open()
    await knowledge.ingest("b.md", SERVICES.encode())
    async with asyncio.timeout(60):
        while not all(entry.summary for entry in knowledge.documents()):
            await asyncio.sleep(0)
    assert [(entry.tags, entry.summary) for entry in knowledge.documents()] == [
        (("门票", "zh", "自动"), "about 参观指南"),
        (("en", "自动"), "about Services"),
    ]
    await knowledge.close()


def test_no_kill_loses_what_was_acknowledged() -> None:
    """SIGKILL at fifty random points of ingestion; every vector is compared with one made anew."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.knowledge.kill_trials", "--trials", "50"], capture_output=True, text=True
    )
    counts = orjson.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert counts["trials"] == 50 and counts["acknowledged"] > 300 and counts["vectors"] > 1000
    flaws = ("lost", "wrong_vectors", "missing_vectors", "stray_vectors", "unfinished_jobs")
    assert {flaw: counts[flaw] for flaw in flaws} == dict.fromkeys(flaws, 0)


async def test_a_process_that_may_not_write_has_nothing_labelled(tmp_path: Path) -> None:
    asked: list[str] = []

    class Labelling:
        async def label(self, document: Document) -> Labels:
            asked.append(document.id)
            return Labels((), "")

    async with opened(tmp_path) as writing:
        done = await writing.ingest("a.md", GUIDE.encode())
        engines = Engines(Embedding(hashing()), memory(), HereReader(), labeller=Labelling())
        reading = KnowledgeBase(tmp_path, engines, patience=SOON)
        await reading.open()
        for _ in range(3):
            assert await reading.document(done.document.id) is not None
        await reading.close()
    assert asked == []


async def test_a_library_that_cannot_be_opened_is_not_held(tmp_path: Path) -> None:
    Database(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("PRAGMA user_version = 99")
        with pytest.raises(KnowledgeUnavailable) as refused:
            Database(tmp_path)
        db.execute("PRAGMA user_version = 2")
    database = Database(tmp_path)
    assert database.writable and "layout" in str(refused.value)
    database.close()


async def test_an_embedder_that_breaks_its_promise_keeps_nobody_waiting(tmp_path: Path) -> None:
    class Strange(Hashing):
        def embed(self, texts: Sequence[str], role: Role) -> Vectors:
            raise ValueError("strange")

    embedder = Strange(Hashing.Options(dimension=64), HOME)
    async with asyncio.timeout(60), opened(tmp_path, embedder) as knowledge:
        with pytest.raises(KnowledgeUnavailable, match="next start"):
            await knowledge.publish([("a.md", GUIDE.encode())])
        assert knowledge.documents() == []


async def test_a_search_that_the_closing_overtakes_is_told_so(tmp_path: Path) -> None:
    asked, gate = threading.Event(), threading.Event()

    class Slow(Hashing):
        def embed(self, texts: Sequence[str], role: Role) -> Vectors:
            if role == "question":
                asked.set()
                gate.wait()
            return super().embed(texts, role)

    engines = Engines(Embedding(Slow(Hashing.Options(dimension=64), HOME)), memory(), HereReader())
    knowledge = KnowledgeBase(tmp_path, engines)
    await knowledge.open()
    await knowledge.ingest("a.md", GUIDE.encode())
    await knowledge.settled()
    searching = asyncio.create_task(knowledge.search("成人票", 1))
    await asyncio.to_thread(asked.wait)
    await knowledge.close()
    gate.set()
    with pytest.raises(KnowledgeUnavailable):
        await searching


async def test_while_the_embedder_hangs_every_question_but_the_first_ones_is_told_at_once() -> None:
    gate = threading.Event()

    class Hung(Hashing):
        def embed(self, texts: Sequence[str], role: Role) -> Vectors:
            gate.wait()
            return super().embed(texts, role)

    embedding = Embedding(Hung(Hashing.Options(dimension=64), HOME))
    first_ones = [embedding.question(text, 0.05) for text in ("甲", "b", "丙")]
    late = await asyncio.gather(*first_ones, return_exceptions=True)
    assert all(isinstance(error, EmbedderError) for error in late)
    with pytest.raises(EmbedderError, match="has not come back"):
        await embedding.question("丁", 5.0)
    gate.set()
    embedding.close()


async def test_a_reranker_orders_anew_one_question_at_a_time_and_is_done_without_when_late(tmp_path: Path) -> None:
    class Backwards:
        identity = "backwards"

        def __init__(self) -> None:
            self.gate = threading.Semaphore(8)
            self.inside, self.most = 0, 0

        def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.gate.acquire()
            self.inside -= 1
            return list(map(float, range(len(texts))))

    backwards = Backwards()
    reranking = Reranking(backwards)
    engines = Engines(Embedding(hashing()), memory(), HereReader(), reranking, sentences=False)
    knowledge = KnowledgeBase(tmp_path, engines, patience=Patience(question=0.3))
    await knowledge.open()
    await knowledge.ingest("services.md", SERVICES.encode())
    await knowledge.settled()
    found = await asyncio.gather(*(knowledge.search("car park spaces", 2) for _ in range(8)))
    assert {one.hits[0].passage.text for one in found} == {"The café sells noodles."} and backwards.most == 1
    late, refused = await knowledge.search("car park spaces", 2), await knowledge.search("car park spaces", 2)
    assert late.degraded == "the reranker took longer than 0.3 s" and "has not come back" in str(refused.degraded)
    assert first(late) == first(refused) == "The car park has 240 spaces."
    backwards.gate.release()
    await knowledge.close()
    reranking.close()


async def test_a_rebuild_trusts_no_kept_lexical_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.stacks._LARGE", 0)
    async with opened(tmp_path) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        ids = [passage.id for passage in await knowledge.passages()]
    wrong = LexicalIndex(freeze(counted("鲸") for _ in ids))
    assert lexical_cache.save(tmp_path / "lexical.cache", wrong, ids)
    async with opened(tmp_path) as knowledge:
        assert (await knowledge.search("成人票", 1, mix=WORDS)).hits == ()
        await knowledge.rebuild()
        assert first(await knowledge.search("成人票", 1, mix=WORDS)) == "成人票 60 元。"
