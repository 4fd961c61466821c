"""Clients of zhubo.v1 and of Realtime that are connected while nobody is there, on the served socket."""

import asyncio
import base64
import json
import math
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from configs.settings import load
from tests import virtual
from tests.e2e.serving import serving
from tests.server.realtime_client import message
from tests.server.visitor import Visitor, native, realtime, served

IDLE = 600.0


def pcm(seconds: float, rate: int, loud: int) -> bytes:
    samples = (round(loud * math.sin(at * 1920 / rate)) for at in range(round(rate * seconds)))
    return b"".join(struct.pack("<h", sample) for sample in samples)


def sound(visitor: Visitor, loud: int) -> None:
    if visitor.hello is None:
        visitor.send(b"\2\0\0\0" + pcm(0.5, 16_000, loud))
    else:
        audio = base64.b64encode(pcm(0.5, 24_000, loud)).decode()
        visitor.send({"type": "input_audio_buffer.append", "audio": audio})


def asks(visitor: Visitor) -> None:
    if visitor.hello is None:
        visitor.send({"type": "say", "text": "成人票多少钱？"})
    else:
        visitor.send({"type": "conversation.item.create", "item": message("How much is a ticket?")})


def speaks(visitor: Visitor) -> None:
    for _ in range(3):
        sound(visitor, 9000)
    for _ in range(4):
        sound(visitor, 0)


def pings(visitor: Visitor) -> None:
    visitor.send({"type": "ping"})


def hums(visitor: Visitor) -> None:
    sound(visitor, 0)


VISITORS = pytest.mark.parametrize("come", [native, realtime])


@VISITORS
@pytest.mark.parametrize("does", [lambda _: None, pings, hums], ids=["nothing", "pings", "silence"])
def test_who_only_keeps_the_connection_alive_is_told_in_both_languages_and_closed(
    come: Callable[[], Visitor], does: Callable[[Visitor], None]
) -> None:
    async def go() -> None:
        visitor = come()
        async with served(visitor, IDLE):
            for _ in range(21):
                await asyncio.sleep(IDLE / 20)
                does(visitor)
            await asyncio.sleep(1)
            assert visitor.closed == (1000, "idle")
            assert IDLE <= visitor.at <= IDLE * 1.05
        told = visitor.errors[-1]
        assert told["code"] == "idle" and "connect again" in told["message"] and "请重新连接" in told["message"]

    virtual.run(go())


@VISITORS
@pytest.mark.parametrize("does", [asks, speaks], ids=["text", "speech"])
def test_who_says_something_stays_and_is_let_go_when_they_have_gone(
    come: Callable[[], Visitor], does: Callable[[Visitor], None]
) -> None:
    async def go() -> None:
        visitor = come()
        async with served(visitor, IDLE):
            for _ in range(4):
                await asyncio.sleep(IDLE * 0.9)
                does(visitor)
            said = asyncio.get_running_loop().time()
            await asyncio.sleep(IDLE * 0.9)
            assert visitor.closed is None
            await asyncio.sleep(IDLE * 1.5)
            assert visitor.closed == (1000, "idle") and visitor.at >= said + IDLE

    virtual.run(go())


@VISITORS
def test_without_a_limit_nobody_is_let_go(come: Callable[[], Visitor]) -> None:
    async def go() -> None:
        visitor = come()
        async with served(visitor):
            await asyncio.sleep(100_000)
            assert visitor.closed is None

    virtual.run(go())


def test_who_hears_a_long_answer_out_is_not_idle() -> None:
    async def go() -> None:
        visitor = native()
        async with served(visitor, 0.5):
            visitor.send({"type": "say", "text": "成人票多少钱？"})
            await asyncio.sleep(1.2)
            assert visitor.closed is None
            await asyncio.sleep(60)
            assert visitor.closed == (1000, "idle")
            assert any(one["type"] == "turn_ended" and one["reason"] == "done" for one in visitor.told)

    virtual.run(go())


def test_a_kiosk_turns_the_limit_off() -> None:
    assert load("test", environ={}).server.idle_seconds == 1800
    assert load("test", environ={"ZHUBO__SERVER__IDLE_SECONDS": "0"}).server.idle_seconds == 0


@pytest.mark.e2e
def test_a_served_client_is_let_go_by_the_operators_limit(tmp_path: Path) -> None:
    with serving(tmp_path, environ={"ZHUBO__SERVER__IDLE_SECONDS": "0.5"}) as served:
        for path, hello in (("/ws", '{"type":"hello"}'), ("/v1/realtime", None)):
            with connect(served.url.replace("http", "ws", 1) + path, open_timeout=60) as socket:
                if hello:
                    socket.send(hello)
                told = []
                with pytest.raises(ConnectionClosed) as closed:
                    while True:
                        told.append(json.loads(socket.recv(60)))
            assert closed.value.rcvd is not None and (closed.value.rcvd.code, closed.value.rcvd.reason) == (
                1000,
                "idle",
            )
            assert "idle" in (told[-1].get("code"), told[-1].get("error", {}).get("code"))
