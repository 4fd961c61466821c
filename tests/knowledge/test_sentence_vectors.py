"""The vectors of sentences: made after the passages' own, kept over a restart, never in the way."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from knowledge.embedding import Embedding, Role, Vectors
from knowledge.engines.hashing import Hashing
from knowledge.sentence_vectors import SentenceVectors
from knowledge.sentences import sentences
from tests.knowledge.test_base import GUIDE, HOME, SERVICES, Gated, hashing, opened

LONG = "# 灯塔\n\n灯塔有 137 级台阶。It was built in 1887. 每天 9:30 开放。\n"


async def test_each_sentence_of_a_hit_tells_how_near_it_is(tmp_path: Path) -> None:
    async with opened(tmp_path, sentences=True) as knowledge:
        await knowledge.ingest("a.md", LONG.encode())
        await knowledge.ingest("b.md", SERVICES.encode())
        await knowledge.settled()
        assert knowledge.state().sentences == 0
        hit = (await knowledge.search("灯塔有几级台阶？", 1)).hits[0]
        texts = sentences(hit.passage.text)
        question = hashing().embed(["灯塔有几级台阶？"], "question")[0]
        expected = hashing().embed(texts, "passage") @ question
        np.testing.assert_allclose(hit.sentences, expected, atol=2e-3)
        assert len(texts) == 3 and hit.dense == max(hit.sentences) == hit.sentences[0]


async def test_they_outlive_a_restart_and_go_with_their_passage(tmp_path: Path) -> None:
    async with opened(tmp_path, sentences=True) as knowledge:
        done = await knowledge.ingest("a.md", LONG.encode())
        await knowledge.ingest("b.md", SERVICES.encode())
        await knowledge.settled()
    embedder = Gated()
    embedder.gate.release(100)
    async with opened(tmp_path, hashing(), sentences=True) as knowledge:
        await knowledge.settled()
        assert (await knowledge.search("灯塔", 1)).hits[0].sentences
        assert knowledge._opened is not None
        vectors = knowledge._opened.stacks.dense.serving.sentences
        assert vectors is not None and len(vectors._names()) == 3
        await knowledge.remove(done.document.id)
        assert len(vectors._names()) == 2
    async with opened(tmp_path, embedder, sentences=True) as knowledge:
        await knowledge.settled()
        assert embedder.order.count("passage") == 4, "another embedder makes passages and sentences anew"


async def test_a_damaged_file_of_theirs_is_made_anew(tmp_path: Path) -> None:
    async with opened(tmp_path, sentences=True) as knowledge:
        await knowledge.ingest("a.md", LONG.encode())
        await knowledge.settled()
    for file in tmp_path.glob("sentences.sqlite*"):
        file.write_bytes(b"garbage" * 1000)
    async with asyncio.timeout(60), opened(tmp_path, sentences=True) as knowledge:
        await knowledge.settled()
        assert len((await knowledge.search("灯塔", 1)).hits[0].sentences) == 3
        (tmp_path / "sentences.sqlite").unlink()
        await knowledge.rebuild()
        await knowledge.settled()
        assert len((await knowledge.search("灯塔", 1)).hits[0].sentences) == 3


async def test_passages_come_first(tmp_path: Path) -> None:
    embedder = Gated()
    async with opened(tmp_path, embedder, sentences=True) as knowledge:
        await knowledge.ingest("a.md", (GUIDE + LONG).encode())
        embedder.gate.release(3)
        while knowledge.state().pending:
            await asyncio.sleep(0.001)
        assert embedder.order == ["passage"] * 3 and knowledge.state().sentences == 3
        embedder.gate.release(100)
        await knowledge.settled()
        assert len((await knowledge.search("灯塔有几级台阶", 1)).hits[0].sentences) == 3


async def test_those_of_another_embedder_are_not_read(tmp_path: Path) -> None:
    """A process that may not write finds what the writing one has made."""
    async with opened(tmp_path, hashing(64), sentences=True) as writing:
        await writing.ingest("a.md", LONG.encode())
        await writing.settled()
        vectors = SentenceVectors(Embedding(hashing(48)), tmp_path, False, nothing, at_once, 0.02)
        await vectors.open(())
        ids = [passage.id for passage in await writing.passages()]
        assert vectors.cosines(hashing(48).embed(["灯塔"], "question")[0], ids) == {}
        await vectors.close()


async def test_a_file_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "sentences.sqlite").mkdir()
    async with opened(tmp_path, sentences=True) as knowledge:
        await knowledge.ingest("a.md", LONG.encode())
        await knowledge.settled()
        hit = (await knowledge.search("灯塔", 1)).hits[0]
        assert hit.dense is not None and hit.sentences == ()


async def test_a_failed_write_spoils_no_other(tmp_path: Path) -> None:
    async with opened(tmp_path, sentences=True) as knowledge:
        await knowledge.settled()
        with closing(sqlite3.connect(tmp_path / "sentences.sqlite", isolation_level=None)) as db:
            db.execute("CREATE TRIGGER full BEFORE INSERT ON sentences BEGIN SELECT RAISE(FAIL, 'full'); END")
            await knowledge.ingest("a.md", LONG.encode())
            await knowledge.settled()
            db.execute("DROP TRIGGER full")
        await knowledge.ingest("b.md", SERVICES.encode())
        await knowledge.settled()
        assert (await knowledge.search("How many parking spaces?", 1)).hits[0].sentences
        assert not (await knowledge.search("灯塔", 1)).hits[0].sentences


async def test_an_error_that_no_embedder_should_raise_costs_one_passage_its_sentences(tmp_path: Path) -> None:
    class Strange(Hashing):
        def embed(self, texts: Sequence[str], role: Role) -> Vectors:
            if "灯塔有 137 级台阶。" in texts:
                raise ValueError("strange")
            return super().embed(texts, role)

    embedder = Strange(Hashing.Options(dimension=64), HOME)
    async with asyncio.timeout(60), opened(tmp_path, embedder, sentences=True) as knowledge:
        await knowledge.ingest("a.md", LONG.encode())
        await knowledge.ingest("b.md", SERVICES.encode())
        await knowledge.settled()
        assert (await knowledge.search("How many parking spaces?", 1)).hits[0].sentences
        assert knowledge.state().sentences == 0


async def nothing() -> dict[str, str]:
    return {}


async def at_once() -> None:
    return None
