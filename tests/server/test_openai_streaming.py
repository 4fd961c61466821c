"""Answers that are sent while they are made: clients that hang up, and work that fails on the way."""

import asyncio
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request, Response

from agent.persona import load as load_persona
from avatar.speech import VoiceError
from configs.settings import Limits
from server.openai.errors import Wrong
from server.openai.reading import Reading, encoded
from server.openai.streaming import Flow, begun, framed, unless_gone
from tests import virtual
from tests.doubles import BreakingVoice


class Work:
    """A generator that gives `gives` pieces and then works for ever, or fails."""

    def __init__(self, gives: int, error: Exception | None = None) -> None:
        self._gives, self._error = gives, error
        self.open = False

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        self.open = True
        try:
            for number in range(self._gives):
                yield str(number).encode()
            if self._error is not None:
                raise self._error
            await asyncio.Event().wait()
        finally:
            self.open = False


class Client:
    """Hangs up after `stays` seconds. `deaf`: what is sent to it fails."""

    def __init__(self, stays: float, deaf: bool = False) -> None:
        self._stays, self._deaf = stays, deaf
        self.got: list[dict[str, Any]] = []

    async def receive(self) -> Any:
        await asyncio.sleep(self._stays)
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if self._deaf and message["type"] == "http.response.body":
            raise OSError("the client is gone")
        self.got.append(message)


@pytest.mark.parametrize(("stays", "deaf"), [(5.0, False), (1e6, True)])
def test_work_ends_when_its_client_is_gone(stays: float, deaf: bool) -> None:
    async def go() -> None:
        work, client = Work(3), Client(stays, deaf)
        await Flow(work.pieces(), "audio/mpeg")({"type": "http"}, client.receive, client.send)
        assert not work.open and asyncio.all_tasks() == {asyncio.current_task()}
        assert [one["body"] for one in client.got[1:]] == ([] if deaf else [b"0", b"1", b"2"])
        assert asyncio.get_running_loop().time() <= 5

    virtual.run(go())


def test_work_that_fails_on_the_way_leaves_the_answer_unfinished() -> None:
    async def go() -> None:
        work, client = Work(1, VoiceError("hoarse")), Client(1e6)
        with pytest.raises(VoiceError):
            await Flow(work.pieces(), "audio/mpeg")({"type": "http"}, client.receive, client.send)
        assert not work.open and all(one.get("more_body", True) for one in client.got)

    virtual.run(go())


def test_a_whole_answer_is_given_up_when_nobody_waits() -> None:
    async def go() -> None:
        ended: list[str] = []

        async def work(seconds: float) -> Response:
            try:
                await asyncio.sleep(seconds)
                return Response("done")
            finally:
                ended.append("ended")

        request = Request({"type": "http"}, Client(3).receive)
        assert (await unless_gone(request, work(1))).status_code == 200
        assert (await unless_gone(request, work(100))).status_code == 499
        assert ended == ["ended", "ended"] and asyncio.get_running_loop().time() < 10

        async def wrong() -> Response:
            raise Wrong(400, "x", "x")

        with pytest.raises(Wrong):
            await unless_gone(request, wrong())

    virtual.run(go())


def test_what_keeps_work_from_beginning_is_told_before_anything_is_sent() -> None:
    async def go() -> None:
        with pytest.raises(VoiceError):
            await begun(Work(0, VoiceError("hoarse")).pieces())
        pieces = await begun(Work(2, VoiceError("hoarse")).pieces())
        assert [await anext(pieces), await anext(pieces)] == [b"0", b"1"]
        await pieces.aclose()

    virtual.run(go())


def test_events_are_framed_as_their_clients_read_them() -> None:
    event = {"type": "response.created", "text": "你好\n\nhi"}
    assert framed(event) == 'data: {"type":"response.created","text":"你好\\n\\nhi"}\n\n'.encode()
    assert framed(event, named=True).startswith(b"event: response.created\ndata: {")
    assert framed({"error": {}}, named=True).startswith(b"event: error\n")


def read(voice: BreakingVoice, named: str | None = None) -> AsyncGenerator[bytes, None]:
    persona, limits = load_persona("guide"), Limits(first_audio=2, next_audio=2)
    service: Any = SimpleNamespace(voice=voice, persona=persona, settings=SimpleNamespace(limits=limits))
    return encoded(Reading((("您好。", "zh"), ("Hello.", "en")), "pcm", named, 1.0, tone=False), service, "")


@pytest.mark.parametrize("stalls", [True, False])
def test_a_voice_that_fails_at_once_is_an_error_with_a_status(stalls: bool) -> None:
    async def go() -> None:
        voice = BreakingVoice(1, stalls=stalls)
        with pytest.raises(Wrong, match="稍后再试") as wrong:
            await anext(read(voice))
        assert (wrong.value.status, wrong.value.code, voice.open) == (503, "voice_failed", 0)
        with pytest.raises(Wrong, match="稍后再试") as wrong:
            await anext(read(BreakingVoice(1), "nobody"))
        assert (wrong.value.status, wrong.value.param) == (503, None), "its fault is the operator's to know"

    virtual.run(go())


def test_a_voice_that_fails_later_breaks_the_sound_off_and_one_that_is_closed_stops() -> None:
    async def go() -> None:
        voice, given = BreakingVoice(1, midway=True), []
        with pytest.raises(VoiceError):
            async for piece in read(voice):
                given.append(piece)
        assert given and voice.open == 0
        voice = BreakingVoice(0)
        pieces = read(voice)
        assert await anext(pieces) and voice.open == 1
        await pieces.aclose()
        assert voice.open == 0

    virtual.run(go())
