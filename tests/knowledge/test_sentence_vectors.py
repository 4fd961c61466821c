"""The vectors of sentences: made after the passages' own, kept over a restart, never in the way."""

import asyncio
from pathlib import Path

import numpy as np

from knowledge.sentences import sentences
from tests.knowledge.test_base import GUIDE, SERVICES, Gated, hashing, opened

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
        vectors = knowledge._opened.stacks.sentences
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
    async with asyncio.timeout(10), opened(tmp_path, sentences=True) as knowledge:
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
