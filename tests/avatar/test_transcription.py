"""A server with the OpenAI transcription endpoint: what it is sent, and all the ways in which it may fail."""

import asyncio

import pytest

from avatar.engines.transcription import Transcription, TranscriptionOptions
from avatar.hearing import Expectation, Recognition, RecognizerError
from configs.home import current
from tests.avatar.transcription_server import TranscriptionServer
from tests.avatar.voiced import hiss

ANYTHING = Expectation()
LOUD = hiss(1.0, -20)


def engine(url: str, **options: object) -> Transcription:
    given = {"base_url": url, "model": "whisper-1", "timeout": 30.0} | options
    return Transcription(TranscriptionOptions.model_validate(given), current())


async def heard(recognizer: Transcription, pcm: bytes = LOUD, asked: Expectation = ANYTHING) -> Recognition:
    hearing = recognizer.hear(asked)
    hearing.feed(pcm)
    async with asyncio.timeout(60):
        try:
            return await hearing.finish()
        finally:
            await hearing.aclose()


def says(text: str, **more: object) -> TranscriptionServer:
    return TranscriptionServer(lambda pcm: "", text, **more)  # type: ignore[arg-type]


async def test_what_is_sent_is_the_endpoints() -> None:
    server = says("林若海是谁？")
    async with server.running() as url:
        recognizer = engine(url, api_key="s3cret")
        assert await heard(recognizer, LOUD + b"\7", Expectation("zh", ("林若海", "FAST"))) == Recognition(
            "林若海是谁？", "zh"
        )
        assert (await heard(recognizer)).lang == "zh"
        await recognizer.aclose()
    assert server.asked == [
        {"model": "whisper-1", "response_format": "json", "language": "zh", "prompt": "林若海, FAST"},
        {"model": "whisper-1", "response_format": "json"},
    ]
    assert server.sounds[0] == LOUD and b"Authorization: Bearer s3cret" in server.heads[0]
    assert "s3cret" not in repr(recognizer.options)


@pytest.mark.parametrize(("told", "lang"), [("english", "en"), ("Chinese", "zh"), ("zh", "zh"), ("tlh", "zh")])
async def test_the_language_is_the_servers_where_it_tells_one_of_ours(told: str, lang: str) -> None:
    async with says("二楼在哪里", lang=told).running() as url:
        recognizer = engine(url)
        assert (await heard(recognizer)).lang == lang
        await recognizer.aclose()


async def test_silence_is_not_sent() -> None:
    server = says("Thanks for watching!")
    async with server.running() as url:
        recognizer = engine(url)
        for sound in (b"", bytes(32000 * 200), hiss(3, -70)):
            assert await heard(recognizer, sound) == Recognition("")
        await recognizer.aclose()
    assert not server.asked


@pytest.mark.parametrize(
    "text",
    ["", "...", "。", "Thanks for watching!", "字幕由Amara.org社区提供", "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
     "the the the the the the the the", "哈哈哈哈哈哈哈哈哈哈", "天文台、恐龙厅、海洋厅。"],
)  # fmt: skip
async def test_what_such_models_write_where_nobody_spoke_is_nothing(text: str) -> None:
    async with says(text).running() as url:
        recognizer = engine(url)
        expected = Expectation("zh", ("天文台", "恐龙厅", "海洋厅"))
        assert (await heard(recognizer, LOUD, expected)).text == ""
        await recognizer.aclose()


FAULTS = {
    "garbage": "failed", "no HTTP": "failed", "no text": "failed", "a number": "failed", "a list": "failed",
    "cut off": "failed", "401": "refused", "413": "refused", "429": "overloaded", "500": "failed",
    "503": "overloaded", "504": "timeout", "endless": "failed",
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_has_its_code_and_the_next_is_heard(fault: str) -> None:
    server = says("Where is it?", fault=fault)
    async with server.running() as url:
        recognizer = engine(url)
        with pytest.raises(RecognizerError) as told:
            await heard(recognizer)
        assert told.value.code == FAULTS[fault] and "s3cret" not in str(told.value)
        server.fault = None
        assert (await heard(recognizer)).text == "Where is it?"
        await recognizer.aclose()


async def test_a_dead_server_is_unreachable() -> None:
    recognizer = engine("http://127.0.0.1:9/v1")
    with pytest.raises(RecognizerError) as told:
        await heard(recognizer)
    assert told.value.code == "unreachable"
    await recognizer.aclose()


async def test_a_slow_server_times_out_and_learns_that_nobody_waits() -> None:
    server = says("Hello", delay=60)
    async with server.running() as url:
        recognizer = engine(url, timeout=0.2)
        with pytest.raises(RecognizerError) as told:
            await heard(recognizer)
        assert told.value.code == "timeout"
        async with asyncio.timeout(60):
            await server.gone.wait()
        await recognizer.aclose()


async def test_a_cancelled_end_closes_its_connection() -> None:
    server = says("Hello", delay=60)
    async with server.running() as url:
        recognizer = engine(url)
        waiting = asyncio.create_task(heard(recognizer))
        async with asyncio.timeout(60):
            while not server.asked:
                await asyncio.sleep(0.01)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await server.gone.wait()
        await recognizer.aclose()


async def test_too_many_at_once_are_told_so() -> None:
    server = says("Hello", delay=0.5)
    async with server.running() as url:
        recognizer = engine(url, queue=2)
        ends = await asyncio.gather(*(heard(recognizer) for _ in range(3)), return_exceptions=True)
        await recognizer.aclose()
    assert [end.code for end in ends if isinstance(end, RecognizerError)] == ["overloaded"]
    assert ends.count(Recognition("Hello", "en")) == 2


async def test_what_goes_beyond_the_longest_is_not_kept() -> None:
    server = says("Hello")
    async with server.running() as url:
        recognizer = engine(url, longest=0.5)
        await heard(recognizer, LOUD)
        await recognizer.aclose()
    assert len(server.sounds[0]) == 16000
