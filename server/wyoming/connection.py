"""One client: what it asks is done in its order, one thing at a time, and nothing is left running when it goes."""

import asyncio
import logging
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from agent.completion import completed
from server.protocols.wyoming import (
    Ask,
    AudioChunk,
    AudioStart,
    AudioStop,
    Broken,
    Describe,
    Format,
    Manner,
    Parser,
    Ping,
    Request,
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    Transcribe,
    Unfit,
    answers,
    request,
    streams,
)
from server.wyoming.failure import Failure, Gone
from server.wyoming.hearing import Hearing
from server.wyoming.provider import Provider
from server.wyoming.reading import Reading
from server.wyoming.wire import Wire

log = logging.getLogger(__name__)

_WAITING = 4
"""Requests that wait; a client that sends more waits."""
_LEAST = 0.02
_ORDER = "the order is synthesize-start, synthesize-chunk, synthesize-stop / 顺序须为 start、chunk、stop"
_INTERNAL = Failure("internal", "something broke here, try again / 服务器出了故障，请重试")


class Connection:
    def __init__(self, wire: Wire, provider: Provider) -> None:
        self._wire, self._provider = wire, provider
        self._requests: asyncio.Queue[tuple[Request, bool]] = asyncio.Queue(maxsize=_WAITING)
        self._own = wire.host, secrets.token_hex(8)
        """The conversation of who does not name one."""
        self._tasks: asyncio.TaskGroup
        self._working = False
        self._asked: Transcribe | None = None
        self._hearing: Hearing | None = None
        self._reading: Reading | None = None
        self._places = ExitStack()
        """The places among those who are served that this connection holds."""

    async def run(self) -> None:
        """Until the client goes, or something ends it, which it is told."""
        failure: Failure | None = None
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._read(), name="wyoming reader")
                self._tasks.create_task(self._work(), name="wyoming worker")
                self._tasks.create_task(self._watch(), name="wyoming idleness")
        except* (Gone, OSError):
            pass
        except* Failure as group:
            failure = next(_failures(group))
        except* Exception as group:  # noqa: BLE001 - a connection ends here, whatever went wrong in it
            log.error("a Wyoming connection failed", exc_info=group)
            failure = _INTERNAL
        finally:
            await completed(self._hush, partial(self._provider.leave, self._own))
            self._places.close()
        if failure is not None:
            log.info("a Wyoming client was told: %s", failure.code)
            await self._wire.part(answers.error(failure.code, failure.message))

    async def _read(self) -> None:
        """What can be answered at once is, whatever else is under way."""
        parser = Parser()
        while data := await self._wire.read():
            for frame in parser.feed(data):
                if isinstance(frame, Broken):
                    raise Failure(frame.code, frame.message)
                match request(frame):
                    case None:
                        pass
                    case Describe():
                        await self._wire.send(answers.info(self._provider.offer()))
                    case Ping(text):
                        await self._wire.send(answers.pong(text))
                    case Unfit(code, message):
                        raise Failure(code, message)
                    case asked:
                        await self._requests.put((asked, streams(frame.version)))
        raise Gone

    async def _watch(self) -> None:
        """Nobody is idle who waits for us."""
        patience = self._provider.settings.idle
        while (left := patience - self._wire.still) > 0:  # noqa: ASYNC110 - every byte moves the end
            await asyncio.sleep(max(left, _LEAST))
            if self._working and not self._wire.stuck:
                self._wire.touch()
        raise Failure("idle", f"nothing happened for {patience:g} s / 连接空闲超过 {patience:g} 秒")

    async def _work(self) -> None:
        while True:
            asked, pieces = await self._requests.get()
            self._working = True
            try:
                await self._do(asked, pieces)
            finally:
                self._working = False

    async def _do(self, asked: Request, pieces: bool) -> None:
        match asked:
            case Transcribe() | AudioStart() | AudioChunk() | AudioStop():
                await self._hear(asked, pieces)
            case Synthesize() | SynthesizeStart() | SynthesizeChunk() | SynthesizeStop():
                await self._speak(asked)
            case Ask(conversation=conversation):
                owner = (self._wire.host, conversation) if conversation else self._own
                await self._provider.answer(asked, owner, self._wire.send, pieces=pieces)
            case Describe() | Ping():
                pass

    async def _hear(self, asked: Transcribe | AudioStart | AudioChunk | AudioStop, pieces: bool) -> None:
        match asked:
            case Transcribe():
                await self._hush()
                self._asked = asked
            case AudioStart(form):
                await self._hush()
                self._hearing = self._ear(form, pieces)
            case AudioChunk(form, pcm):
                if self._hearing is None:
                    self._hearing = self._ear(form, pieces)
                if form != self._hearing.form:
                    raise Failure("bad_audio", "the format changed in mid-stream / 音频格式中途改变")
                await self._hearing.feed(pcm)
            case AudioStop():
                if self._hearing is None:
                    self._hearing = self._ear(Format(16_000, 1), pieces)
                await self._hearing.stop()
                await self._hush()
                self._asked = None

    def _ear(self, form: Format, pieces: bool) -> Hearing:
        self._places.enter_context(self._provider.admitted())
        return self._provider.hearing(form, self._asked or Transcribe(), self._wire.send, pieces=pieces)

    async def _hush(self) -> None:
        """What is being heard is forgotten."""
        if self._hearing is not None:
            await self._hearing.aclose()  # once more by `run` where the client goes meanwhile
            self._hearing = None
            self._places.close()

    async def _speak(self, asked: Synthesize | SynthesizeStart | SynthesizeChunk | SynthesizeStop) -> None:
        reading = self._reading
        match asked:
            case Synthesize() if reading is not None:
                pass  # the whole text again, for servers that do not take it in pieces
            case Synthesize(text, manner):
                with self._provider.admitted():
                    reading = self._provider.reading(manner, self._wire.send)
                    await reading.put(text)
                    await reading.finish()
                    await reading.run()
            case SynthesizeStart(manner) if reading is None:
                self._reading = self._voice(manner)
            case SynthesizeChunk(text) if reading is not None:
                await reading.put(text)
            case SynthesizeStop() if reading is not None:
                await reading.finish()
                await reading.ended()
                self._reading = None
                await self._wire.send(answers.synthesize_stopped())
            case _:
                raise Failure("out_of_order", _ORDER)

    def _voice(self, manner: Manner) -> Reading:
        with self._provider.admitted():
            reading = self._provider.reading(manner, self._wire.send)
        self._tasks.create_task(self._read_aloud(reading), name="wyoming voice")
        return reading

    async def _read_aloud(self, reading: Reading) -> None:
        with self._provider.admitted():
            await reading.run()


def _failures(group: BaseExceptionGroup[Failure]) -> Iterator[Failure]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _failures(error)
        else:
            yield error
