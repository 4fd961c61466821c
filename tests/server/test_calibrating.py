"""Calibration in the background: kept with a base, found again after a restore, not tried again and again in vain."""

import asyncio
from pathlib import Path

import pytest

from configs.settings import load
from knowledge.base import Engines
from knowledge.bases import Bases
from knowledge.embedding import Embedding
from server import calibrating
from tests.doubles import HereReader
from tests.knowledge.test_base import GUIDE, SERVICES, hashing, memory

SETTINGS = load("test", environ={"ZHUBO__KNOWLEDGE__CALIBRATE": "true"})


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibrating, "_LOOK", 0.01)


async def test_a_base_that_is_restored_answers_from_the_threshold_that_it_had(tmp_path: Path) -> None:
    bases = Bases(tmp_path / "k", Engines(Embedding(hashing()), memory(), HereReader(), sentences=False))
    await bases.open()
    base = await bases.create("x")
    await base.ingest("a.md", (GUIDE + SERVICES).encode())
    async with asyncio.timeout(60), calibrating.calibrating(bases, SETTINGS):
        while (fitted := (await base.search("成人票", 1)).enough) is None:
            await asyncio.sleep(0.01)
        while await base.note("calibrated") is None:
            await asyncio.sleep(0.01)
        await bases.export("x", tmp_path / "x.zip")
        await bases.delete("x")
        restored = await bases.load(tmp_path / "x.zip", "x")
        while (again := (await restored.search("成人票", 1)).enough) is None:
            await asyncio.sleep(0.01)
    assert again == fitted
    await bases.close()


async def test_for_another_embedder_the_threshold_is_fitted_anew(tmp_path: Path) -> None:
    engines = [Engines(Embedding(hashing(size)), memory(), HereReader(), sentences=False) for size in (64, 96)]
    for one in engines:
        bases = Bases(tmp_path, one)
        await bases.open()
        base = bases.get("main")
        await base.ingest("a.md", (GUIDE + SERVICES).encode())
        await base.settled()
        async with asyncio.timeout(60), calibrating.calibrating(bases, SETTINGS):
            assert (await base.search("成人票", 1)).enough is None
            while (await base.search("成人票", 1)).enough is None:
                await asyncio.sleep(0.01)
            assert one.embedding.identity in (await base.note("calibration") or "")
        await bases.close()


async def test_a_threshold_kept_before_embedders_were_told_apart_holds_where_none_is_fitted(tmp_path: Path) -> None:
    bases = Bases(tmp_path, Engines(Embedding(hashing()), memory(), HereReader(), sentences=False))
    await bases.open()
    base = bases.get("main")
    await base.ingest("a.md", (GUIDE + SERVICES).encode())
    await base.set_note("calibration", '{"enough":0.44,"asked":90,"kept":0.9,"through":0.1}')
    async with asyncio.timeout(60), calibrating.calibrating(bases, load("test", environ={})):
        while (await base.search("成人票", 1)).enough != 0.44:
            await asyncio.sleep(0.01)
    await bases.close()


class Looked(Bases):
    looks = 0

    def names(self) -> list[str]:
        self.looks += 1
        return super().names()


async def test_a_process_that_may_not_write_tries_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engines = Engines(Embedding(hashing()), memory(), HereReader(), sentences=False)
    writing, reading = Bases(tmp_path, engines), Looked(tmp_path, engines)
    await writing.open()
    main = writing.get("main")
    await main.ingest("a.md", GUIDE.encode())
    await main.settled()
    await reading.open()
    async with asyncio.timeout(60), calibrating.calibrating(reading, SETTINGS):
        while not caplog.records:
            await asyncio.sleep(0.01)
        reading.looks = 0
        while reading.looks < 4:
            await asyncio.sleep(0.01)
    assert [record.name for record in caplog.records] == ["server.calibrating"]
    await reading.close()
    await writing.close()
