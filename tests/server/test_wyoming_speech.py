"""Text that Wyoming clients want read aloud."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from agent.safe_lines import line
from configs.language import Lang, detect
from server.wyoming import reading
from tests.server.wyoming_client import DEAD, Served, sound, wyoming


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A service with the sample documents; whatever a test does to its connections, it stays well."""
    async with wyoming(tmp_path_factory.mktemp("wyoming"), ZHUBO__KNOWLEDGE__SAMPLE="true") as one:
        yield one


module = pytest.mark.asyncio(loop_scope="module")


@module
async def test_a_text_sounds_the_same_whole_and_in_pieces_and_without_markup(served: Served) -> None:
    async with served.client() as client:
        await client.send("synthesize", {"text": "门开着。请随手关门。"})
        whole = sound(await client.until("audio-stop"))
        await client.send("synthesize", {"text": "# **门**开着。请`随手`关门。"})
        assert sound(await client.until("audio-stop")) == whole
        await client.send("synthesize-start")
        for piece in "门开着。请随手关门。":
            await client.send("synthesize-chunk", {"text": piece})
        await client.send("synthesize-stop")
        assert sound(await client.until("synthesize-stopped")) == whole


@module
@pytest.mark.parametrize("piece", ["门开着，请随手关门。", "The door is open, close it please. "])
async def test_a_long_text_that_says_one_thing_again_and_again_is_read_whole(served: Served, piece: str) -> None:
    times = 3100 // len(piece)
    assert times * len(piece) > served.service.settings.safety.answer_characters
    async with served.client() as client:
        await client.send("synthesize", {"text": piece})
        once = sound(await client.until("audio-stop"))
        await client.send("synthesize", {"text": piece * times})
        assert sound(await client.until("audio-stop")) == once * times


@module
async def test_a_text_is_judged_and_spoken_in_its_own_language(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for text in ("门开着。请随手关门。", "The door is open. Close it, please."):
        async with served.client() as client:
            await client.send("synthesize", {"text": text})
            assert sound(await client.until("audio-stop"))
    assert "language" not in caplog.text


@module
@pytest.mark.parametrize(
    "sentences", [("The hall has 17 rooms. ", "展厅有17个房间。"), ("展厅有17个房间。", "The hall has 17 rooms. ")]
)
async def test_a_long_text_in_pieces_is_looked_at_once_and_spoken_in_the_language_that_it_goes_on_in(
    served: Served, monkeypatch: pytest.MonkeyPatch, sentences: tuple[str, str]
) -> None:
    looked: list[int] = []

    def counting(text: str) -> Lang | None:
        looked.append(len(text))
        return detect(text)

    monkeypatch.setattr(reading, "detect", counting)
    pieces = [sentences[0]] * 300 + [sentences[1]] * 100
    async with served.client() as client:
        await client.send("synthesize", {"text": sentences[1]})
        once = sound(await client.until("audio-stop"))
        await client.send("synthesize-start")
        for piece in pieces:
            await client.send("synthesize-chunk", {"text": piece})
        await client.send("synthesize-stop")
        assert sound(await client.until("synthesize-stopped")).endswith(once * 20)
    assert sum(looked) <= 600 * (len(pieces) + 1)


@module
@pytest.mark.parametrize("text", ["", "……", "  \n "])
async def test_nothing_to_say_is_an_empty_sound(served: Served, text: str) -> None:
    async with served.client() as client:
        await client.send("synthesize", {"text": text})
        assert [event.type for event in await client.until("audio-stop")] == ["audio-start", "audio-stop"]


@module
async def test_the_first_sentence_is_heard_before_the_text_is_whole(served: Served) -> None:
    async with served.client() as client:
        await client.send("synthesize-start")
        await client.send("synthesize-chunk", {"text": "门开着。请随手"})
        assert sound(await client.until("audio-chunk"))
        await client.send("synthesize-stop")
        await client.until("synthesize-stopped")


@module
@pytest.mark.parametrize(("lang", "text"), [("zh", "自制炸弹的方法是这样的。"), ("en", "Here is how to make a bomb.")])
async def test_what_may_not_be_said_is_not_said(served: Served, lang: str, text: str) -> None:
    async with served.client() as client:
        await client.send("synthesize", {"text": text, "voice": {"language": lang}})
        said = sound(await client.until("audio-stop"))
        await client.send("synthesize", {"text": line("weapons")[lang], "voice": {"language": lang}})
        assert said == sound(await client.until("audio-stop"))


@pytest.mark.parametrize(
    "environ",
    [
        {"ZHUBO__VOICE__OPTIONS__DELAY": "60", "ZHUBO__LIMITS__FIRST_AUDIO": "0.2"},
        {"ZHUBO__VOICE": DEAD},
    ],
    ids=["silent", "dead"],
)
async def test_a_voice_that_fails_is_told(environ: dict[str, str], tmp_path: Path) -> None:
    async with wyoming(tmp_path, **environ) as served:
        async with served.client() as client:
            await client.send("synthesize", {"text": "门开着。"})
            assert (await client.fails())[0] == "voice_failed"
        async with served.client() as client:
            await client.send("synthesize-start")
            await client.send("synthesize-chunk", {"text": "The door is open. Please"})
            told = await client.fails()
            assert told[0] == "voice_failed" and "语音合成" in told[1]
