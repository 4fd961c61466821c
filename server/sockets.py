"""One loop for every WebSocket protocol: one task reads, one writes, and whichever ends first ends both."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from fastapi import WebSocket, WebSocketDisconnect

from agent.events import Event
from agent.session import Session
from server.protocols.base import Answer, Codec, Frame, Pong, Rejected, Welcome

_POLICY = 1008
_INTERNAL = 1011

log = logging.getLogger(__name__)

Send = Callable[[Event | Answer], Awaitable[None]]


async def serve(socket: WebSocket, codec: Codec, session: Session, hello_seconds: float) -> None:
    """Serve an accepted socket until it closes. The session is closed with it: nothing runs on for nobody."""
    sending = asyncio.Lock()

    async def send(event: Event | Answer) -> None:
        async with sending:
            for frame in codec.encode(event):
                await (socket.send_text(frame) if isinstance(frame, str) else socket.send_bytes(frame))

    async def write() -> None:
        while True:
            await send(await session.event())

    tasks = [
        asyncio.create_task(_read(socket, codec, session, send, hello_seconds), name="socket reader"),
        asyncio.create_task(write(), name="socket writer"),
    ]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await session.close()
    for end in ends:
        if isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect):
            log.error("a connection failed", exc_info=end)
            with suppress(RuntimeError, WebSocketDisconnect):
                await socket.close(_INTERNAL)


async def _read(socket: WebSocket, codec: Codec, session: Session, send: Send, hello_seconds: float) -> None:
    try:
        async with asyncio.timeout(hello_seconds):
            while not codec.greeted:
                await _take(await _frame(socket), codec, session, send)
    except TimeoutError:
        await send(Rejected("hello_required", f"no hello within {hello_seconds:g} s"))
        await socket.close(_POLICY)
        return
    while True:
        await _take(await _frame(socket), codec, session, send)


async def _frame(socket: WebSocket) -> Frame:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    text = message.get("text")
    frame: Frame = text if text is not None else message["bytes"]
    return frame


async def _take(frame: Frame, codec: Codec, session: Session, send: Send) -> None:
    for item in codec.decode(frame):
        match item:
            case Welcome() | Pong() | Rejected():
                await send(item)
            case _:
                await session.handle(item)
