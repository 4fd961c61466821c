"""A loopback server with the OpenAI speech endpoint: 50 ms of a square wave a character, in awkward pieces."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from tests.avatar.edge_standin import mp3

Mode = Literal[
    *("ok", "refuses", "sends mp3", "breaks off", "stalls", "waits"),
    *("wav", "long wav", "stereo wav", "float wav", "half a head", "untyped"),
]


class SpeechServer:
    """`asked` collects the request bodies; `gone` is set when a client left in the middle. Mode "waits" sends the
    first piece, and the rest once `more` is set."""

    def __init__(self, mode: Mode = "ok") -> None:
        self.mode, self.asked, self.gone = mode, list[dict[str, Any]](), asyncio.Event()
        self.more = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        finally:
            server.close()
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                await self._answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            self.gone.set()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"POST /v1/audio/speech ")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        request = json.loads(await reader.readexactly(length))
        self.asked.append(request)
        if self.mode == "refuses":
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}")
            return
        count = len(request["input"])
        sound = (b"\x00\x20" * 40 + b"\x00\xe0" * 40) * 15 * count
        kind = b"audio/pcm"
        if self.mode == "sends mp3":
            kind, sound = b"audio/mpeg", await asyncio.to_thread(mp3, 0.05 * count)
        elif "wav" in self.mode or self.mode == "half a head":
            kind, sound = b"audio/wav", _wav(self.mode, sound)
        named = b"" if self.mode == "untyped" else b"Content-Type: %s\r\n" % kind
        writer.write(b"HTTP/1.1 200 OK\r\n%sTransfer-Encoding: chunked\r\n\r\n" % named)
        for start in range(0, len(sound), 7001):
            piece = sound[start : start + 7001]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
            if self.mode == "waits":
                await self.more.wait()
            if self.mode == "breaks off":
                raise ConnectionError
            if self.mode == "stalls":
                await reader.readexactly(1)
        writer.write(b"0\r\n\r\n")


def _wav(mode: Mode, sound: bytes) -> bytes:
    """At 16 kHz where the length is known, with a chunk before the samples and one behind them."""
    form, channels, rate, length = 1, 1, 16000, len(sound)
    if mode == "half a head":
        return b"RIFF\x00\x00\x00\x00WAVEfmt "
    if mode == "long wav":
        rate, length = 24000, 2**32 - 1
    if mode == "stereo wav":
        channels = 2
    if mode == "float wav":
        form = 3
    head = struct.pack("<HHIIHH", form, channels, rate, 2 * channels * rate, 2 * channels, 16)
    before = b"LIST" + struct.pack("<I", 5) + b"INFO!\x00"
    after = b"" if mode == "long wav" else b"LIST" + struct.pack("<I", 4) + b"INFO"
    data = b"fmt " + struct.pack("<I", 16) + head + before + b"data" + struct.pack("<I", length) + sound + after
    return b"RIFF" + struct.pack("<I", min(2**32 - 1, 4 + len(data))) + b"WAVE" + data
