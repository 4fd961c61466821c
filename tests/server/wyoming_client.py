"""A Wyoming client of our own, that can do what no good one does; and the service it talks to."""

import asyncio
import contextlib
import gc
import json
import math
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from configs.home import Home
from configs.settings import load
from knowledge.bases import MAIN
from server.admission import Admission
from server.assemble import Service
from server.wyoming import listening_on, wyoming_served

PATIENCE = 60.0
"""Seconds until a client that is waited for counts as stuck."""
FORMAT = {"rate": 16_000, "width": 2, "channels": 1}


@dataclass(frozen=True)
class Heard:
    type: str
    data: dict[str, Any]
    payload: bytes = b""


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, kind: str, data: Any = None, payload: bytes = b"", version: str | None = "1.10.2") -> None:
        header: dict[str, Any] = {"type": kind, "version": version}
        body = json.dumps(data, ensure_ascii=False).encode() if data else b""
        if body:
            header["data_length"] = len(body)
        if payload:
            header["payload_length"] = len(payload)
        await self.raw(json.dumps(header).encode() + b"\n" + body + payload)

    async def raw(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def next(self) -> Heard | None:
        """None where the server has closed."""
        async with asyncio.timeout(PATIENCE):
            line = await self.reader.readline()
            if not line:
                return None
            header = json.loads(line)
            body = await self.reader.readexactly(header.get("data_length") or 0)
            payload = await self.reader.readexactly(header.get("payload_length") or 0)
        return Heard(header["type"], header.get("data", {}) | json.loads(body or "{}"), payload)

    async def until(self, *kinds: str) -> list[Heard]:
        """All up to one of these."""
        seen: list[Heard] = []
        while not (seen and seen[-1].type in kinds):
            event = await self.next()
            assert event is not None, f"closed before {kinds}: {[one.type for one in seen]}"
            seen.append(event)
        return seen

    async def fails(self) -> tuple[str, str]:
        """The error that ends the connection: its code, and its text."""
        error = (await self.until("error"))[-1]
        assert await self.next() is None, "an error closes the connection"
        return error.data["code"], error.data["text"]

    async def speak(self, pcm: bytes, form: dict[str, int] = FORMAT, samples: int = 1024, **asked: Any) -> None:
        await self.send("transcribe", asked)
        await self.send("audio-start", {**form, "timestamp": None})
        step = samples * form["width"] * form["channels"]
        for at in range(0, len(pcm), step):
            await self.send("audio-chunk", {**form, "timestamp": None}, pcm[at : at + step])
        await self.send("audio-stop", {"timestamp": None})


@dataclass(frozen=True)
class Served:
    service: Service
    port: int

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def wyoming(folder: Path, *, ready: bool = True, deaf: bool = False, **environ: str) -> AsyncIterator[Served]:
    """The service on the shipped engines without weights, without documents unless `ZHUBO__KNOWLEDGE__SAMPLE` says so.
    Not `ready`: it is still starting. `deaf`: it has no recogniser."""
    given = {
        "ZHUBO__WYOMING__PORT": "0",
        "ZHUBO__WYOMING__NOTICE": "false",
        "ZHUBO__KNOWLEDGE__SAMPLE": "false",
        **environ,
    }
    settings = load("test", environ=given)
    if deaf:
        settings = settings.model_copy(update={"recognizer": None, "detector": None})
    listener = listening_on(settings.wyoming)
    assert listener is not None
    port = listener.getsockname()[1]
    service = Service(settings, Home(folder / "data", folder / "cache"))
    try:
        if ready:
            await service.open()
            await service.bases.get(MAIN).settled()
        async with wyoming_served(service, Admission(service), listener):
            yield Served(service, port)
    finally:
        await service.close()


def voice(seconds: float = 1.0, rate: int = 16_000, channels: int = 1) -> bytes:
    """What the test profile's detector takes for speech."""
    turn, swell = 1920 / rate, 48 / rate
    samples = (
        round(9000 * math.sin(at * turn) * (0.6 + 0.4 * math.sin(at * swell))) for at in range(round(rate * seconds))
    )
    return b"".join(struct.pack("<h", sample) * channels for sample in samples)


def sound(events: list[Heard]) -> bytes:
    return b"".join(event.payload for event in events if event.type == "audio-chunk")


def tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


async def until_free(served: Served) -> None:
    """With one place for all: until a client is served again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with served.client() as client:
                await client.send("transcript", {"text": "你好", "language": "zh"}, version=None)
                if (await client.until("handled", "not-handled"))[-1].type == "handled":
                    return
            await asyncio.sleep(0.05)


async def settled(before: set[str], caplog: pytest.LogCaptureFixture) -> None:
    """No task of a client's is left, nor was one forgotten while it waited."""
    ours = ("wyoming", "transcript", "turn", "ear", "partials", "answers to speech", "end of an utterance")
    async with asyncio.timeout(PATIENCE):
        while any(name.startswith(ours) for name in tasks() - before):
            await asyncio.sleep(0.01)
    gc.collect()
    assert "destroyed" not in caplog.text


async def begin(client: Client, doing: str) -> None:
    match doing:
        case "hearing":
            await client.send("transcribe", {"language": "en"})
            await client.send("audio-chunk", FORMAT, voice())
        case "speaking":
            await client.send("synthesize", {"text": "门开着。"})
        case "speaking in pieces":
            await client.send("synthesize-start")
            await client.send("synthesize-chunk", {"text": "门开着。请随手"})
        case _:
            await client.send("transcript", {"text": "How much is an adult ticket?", "language": "en"})


async def taken(served: Served) -> None:
    """The only place is: another client is told, in words that it can read out."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with served.client() as other:
                await other.send("transcript", {"text": "你好", "language": "zh"}, version=None)
                told = (await other.until("handled", "not-handled"))[-1]
                if told.type == "not-handled":
                    assert "访客太多" in told.data["text"]
                    return
            await asyncio.sleep(0.02)


DEAD = '{engine: openai, options: {base_url: "http://127.0.0.1:9/v1", model: m, rate: 24000}}'
