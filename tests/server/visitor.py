"""A client of zhubo.v1 or of Realtime at the other end of a served WebSocket, in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import WebSocket

from agent.session import Session
from server.protocols.base import Codec, Hello, Welcome
from server.protocols.native import NativeCodec, Terms
from server.protocols.realtime import Defaults, Dialect, RealtimeCodec, SessionBody
from server.sockets import serve
from tests.doubles import presenter, scripted
from tests.server.speaker import ears


class Visitor:
    """What it was sent, and by which code and when it was closed."""

    def __init__(self, codec: Codec, hello: Hello | None) -> None:
        self.codec, self.hello = codec, hello
        self.told: list[dict[str, Any]] = []
        self.closed: tuple[int, str] | None = None
        self.at = 0.0
        self._said: asyncio.Queue[Any] = asyncio.Queue()
        self._said.put_nowait({"type": "websocket.connect"})

    def send(self, frame: dict[str, Any] | bytes) -> None:
        part = {"bytes": frame} if isinstance(frame, bytes) else {"text": json.dumps(frame)}
        self._said.put_nowait({"type": "websocket.receive", **part})

    async def receive(self) -> Any:
        return await self._said.get()

    async def take(self, one: Any) -> None:
        match one:
            case {"type": "websocket.send", "text": str(text)}:
                self.told.append(json.loads(text))
            case {"type": "websocket.close", "code": code, "reason": reason}:
                self.closed, self.at = (code, reason), asyncio.get_running_loop().time()

    @property
    def errors(self) -> list[dict[str, Any]]:
        return [one.get("error", one) for one in self.told if one["type"] == "error"]


def native() -> Visitor:
    visitor = Visitor(NativeCodec(Terms("main", {}, 24_000, 50, 65_536, ("pcm_s16le",))), None)
    visitor.send({"type": "hello"})
    visitor.send({"type": "listen"})
    return visitor


def realtime() -> Visitor:
    codec = RealtimeCodec(SessionBody(), Defaults("zhubo", 0.6, 0.5), Dialect(noticed=True))
    return Visitor(codec, Hello())


@asynccontextmanager
async def served(visitor: Visitor, idle: float | None = None) -> AsyncIterator[None]:
    @asynccontextmanager
    async def received(_: Hello) -> AsyncIterator[tuple[Session, Welcome]]:
        session = Session(presenter(scripted(pace=0.02)), ears=ears("成人票多少钱？"))
        try:
            yield session, Welcome("session-1")
        finally:
            await session.close()

    socket = WebSocket({"type": "websocket", "headers": []}, visitor.receive, visitor.take)
    await socket.accept()
    serving = asyncio.create_task(serve(socket, visitor.codec, received, 10.0, visitor.hello, patience=idle))
    try:
        yield
    finally:
        visitor._said.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await serving
