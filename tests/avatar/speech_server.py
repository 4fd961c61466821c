"""A loopback server with the OpenAI speech endpoint: 50 ms of a square wave a character, in awkward pieces."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

Mode = Literal["ok", "refuses", "sends mp3", "breaks off", "stalls"]


class SpeechServer:
    """`asked` collects the request bodies; `gone` is set when a client left in the middle."""

    def __init__(self, mode: Mode = "ok") -> None:
        self.mode, self.asked, self.gone = mode, list[dict[str, str]](), asyncio.Event()
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
        kind = b"audio/mpeg" if self.mode == "sends mp3" else b"audio/pcm"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n" % kind)
        sound = (b"\x00\x20" * 40 + b"\x00\xe0" * 40) * 15 * len(request["input"])
        for start in range(0, len(sound), 7001):
            piece = sound[start : start + 7001]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
            if self.mode == "breaks off":
                raise ConnectionError
            if self.mode == "stalls":
                await reader.readexactly(1)
        writer.write(b"0\r\n\r\n")
