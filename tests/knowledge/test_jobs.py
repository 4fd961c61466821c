"""Promised work: safe before it is done, done after a restart, told when it fails."""

import asyncio
from pathlib import Path

from knowledge.base import Engines, KnowledgeBase
from knowledge.documents import DocumentError, KnowledgeUnavailable
from knowledge.embedding import Embedding
from knowledge.ingest import Reading
from knowledge.jobs import Job
from tests.doubles import HereReader
from tests.knowledge.test_base import GUIDE, SERVICES, first, hashing, memory, opened


class Waiting(HereReader):
    """Reads nothing until it is let through."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()

    async def read(self, source: str, data: bytes) -> Reading:
        self.entered.set()
        await self.gate.wait()
        return await super().read(source, data)


async def test_a_promised_file_becomes_a_document_and_a_bad_one_says_why(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        good = await knowledge.submit("参观指南.md", GUIDE.encode(), tags=["门票"])
        bad = await knowledge.submit("bad.pdf", b"%PDF-1.4 nothing")
        assert good.state == "waiting"
        done, failed = await knowledge.ended(good.id), await knowledge.ended(bad.id)
        assert done is not None and done.state == "done" and done.document == knowledge.documents()[0].id
        assert failed is not None and (failed.state, failed.code) == ("failed", "damaged") and failed.message
        assert knowledge.documents()[0].tags == ("门票",)
        assert first(await knowledge.search("成人票", 1)) == "成人票 60 元。"
        assert [job.id for job in await knowledge.jobs()] == [bad.id, good.id]
        assert await knowledge.ended("nothing") is None and await knowledge.job("nothing") is None
        again = await knowledge.submit("参观指南.md", GUIDE.encode())
        unchanged = await knowledge.ended(again.id)
        assert unchanged is not None and unchanged.state == "done" and len(await knowledge.editions()) == 1


async def test_a_job_that_is_done_has_a_document_that_can_be_found(tmp_path: Path) -> None:
    """Also in the moment between the disk and the shelf."""
    async with opened(tmp_path) as knowledge:
        promised = [await knowledge.submit(f"{n}.md", (GUIDE + f"第 {n} 版").encode()) for n in range(20)]
        done: set[str | None] = set()
        while len(done) < len(promised):
            done = {job.document for job in await knowledge.jobs() if job.state == "done"}
            assert done <= {entry.id for entry in knowledge.documents()}


async def test_a_promise_outlives_the_process(tmp_path: Path) -> None:
    reader = Waiting()
    knowledge = KnowledgeBase(tmp_path, Engines(Embedding(hashing()), memory(), reader))
    await knowledge.open()
    promised = [await knowledge.submit(f"{n}.md", (GUIDE + f"第 {n} 版").encode()) for n in range(3)]
    await reader.entered.wait()
    assert (await knowledge.job(promised[0].id)).state == "reading"  # type: ignore[union-attr]
    closing = asyncio.create_task(knowledge.close())
    await asyncio.sleep(0)
    reader.gate.set()
    await closing
    async with opened(tmp_path) as again:
        for job in promised:
            ended = await again.ended(job.id)
            assert ended is not None and ended.state == "done"
        assert [entry.source for entry in again.documents()] == ["0.md", "1.md", "2.md"]


async def test_a_defect_fails_its_job_only(tmp_path: Path) -> None:
    class Odd(HereReader):
        async def read(self, source: str, data: bytes) -> Reading:
            if source == "odd.md":
                raise ZeroDivisionError("an odd error")
            if source == "refused.md":
                raise DocumentError("too_costly", "split the file")
            return await super().read(source, data)

    knowledge = KnowledgeBase(tmp_path, Engines(Embedding(hashing()), memory(), Odd()))
    await knowledge.open()
    jobs = [await knowledge.submit(name, SERVICES.encode()) for name in ("odd.md", "refused.md", "good.md")]
    ended = [await knowledge.ended(job.id) for job in jobs]
    assert [(job.state, job.code) for job in ended if job] == [
        ("failed", "internal"),
        ("failed", "too_costly"),
        ("done", None),
    ]
    await knowledge.close()


async def test_whoever_waits_for_a_promise_is_told_when_the_base_is_closed(tmp_path: Path) -> None:
    reader = Waiting()
    knowledge = KnowledgeBase(tmp_path, Engines(Embedding(hashing()), memory(), reader))
    await knowledge.open()
    jobs = [await knowledge.submit(name, GUIDE.encode()) for name in ("a.md", "b.md")]
    waiting = [asyncio.create_task(knowledge.ended(job.id)) for job in jobs]
    await reader.entered.wait()
    closing = asyncio.create_task(knowledge.close())
    reader.gate.set()
    async with asyncio.timeout(60):
        await closing
        done, refused = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(done, Job) and done.state == "done" and isinstance(refused, KnowledgeUnavailable)
