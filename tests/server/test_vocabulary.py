"""What a recogniser is told to expect: the titles and headings of the bases that a client is answered from."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from configs.home import Home, current
from configs.settings import load
from knowledge.bases import MAIN
from server.assemble import Service


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Service]:
    service = Service(load("test", environ={}), Home(folder, current().cache))
    try:
        await service.open()
        yield service
    finally:
        await service.close()


async def read(words: Callable[[], Sequence[str]], wanted: str) -> Sequence[str]:
    async with asyncio.timeout(60):
        while wanted not in (found := words()):
            await asyncio.sleep(0.01)
    return found


async def test_titles_and_headings_of_both_languages_are_expected(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        words = service.vocabulary.of(MAIN)
        found = await read(words, "海港科学馆球幕影院")
        assert {"地铁", "Harbour Science Museum", "Lighthouse Lectures"} <= set(found)
        assert len(found) == len(set(found)) <= service.settings.listening.names


async def test_a_new_document_is_expected_once_it_is_known(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        words, main = service.vocabulary.of(MAIN), service.bases.get(MAIN)
        await read(words, "海港科学馆球幕影院")
        await main.publish([("new.md", "# 霍格沃茨天文塔\n\n晚上开放。".encode())])
        assert "海港科学馆球幕影院" in words()
        await read(words, "霍格沃茨天文塔")


async def test_of_a_base_that_was_made_anew_nothing_old_is_expected(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        bases, one = service.bases, {"zh": "# 霍格沃茨天文塔\n\n晚上开放。", "en": "# Baiyangdian Museum\n\nA ticket."}
        words = service.vocabulary.of("east")
        for text, wanted, other in (
            (one["zh"], "霍格沃茨天文塔", "Museum"),
            (one["en"], "Baiyangdian Museum", "霍格沃茨"),
        ):
            base = await bases.create("east")
            await base.publish([("a.md", text.encode())])
            assert not any(other in word for word in words())
            found = await read(words, wanted)
            assert base.state().edition == 1 and not any(other in word for word in found)
            await bases.delete("east")


async def test_a_base_that_is_gone_is_no_error(tmp_path: Path) -> None:
    async with serving(tmp_path) as service:
        assert service.vocabulary.of("nobody")() == []
