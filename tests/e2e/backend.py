"""A loopback stand-in for an OpenAI-compatible model server that streams for ever and sees who hangs up."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Endless:
    def __init__(self) -> None:
        self.open = 0
        self.asked = asyncio.Event()
        self.closed: asyncio.Queue[float] = asyncio.Queue()
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        body = json.loads(await reader.readexactly(int(length.split(b":")[1])))
        self.open += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        if body["max_tokens"] == 1:
            writer.write(_event("好", "stop") + b"data: [DONE]\n\n")
        else:
            self.asked.set()
            with suppress(ConnectionError):
                await self._stream(reader, writer)
            self.closed.put_nowait(time.monotonic())
        self.open -= 1
        writer.close()

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        while not reader.at_eof():
            number += 1
            writer.write(_event(f"第{number}句话。"))
            await writer.drain()
            await asyncio.sleep(0.01)


def _event(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


@asynccontextmanager
async def endless() -> AsyncIterator[Endless]:
    backend = Endless()
    server = await asyncio.start_server(backend._serve, "127.0.0.1", 0)
    backend.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield backend
