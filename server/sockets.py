"""One WebSocket: a reader that never waits for a turn, and a writer. The first that ends, or the session, ends both."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import assert_never

from fastapi import WebSocket, WebSocketDisconnect

from agent.commands import Heard, Microphone
from agent.events import Event, Speech
from agent.session import Session
from avatar.speech import Audio
from server.pacing import Line
from server.protocols.base import (
    Answer,
    Codec,
    Cut,
    Decoded,
    Frame,
    Hello,
    Hold,
    Leave,
    Outgoing,
    Paced,
    Pong,
    Posted,
    Rejected,
    Welcome,
)

_NORMAL = 1000
_POLICY = 1008
_INTERNAL = 1011
_AHEAD = 900.0
"""Seconds of sound that wait here at most, far more than an answer has: what comes after waits in the session, an
interruption too."""
_PIECE = 0.24
"""Seconds of sound that a codec paces in one go: to encode more would hold up the loop."""

log = logging.getLogger(__name__)

Receive = Callable[[Hello], AbstractAsyncContextManager[tuple[Session, Welcome]]]
"""Has a session for a client that has said hello, and tells how it is welcomed."""


async def serve(
    socket: WebSocket,
    codec: Codec,
    receive: Receive,
    hello_seconds: float,
    hello: Hello | None = None,
    *,
    lead: float | None = None,
    idle: float | None = None,
    patience: float | None = None,
) -> None:
    """Serve an accepted socket until it closes. The session is closed with it: nothing runs on for nobody.

    `hello`: what is known of a client whose protocol does not begin with one. `lead`: seconds of sound that a client
    is given in advance; None: its codec paces nothing. `idle`: seconds without a frame either way after which it is
    let go.
    """
    connection = _Connection(socket, codec, lead)
    with suppress(WebSocketDisconnect):
        try:
            async with asyncio.timeout(hello_seconds):
                hello = hello or await connection.hello()
        except TimeoutError:
            await connection.send(
                Rejected(
                    "hello_required", f"no hello within {hello_seconds:g} s / {hello_seconds:g} 秒内没有收到 hello"
                )
            )
            await socket.close(_POLICY)
            return
        async with receive(hello) as (session, welcome):
            await connection.send(welcome)
            await session.open(hello.lang, voice_only=hello.voice_only)
            await connection.converse(session, welcome, idle, patience)


class _Connection:
    def __init__(self, socket: WebSocket, codec: Codec, lead: float | None) -> None:
        self._socket, self._codec, self._paces = socket, codec, lead is not None
        self._sending = asyncio.Lock()
        self._clock = asyncio.get_running_loop().time
        self._line, self._moved = Line(lead or 0.0), asyncio.Condition()
        self._active = self._lively = self._clock()

    async def send(self, event: Event | Answer) -> None:
        await self._post(self._codec.encode(event))

    async def hello(self) -> Hello:
        """What comes before it is answered, and nothing else."""
        while True:
            for item in self._codec.decode(await self._frame()):
                match item:
                    case Hello():
                        return item
                    case Pong() | Rejected():
                        await self.send(item)
                    case Posted(frames):
                        await self._post(frames)
                    case Leave():
                        await self._leave(item)
                    case _:
                        raise TypeError(f"{type(item).__name__} before hello")

    async def converse(
        self, session: Session, welcome: Welcome, idle: float | None = None, patience: float | None = None
    ) -> None:
        tasks = [
            asyncio.create_task(self._read(session, welcome), name="socket reader"),
            asyncio.create_task(self._write(session), name="socket writer"),
            asyncio.create_task(self._play(session), name="socket player"),
            over := asyncio.create_task(self._over(session), name="end of the session"),
        ]
        if idle is not None:
            tasks.append(asyncio.create_task(self._idle(idle), name="idle socket"))
        if patience is not None:
            tasks.append(asyncio.create_task(self._lapse(session, patience), name="idle user"))
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
            event = await session.event()
            self._lively = self._clock()
            for piece in _pieces(event) if self._paces else (event,):
                await self.send(piece)
                await asyncio.sleep(0)
            if self._line.ahead > _AHEAD:
                async with self._moved:
                    await self._moved.wait_for(lambda: self._line.ahead <= _AHEAD)

    async def _play(self, session: Session) -> None:
        """Sends what is paced when it is due, and tells the session what was heard of it."""
        while True:
            await self._due()
            async with self._sending:
                frame = self._line.take(self._clock())
                if frame is not None:
                    await self._put(frame)
            async with self._moved:
                self._moved.notify_all()
            await self._report(session)

    async def _due(self) -> None:
        """What is put to an empty line, or taken from a full one, moves the end of the wait."""
        async with self._moved:
            while not self._line.ready(self._clock()):
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(self._line.due()):
                        await self._moved.wait()

    async def _report(self, session: Session) -> None:
        heard = self._line.heard(self._clock())
        if heard is not None:
            await session.handle(heard)

    async def _over(self, session: Session) -> None:
        await session.over()
        async with self._moved:
            await self._moved.wait_for(lambda: not len(self._line))

    async def _idle(self, seconds: float) -> None:
        while (left := self._active + seconds - self._clock()) > 0:  # noqa: ASYNC110 - every frame moves the end
            await asyncio.sleep(left)
        await self._leave(Leave(_NORMAL, "idle"))

    async def _lapse(self, session: Session, seconds: float) -> None:
        self._lively = self._clock()
        while (left := self._lively + seconds - self._clock()) > 0:
            await asyncio.sleep(left)
            if session.stage.current is not None:
                self._lively = self._clock()
        spent = f"{seconds:g}"
        await self.send(
            Rejected(
                "idle",
                f"nothing was said for {spent} s: connect again to go on / {spent} 秒没有动静，继续对话请重新连接",
            )
        )
        await self._leave(Leave(_NORMAL, "idle"))

    async def _read(self, session: Session, welcome: Welcome) -> None:
        """A client that says hello again may change its wishes; it stays in its session."""
        while True:
            frame = await self._frame()
            await self._report(session)
            for item in self._codec.decode(frame):
                if _does(item):
                    self._lively = self._clock()
                match item:
                    case Hello():
                        await self.send(welcome)
                    case Welcome() | Pong() | Rejected():
                        await self.send(item)
                    case Posted(()):
                        await asyncio.sleep(0)
                    case Posted(frames):
                        await self._post(frames)
                    case Leave():
                        await self._leave(item)
                    case _:
                        await session.handle(item)

    async def _leave(self, leave: Leave) -> None:
        await self._socket.close(leave.code, leave.reason)
        raise WebSocketDisconnect(leave.code)

    async def _post(self, frames: Iterable[Outgoing]) -> None:
        paced = False
        async with self._sending:
            for frame in frames:
                match frame:
                    case str() | bytes():
                        await self._put(frame)
                    case Paced() | Cut() | Hold():
                        self._line.put(frame)
                        paced = True
                    case _:
                        assert_never(frame)
        if paced:
            async with self._moved:
                self._moved.notify_all()

    async def _put(self, frame: Frame) -> None:
        self._active = self._clock()
        await (self._socket.send_text(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))

    async def _frame(self) -> Frame:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        self._active = self._clock()
        text = message.get("text")
        frame: Frame = text if text is not None else message["bytes"]
        return frame


def _does(item: Decoded) -> bool:
    """Whether somebody wants something: what a client sends by itself is no sign of that, and sound is where the ear
    finds speech in it."""
    match item:
        case Posted(vain=vain):
            return not vain
        case Hello() | Welcome() | Pong() | Rejected() | Leave() | Microphone() | Heard():
            return False
    return True


def _pieces(event: Event) -> Iterator[Event]:
    """Long speech in pieces, with time for others between them."""
    if not isinstance(event, Speech):
        yield event
        return
    audio = event.audio
    step = 2 * round(audio.rate * _PIECE)
    for start in range(0, max(1, len(audio.pcm)), step):
        piece = Audio(audio.pcm[start : start + step], audio.rate)
        yield replace(event, at=event.at + start / 2 / audio.rate, audio=piece)
