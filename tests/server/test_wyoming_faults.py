"""Wyoming clients that vanish, say nothing, or send what is no Wyoming; and a service that cannot do what they want."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from agent.session import Session
from server.wyoming.connection import Connection
from tests.server.wyoming_client import (
    DEAD,
    FORMAT,
    Client,
    Served,
    begin,
    settled,
    sound,
    taken,
    tasks,
    until_free,
    voice,
    wyoming,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A service with the sample documents; whatever a test does to its connections, it stays well."""
    async with wyoming(tmp_path_factory.mktemp("wyoming"), ZHUBO__KNOWLEDGE__SAMPLE="true") as one:
        yield one


module = pytest.mark.asyncio(loop_scope="module")


async def test_slow_sound_keeps_a_connection_alive_and_stillness_ends_it(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__WYOMING__IDLE="3") as served, served.client() as client:
        pcm = voice(0.8)
        await client.send("transcribe", {"language": "en"})
        for at in range(0, len(pcm), 2560):
            await client.send("audio-chunk", FORMAT, pcm[at : at + 2560])
            await asyncio.sleep(0.4)
        await client.send("audio-stop")
        assert (await client.until("transcript-stop"))[-2].data["text"]
        assert await client.fails() == ("idle", "nothing happened for 3 s / 连接空闲超过 3 秒")


async def test_whoever_waits_for_us_is_not_idle(tmp_path: Path) -> None:
    environ = {"ZHUBO__WYOMING__IDLE": "2", "ZHUBO__VOICE__OPTIONS__DELAY": "5"}
    async with wyoming(tmp_path, **environ) as served, served.client() as client:
        await client.send("synthesize", {"text": "好"})
        assert sound(await client.until("audio-stop"))


async def test_a_client_that_takes_nothing_is_let_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    before, text = tasks(), "".join(f"这里是第{number}句话，没有人在听。" for number in range(170))
    environ = {"ZHUBO__WYOMING__IDLE": "5", "ZHUBO__SERVER__SESSIONS": "1"}
    async with wyoming(tmp_path, **environ) as served, served.client() as client:
        await client.send("synthesize", {"text": text})
        await taken(served)
        await until_free(served)
        await settled(before, caplog)
        assert "a Wyoming client was told: idle" in caplog.text


@pytest.mark.parametrize("doing", ["hearing", "speaking", "speaking in pieces", "answering"])
async def test_nothing_is_left_of_a_client_that_vanishes(
    doing: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = tasks()
    slow = {"ZHUBO__VOICE__OPTIONS__DELAY": "30", "ZHUBO__RECOGNIZER__OPTIONS__DELAY": "30"}
    slow |= {"ZHUBO__MODEL__OPTIONS__DELAY": "30", "ZHUBO__KNOWLEDGE__SAMPLE": "true"}
    async with wyoming(tmp_path, ZHUBO__SERVER__SESSIONS="1", **slow) as served:
        for abrupt in (False, True):
            async with served.client() as client:
                await begin(client, doing)
                await taken(served)
                if abrupt:
                    client.writer.transport.abort()
            await until_free(served)
            await settled(before, caplog)


async def test_a_hundred_clients_that_vanish_leave_nothing_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = tasks()
    async with wyoming(tmp_path) as served:
        counts = []
        for clients in (1, 99):
            for number in range(clients):
                async with served.client() as client:
                    await begin(client, ("hearing", "speaking", "speaking in pieces", "answering")[number % 4])
            await settled(before, caplog)
            counts.append(sum(isinstance(one, Session | Connection) for one in gc.get_objects()))
    assert counts[0] == counts[1]


async def test_a_client_that_goes_with_its_answer_leaves_nothing_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recognisers with weights take a while to close."""
    close = Session.close

    async def closed_slowly(session: Session) -> None:
        await asyncio.sleep(0.2)
        await close(session)

    monkeypatch.setattr(Session, "close", closed_slowly)
    before = tasks()
    async with wyoming(tmp_path) as served:
        async with served.client() as client:
            await client.speak(voice(0.3), language="zh")
            await client.until("transcript-stop")
        await settled(before, caplog)


async def test_where_all_places_are_taken_sound_and_text_are_refused(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__SERVER__SESSIONS="1") as served, served.client() as first:
        await begin(first, "hearing")
        await taken(served)
        for kind, data in (("audio-start", FORMAT), ("synthesize", {"text": "好"}), ("synthesize-start", None)):
            async with served.client() as other:
                await other.send(kind, data)
                assert (await other.fails())[0] == "busy"
        await first.send("audio-stop")
        assert (await first.until("transcript"))[-1].data["text"]


async def test_one_connection_too_many_is_told_and_closed(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__WYOMING__CONNECTIONS="1") as served, served.client() as first:
        await first.send("ping", {"text": "1"})
        await first.until("pong")
        async with served.client() as second:
            told = await second.fails()
            assert told[0] == "busy" and "连接太多" in told[1]
        await first.send("ping", {"text": "2"})
        assert (await first.until("pong"))[-1].data == {"text": "2"}


async def test_a_service_that_is_starting_says_what_it_will_be(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ready=False) as served:
        async with served.client() as client:
            await client.send("describe")
            info = (await client.until("info"))[-1].data
            assert info["asr"] and info["tts"] and info["handle"]
            await client.send("transcript", {"text": "hi"})
            assert "starting" in (await client.until("not-handled"))[-1].data["text"]
        for kind, data in (("audio-start", FORMAT), ("synthesize", {"text": "好"}), ("synthesize-start", None)):
            async with served.client() as client:
                await client.send(kind, data)
                assert (await client.fails())[0] == "starting"


async def test_a_model_that_is_dead_is_told_in_words_to_read_out(tmp_path: Path) -> None:
    environ = {"ZHUBO__KNOWLEDGE__SAMPLE": "true", "ZHUBO__LIMITS__FIRST_TOKEN": "1"}
    environ["ZHUBO__MODEL"] = '{engine: openai, options: {base_url: "http://127.0.0.1:9/v1", model: m}}'
    async with wyoming(tmp_path, **environ) as served:
        for lang, text in (("zh", "成人票多少钱？"), ("en", "How much is an adult ticket?")):
            async with served.client() as client:
                await client.send("transcript", {"text": text, "language": lang}, version=None)
                told = await client.until("handled", "not-handled")
                assert told[-1].type == "not-handled"
                assert told[-1].data["text"].startswith(served.service.persona.fallback[lang])


@module
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b'{"type": "transcribe"}\nRIFF....WAVEfmt \n', "bad_frame"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "bad_frame"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", "bad_frame"),
        (b'{"type": "audio-chunk", "payload_length": 99999999}\n', "too_large"),
        (b'{"type": "synthesize", "data_length": 99999999}\n', "too_large"),
        (b"{" + b" " * 10_000_000, "too_large"),
    ],
    ids=["wav", "http", "tls", "payload", "data", "header of 10 MB"],
)
async def test_what_is_no_wyoming_is_told_and_closed(served: Served, sent: bytes, code: str) -> None:
    async with served.client() as client:
        sending = asyncio.create_task(client.raw(sent))
        await asyncio.sleep(0.3)  # whatever is reset meanwhile: the error can be read
        told = await client.fails()
        assert told[0] == code and " / " in told[1]
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    async with served.client() as client:
        await client.send("ping")
        await client.until("pong")


@module
@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([("synthesize-chunk", {"text": "好"})], "out_of_order"),
        ([("synthesize-stop", None)], "out_of_order"),
        ([("synthesize-start", None), ("synthesize-start", None)], "out_of_order"),
        ([("synthesize", {"text": "好", "voice": {"name": "nobody"}})], "unknown_voice"),
        ([("synthesize", {"text": "<speak/>", "text_format": "ssml"})], "unsupported"),
        ([("synthesize", {"text": "长" * 20_001})], "too_long"),
        ([("transcript", {})], "bad_event"),
    ],
)
async def test_requests_that_make_no_sense_are_told(served: Served, events: list[tuple[str, Any]], code: str) -> None:
    async with served.client() as client:
        for kind, data in events:
            await client.send(kind, data)
        told = await client.fails()
        assert told[0] == code and " / " in told[1]


@module
async def test_events_that_are_not_known_are_dropped(served: Served) -> None:
    async with served.client() as client:
        await client.send("select-program", {"name": "zhubo"})
        await client.send("dance", {"text": "?"}, b"123")
        await client.send("ping")
        assert [event.type for event in await client.until("pong")] == ["pong"]


async def test_what_can_be_answered_at_once_is_whatever_else_is_under_way(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__VOICE__OPTIONS__DELAY="3") as served, served.client() as client:
        await client.send("synthesize", {"text": "好"})
        await client.send("describe")
        await client.send("ping")
        assert [event.type for event in await client.until("pong")] == ["info", "pong"]
        await client.until("audio-stop")


async def test_clients_are_closed_with_the_service(tmp_path: Path) -> None:
    async with wyoming(tmp_path) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        client = Client(reader, writer)
        await begin(client, "hearing")
        await client.send("ping")
        await client.until("pong")
    try:
        ended = await client.next()
    except ConnectionError:
        ended = None
    assert ended is None or ended.type.startswith("transcript-")
    writer.close()
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", served.port)


async def test_nothing_of_a_conversation_stands_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    environ = {"ZHUBO__RECOGNIZER__OPTIONS__TEXTS": '["鹦鹉洲头"]', "ZHUBO__VOICE": DEAD}
    async with wyoming(tmp_path, **environ) as served:
        async with served.client() as client:
            await client.speak(voice(), language="zh")
            assert (await client.until("transcript"))[-1].data["text"] == "鹦鹉洲头"
            await client.send("transcript", {"text": "鹦鹉洲头在哪里", "context": {"conversation_id": "鹦鹉洲头"}})
            await client.until("handled", "not-handled")
            await client.send("synthesize", {"text": "鹦鹉洲头风浪起"})
            await client.fails()
        async with served.client() as client:
            await client.raw('{"type": "鹦鹉洲头'.encode() + b"\n")
            await client.fails()
    assert caplog.records and "鹦鹉洲头" not in caplog.text
