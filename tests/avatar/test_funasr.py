"""A FunASR server: its words both ways, and all the ways in which it may fail. The contract is in tests/contract."""

import asyncio
import json
import ssl
from contextlib import aclosing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from avatar.engines.funasr import FunAsr, FunAsrHearing, FunAsrOptions
from avatar.engines.funasr_wire import END, Progress, Transcript, beginning
from avatar.hearing import Expectation, Recognition, RecognizerError
from configs.home import current
from tests.avatar.funasr_server import FunAsrServer, Kind, Mode
from tests.avatar.voiced import hiss

PEM = Path(__file__).parents[1] / "configs" / "loopback.pem"
KINDS: tuple[Kind, ...] = ("cpp", "python")
TEXT = {"zh": "科学馆几点开门？我想带孩子来。", "en": "When does the museum open? I'm bringing two kids."}
ANYTHING = Expectation()
LOUD = hiss(3.0, -20)


def engine(url: str, **options: object) -> FunAsr:
    return FunAsr(FunAsrOptions.model_validate({"url": url, "timeout": 30.0} | options), current())


def says(text: str, kind: Kind = "cpp", mode: Mode = "ok", delay: float = 0.0) -> FunAsrServer:
    return FunAsrServer(lambda pcm: text, kind, mode, delay)


async def streamed(hearing: FunAsrHearing, pcm: bytes, gap: float = 0.002) -> None:
    for start in range(0, len(pcm), 1024):
        hearing.feed(pcm[start : start + 1024])
        await asyncio.sleep(gap)


async def heard(recognizer: FunAsr, pcm: bytes = LOUD, expectation: Expectation = ANYTHING) -> Recognition:
    hearing = recognizer.hear(expectation)
    hearing.feed(pcm)
    async with asyncio.timeout(60):
        return await hearing.finish()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lang", TEXT)
async def test_the_streaming_pass_is_told_and_replaced_by_the_corrected_sentences(kind: Kind, lang: str) -> None:
    async with says(TEXT[lang], kind).running() as url:
        hearing = engine(url).hear()
        told: list[str] = []

        async def follow() -> None:
            async with aclosing(hearing.partials()) as partials:
                async for one in partials:
                    told.append(one.text)

        following = asyncio.create_task(follow())
        await streamed(hearing, hiss(6.0, -20))
        recognition = await hearing.finish()
        await following
    assert recognition == Recognition(TEXT[lang], lang)  # type: ignore[arg-type]
    assert len(told) > 2 and all(TEXT[lang].startswith(text) for text in told)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_short_and_a_long_word_end_without_waiting_for_a_message_that_never_comes(kind: Kind) -> None:
    loop = asyncio.get_running_loop()
    async with says("好", kind).running() as url:
        for seconds in (0.3, 3.0):
            hearing = engine(url).hear()
            await streamed(hearing, hiss(seconds, -20))
            began = loop.time()
            assert (await hearing.finish()).text == "好"
            assert loop.time() - began < 15


async def test_what_is_sent_is_the_protocols() -> None:
    server = says("好")
    async with server.running() as url:
        await heard(engine(url, weight=30), LOUD + b"\1\2\3", Expectation("zh", ("林若海", "FAST")))
    assert server.started[0] | {"wav_name": ""} == {
        "mode": "2pass", "wav_name": "", "wav_format": "pcm", "audio_fs": 16000, "is_speaking": True,
        "chunk_size": [5, 10, 5], "chunk_interval": 10, "itn": True, "hotwords": '{"林若海":30,"FAST":30}',
    }  # fmt: skip
    assert [one["is_speaking"] for one in server.ended] == [False]
    assert set(server.sizes[:-1]) == {1920} and 0 < server.sizes[-1] <= 1920 and sum(server.sizes) == len(LOUD) + 3


def test_no_hot_words_are_no_field() -> None:
    assert "hotwords" not in json.loads(beginning(Expectation(), "a", (5, 10, 5), True, 20))
    assert json.loads(END)["is_speaking"] is False


async def test_silence_connects_to_nobody() -> None:
    server = says("谢谢观看")
    async with server.running() as url:
        assert await heard(engine(url), bytes(32000 * 120)) == Recognition("")
    assert not server.started


FAULTS: dict[Mode, str] = {
    "refuses": "refused", "deaf": "timeout", "garbage": "failed", "no object": "failed", "number": "failed",
    "error": "failed", "drops": "failed", "closes": "failed",
}  # fmt: skip


@pytest.mark.parametrize("mode", FAULTS)
async def test_each_fault_has_its_code(mode: Mode) -> None:
    server = says("好", mode=mode)
    async with server.running() as url:
        recognizer = engine(url, timeout=0.3 if mode == "deaf" else 30)
        with pytest.raises(RecognizerError) as told:
            await heard(recognizer)
        assert told.value.code == FAULTS[mode]
        server.mode = "ok"
        assert (await heard(engine(url))).text == "好"


async def test_a_dead_server_is_unreachable_and_partials_tell_it_too() -> None:
    hearing = engine("ws://127.0.0.1:9").hear()
    hearing.feed(LOUD)
    with pytest.raises(RecognizerError) as told:
        async with aclosing(hearing.partials()) as partials:
            await anext(partials)
    assert told.value.code == "unreachable"
    with pytest.raises(RecognizerError):
        await hearing.finish()


async def test_a_server_that_takes_no_connection_is_given_up() -> None:
    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    with pytest.raises(RecognizerError) as told:
        await heard(engine(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", connect=0.2))
    server.close()
    assert told.value.code == "unreachable"


async def test_a_slow_server_is_heard_out_and_a_too_slow_one_leaves_what_it_streamed() -> None:
    async with says(TEXT["zh"], delay=0.6).running() as url:
        assert (await heard(engine(url))).text == TEXT["zh"]
        hearing = engine(url, timeout=0.2).hear()
        await streamed(hearing, LOUD)
        async with aclosing(hearing.partials()) as partials:
            await anext(partials)
        part = (await hearing.finish()).text
        assert part and TEXT["zh"].startswith(part)


async def test_sound_that_is_not_taken_is_bounded() -> None:
    async with says("好").running() as url:
        hearing = engine(url, backlog=1).hear()
        for _ in range(5):
            hearing.feed(LOUD[:16000])
        with pytest.raises(RecognizerError) as told:
            await hearing.finish()
    assert told.value.code == "overloaded"


async def test_the_server_learns_that_nobody_waits_any_more() -> None:
    server = says("好", mode="deaf")
    async with server.running() as url:
        hearing = engine(url).hear()
        await streamed(hearing, LOUD)
        finishing = asyncio.create_task(hearing.finish())
        await asyncio.sleep(0.05)
        finishing.cancel()
        await asyncio.gather(finishing, return_exceptions=True)
        async with asyncio.timeout(60):
            await server.gone.wait()
    assert server.open == 0


async def test_a_certificate_that_nobody_vouches_for_is_refused_unless_it_is_not_to_be_verified() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(PEM)
    async with says("好").running(tls) as url:
        assert url.startswith("wss:")
        with pytest.raises(RecognizerError) as told:
            await heard(engine(url))
        assert told.value.code == "unreachable"
        assert (await heard(engine(url, verify=False))).text == "好"


def test_the_address_must_be_a_websockets() -> None:
    with pytest.raises(ValidationError):
        FunAsrOptions.model_validate({"url": "http://h"})


def said(mode: str | None, text: str, final: bool, **more: object) -> str:
    return json.dumps(({"mode": mode} if mode else {}) | {"text": text, "is_final": final} | more)


def test_the_end_of_the_cpp_server() -> None:
    talk = Transcript()
    assert talk.feed(said("2pass-online", "几点", False), False) is Progress.MORE
    assert talk.feed(said("2pass-offline", "几点开门，", False), True) is Progress.PERHAPS
    assert talk.feed(said("2pass-offline", "请问？", True), True) is Progress.DONE
    assert talk.text == "几点开门，请问？"
    assert Transcript().feed(said(None, "", True), True) is Progress.DONE


def test_the_end_of_the_python_server() -> None:
    talk = Transcript()
    assert talk.feed(said("2pass-online", "open", True), False) is Progress.MORE
    assert talk.feed(said("2pass-online", "at nine", True), True) is not Progress.DONE
    assert talk.text == "open at nine"
    assert talk.feed(said("2pass-offline", "Open at nine?", False), True) is Progress.DONE
    assert talk.text == "Open at nine?"


def test_the_end_of_a_server_that_acknowledges_it() -> None:
    talk = Transcript()
    assert talk.feed(said("2pass-offline", "你好。", True), False) is Progress.MORE
    assert talk.feed(said("2pass-offline", "再见。", True), True) is Progress.PERHAPS
    assert talk.feed(said(None, "", False, is_end=True), True) is Progress.DONE
    assert talk.text == "你好。再见。"


@given(st.lists(st.tuples(st.one_of(st.text(), st.binary()), st.booleans())))
def test_whatever_comes_is_a_message_or_an_error(messages: list[tuple[str | bytes, bool]]) -> None:
    talk = Transcript()
    for message, ended in messages:
        try:
            talk.feed(message, ended)
        except RecognizerError as error:
            assert error.code == "failed"
