"""A loopback server of the OpenAI chat protocol with vLLM's side doors, and with faults on demand."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


def event(delta: dict[str, object], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


def error(message: str, **marks: object) -> bytes:
    return json.dumps({"error": {"message": message, "type": "BadRequestError", **marks}}).encode()


class ChatServer:
    """`says` is what it answers. `status` and `refusal`: what it refuses with, unless 200. `silent`: takes a request
    and says nothing. `breaks`: hangs up after its first word. The rest is what the side doors tell.
    """

    def __init__(self) -> None:
        self.says = ["您好", "，welcome", "。"]
        self.status, self.refusal = 200, b""
        self.silent = self.breaks = False
        self.well = self.watched = True
        self.waiting, self.cache, self.window = 0, 0.1, 4096
        self.asked: list[dict[str, Any]] = []
        self.heads: list[bytes] = []
        self.looks = 0
        self.hung_up = asyncio.Event()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """As a process that is killed: every connection is cut."""
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET"):
                    self._show(head.split(b" ")[1].decode(), writer)
                else:
                    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                    self.asked.append(json.loads(await reader.readexactly(length)))
                    self.heads.append(head)
                    if not await self._answer(reader, writer):
                        break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    def _show(self, path: str, writer: asyncio.StreamWriter) -> None:
        self.looks += 1
        gauges = {"num_requests_running": 0, "num_requests_waiting": self.waiting, "kv_cache_usage_perc": self.cache}
        doors = {
            "/health": b"",
            "/metrics": "".join(f'vllm:{name}{{engine="0"}} {value}\n' for name, value in gauges.items()).encode(),
            "/v1/models": json.dumps({"data": [{"id": "qwen", "max_model_len": self.window}]}).encode(),
        }
        status = "503 Unwell" if not self.well else "200 OK" if self.watched else "404 Not Found"
        writer.write(_whole(status, doors[path] if status.startswith("200") else b"{}"))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self.silent:
            await reader.read()
            self.hung_up.set()
            return False
        if self.status != 200:
            writer.write(_whole(f"{self.status} Refused", self.refusal))
            return True
        events = [event({"content": word}) for word in self.says] + [event({}, "stop"), b"data: [DONE]\n\n"]
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in events[:1] if self.breaks else events:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        if not self.breaks:
            writer.write(b"0\r\n\r\n")
        return not self.breaks


def _whole(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def chat_servers(count: int) -> AsyncIterator[list[ChatServer]]:
    servers = [ChatServer() for _ in range(count)]
    for server in servers:
        await server.start()
    try:
        yield servers
    finally:
        for server in servers:
            await server.stop()
