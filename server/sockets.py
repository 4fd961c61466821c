"""One WebSocket: a reader that never waits for a turn, and a writer. The first that ends, or the session, ends both."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress

from fastapi import WebSocket, WebSocketDisconnect

from agent.events import Event
from agent.session import Session
from server.protocols.base import Answer, Codec, Frame, Hello, Pong, Rejected, Welcome

_POLICY = 1008
_INTERNAL = 1011

log = logging.getLogger(__name__)

Receive = Callable[[Hello], AbstractAsyncContextManager[tuple[Session, Welcome]]]
"""Has a session for a client that has said hello, and tells how it is welcomed."""


async def serve(
    socket: WebSocket, codec: Codec, receive: Receive, hello_seconds: float, hello: Hello | None = None
) -> None:
    """Serve an accepted socket until it closes. The session is closed with it: nothing runs on for nobody.

    `hello`: what is known of a client whose protocol does not begin with one.
    """
    connection = _Connection(socket, codec)
    with suppress(WebSocketDisconnect):
        try:
            async with asyncio.timeout(hello_seconds):
                hello = hello or await connection.hello()
        except TimeoutError:
            await connection.send(Rejected("hello_required", f"no hello within {hello_seconds:g} s"))
            await socket.close(_POLICY)
            return
        async with receive(hello) as (session, welcome):
            await connection.send(welcome)
            await session.open(hello.lang, voice_only=hello.voice_only)
            await connection.converse(session, welcome)


class _Connection:
    def __init__(self, socket: WebSocket, codec: Codec) -> None:
        self._socket, self._codec = socket, codec
        self._sending = asyncio.Lock()

    async def send(self, event: Event | Answer) -> None:
        async with self._sending:
            for frame in self._codec.encode(event):
                await (self._socket.send_text(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))

    async def hello(self) -> Hello:
        """What comes before it is answered, and nothing else."""
        while True:
            for item in self._codec.decode(await self._frame()):
                match item:
                    case Hello():
                        return item
                    case Pong() | Rejected():
                        await self.send(item)
                    case _:
                        raise TypeError(f"{type(item).__name__} before hello")

    async def converse(self, session: Session, welcome: Welcome) -> None:
        tasks = [
            asyncio.create_task(self._read(session, welcome), name="socket reader"),
            asyncio.create_task(self._write(session), name="socket writer"),
            over := asyncio.create_task(session.over(), name="end of the session"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect):
                log.error("a connection failed", exc_info=end)
                with suppress(RuntimeError, WebSocketDisconnect):
                    await self._socket.close(_INTERNAL)
        if not over.cancelled():
            with suppress(RuntimeError, WebSocketDisconnect):
                await self._socket.close()

    async def _write(self, session: Session) -> None:
        while True:
            await self.send(await session.event())

    async def _read(self, session: Session, welcome: Welcome) -> None:
        """A client that says hello again may change its wishes; it stays in its session."""
        while True:
            for item in self._codec.decode(await self._frame()):
                match item:
                    case Hello():
                        await self.send(welcome)
                    case Welcome() | Pong() | Rejected():
                        await self.send(item)
                    case _:
                        await session.handle(item)

    async def _frame(self) -> Frame:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        frame: Frame = text if text is not None else message["bytes"]
        return frame
