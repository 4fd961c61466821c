"""A FunASR runtime server: streaming Mandarin and English over its WebSocket, corrected at each sentence's end."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from typing import Annotated, Literal

from pydantic import AnyUrl, Field, UrlConstraints
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException
from websockets.typing import Subprotocol

from avatar.engines.funasr_wire import CHUNK, END, Progress, Transcript, beginning
from avatar.engines.quiet import Quiet
from avatar.hearing import RATE, Expectation, Recognition, RecognizerError
from configs.engines import Options
from configs.home import Home
from configs.language import detect

_ANYTHING = Expectation()
_GRACE = 1.0
"""Seconds that a last message is waited for that there may not be."""
_BEFORE = RATE
"""Bytes of silence before the first sound that are sent with it."""
Url = Annotated[AnyUrl, UrlConstraints(allowed_schemes=["ws", "wss"])]


class FunAsrOptions(Options):
    """`url`: e.g. wss://host:10095. `verify`: the server's certificate; its own scripts make one that nobody vouches
    for. `chunks`: look-back, length and look-ahead of the streaming pass, in 60 ms. `itn`: figures for number words.
    `weight`: of a hot word, 1 to 100. `connect`, `timeout`: seconds for the connection, and from the end of the
    utterance to its text. `backlog`: seconds of sound that may wait to be sent."""

    url: Url
    verify: bool = True
    chunks: tuple[int, int, int] = (5, 10, 5)
    itn: bool = True
    weight: int = Field(20, ge=1, le=100)
    connect: float = Field(5.0, gt=0)
    timeout: float = Field(10.0, gt=0)
    backlog: float = Field(60.0, gt=0, le=600)


class FunAsr:
    """One connection an utterance: that is how its server tells them apart."""

    Options = FunAsrOptions

    def __init__(self, options: FunAsrOptions, home: Home) -> None:
        self.options = options
        self.context: ssl.SSLContext | None = None
        if options.url.scheme == "wss":
            self.context = ssl.create_default_context()
            if not options.verify:
                self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self._open: set[FunAsrHearing] = set()

    def hear(self, expectation: Expectation = _ANYTHING) -> "FunAsrHearing":
        hearing = FunAsrHearing(self, expectation)
        self._open.add(hearing)
        return hearing

    def closed(self, hearing: "FunAsrHearing") -> None:
        self._open.discard(hearing)

    async def warm(self) -> None:
        """Nothing is lazy."""

    async def aclose(self) -> None:
        for hearing in list(self._open):
            await hearing.aclose()


class FunAsrHearing:
    """Connects when there is something to hear."""

    def __init__(self, engine: FunAsr, expectation: Expectation) -> None:
        self._engine, self._options, self._expectation = engine, engine.options, expectation
        self._transcript, self._quiet = Transcript(), Quiet()
        self._waiting = bytearray()
        self._state: Literal["open", "ended", "closed"] = "open"
        self._error: RecognizerError | None = None
        self._task: asyncio.Task[None] | None = None
        self._more, self._news = asyncio.Event(), asyncio.Event()

    def feed(self, pcm: bytes) -> None:
        if self._state != "open" or self._error is not None or not pcm:
            return
        self._quiet.feed(pcm)
        self._waiting += pcm
        if self._quiet.lasts:
            del self._waiting[: max(0, len(self._waiting) - _BEFORE) & ~1]
            return
        if len(self._waiting) > 2 * RATE * self._options.backlog:
            self._fail(RecognizerError("overloaded", "FunASR does not take the sound as fast as it comes"))
            return
        self._more.set()
        if self._task is None:
            self._task = asyncio.create_task(self._converse())

    async def partials(self) -> AsyncGenerator[Recognition, None]:
        shown = ""
        while self._state == "open":
            await self._news.wait()
            self._news.clear()
            if self._error is not None:
                raise self._error
            if (text := self._transcript.text) != shown and self._state == "open":
                shown = text
                yield Recognition(text, detect(text))

    async def finish(self) -> Recognition:
        if self._state == "open":
            self._state = "ended"
        self._more.set()
        self._news.set()
        late = False
        try:
            if self._task is not None and self._error is None:
                await asyncio.wait({self._task}, timeout=self._options.timeout)
                late = not self._task.done()
        finally:
            await self.aclose()
        if self._error is not None:
            raise self._error
        text = self._transcript.text
        if late and not text:
            raise RecognizerError("timeout", f"no text from FunASR within {self._options.timeout:g} s")
        return Recognition(text, detect(text))

    async def aclose(self) -> None:
        self._state = "closed"
        self._engine.closed(self)
        self._news.set()
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task})

    def _fail(self, error: RecognizerError) -> None:
        self._error = self._error or error
        self._waiting.clear()
        self._news.set()

    async def _converse(self) -> None:
        options = self._options
        try:
            async with connect(
                str(options.url),
                ssl=self._engine.context,
                subprotocols=[Subprotocol("binary")],
                open_timeout=options.connect,
                close_timeout=0.5,
                ping_interval=None,
                proxy=None,
                max_size=1_000_000,
            ) as socket:
                sending = asyncio.create_task(self._send(socket))
                try:
                    await self._receive(socket)
                finally:
                    sending.cancel()
                    await asyncio.wait({sending})
        except RecognizerError as error:
            self._fail(error)
        except InvalidStatus as error:
            self._fail(RecognizerError("refused", f"FunASR answered {error.response.status_code}"))
        except (OSError, InvalidHandshake, InvalidURI, TimeoutError) as error:
            self._fail(RecognizerError("unreachable", f"FunASR cannot be reached: {error or 'no answer'}"))
        except WebSocketException as error:
            self._fail(RecognizerError("failed", f"FunASR broke off: {error}"))

    async def _send(self, socket: ClientConnection) -> None:
        """A connection that breaks is the receiver's to tell."""
        options = self._options
        try:
            await socket.send(
                beginning(self._expectation, f"zhubo-{id(self):x}", options.chunks, options.itn, options.weight)
            )
            while self._state == "open" or self._waiting:
                await self._more.wait()
                self._more.clear()
                while len(self._waiting) >= CHUNK or (self._waiting and self._state != "open"):
                    chunk = bytes(self._waiting[:CHUNK])
                    del self._waiting[:CHUNK]
                    await socket.send(chunk)
                if self._state != "open":
                    self._more.set()
            await socket.send(END)
        except WebSocketException:
            return

    async def _receive(self, socket: ClientConnection) -> None:
        patience: float | None = None
        while True:
            try:
                async with asyncio.timeout(patience):
                    message = await socket.recv()
            except TimeoutError:
                return
            ended = self._state != "open" and not self._waiting
            progress = self._transcript.feed(message, ended)
            self._news.set()
            if progress is Progress.DONE:
                return
            patience = _GRACE if progress is Progress.PERHAPS or patience is not None else None
