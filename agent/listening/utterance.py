"""What the user says in one go: its sound, and what is understood of it, while it is spoken."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing, suppress

from avatar.hearing import RATE, Expectation, Hearing, Recognition, Recognizer, RecognizerError

log = logging.getLogger(__name__)


class Utterance:
    """`number` counts from 1; `at`: seconds into the microphone's sound. `told` is called when more is understood.

    Whoever pauses may have finished: `finish` asks for all that was said, `go_on` takes it back. `limit`: seconds of
    sound, what is more is not heard; `patience`: seconds that the recogniser may take.
    """

    def __init__(
        self,
        number: int,
        at: float,
        recognizer: Recognizer,
        expectation: Expectation,
        told: Callable[["Utterance"], None],
        *,
        limit: float,
        patience: float,
    ) -> None:
        self.number, self.at = number, at
        self.heard = Recognition("")
        """The latest: all that was said where `settled`."""
        self.error: RecognizerError | None = None
        self.confirmed = False
        """The user has been told of it."""
        self._recognizer, self._expectation, self._told = recognizer, expectation, told
        self._limit, self._patience = int(limit * RATE) * 2, patience
        self._sound = bytearray()
        self._hearing: Hearing | None = None
        self._listening: asyncio.Task[None] | None = None
        self._finishing: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def seconds(self) -> float:
        return len(self._sound) / 2 / RATE

    @property
    def sound(self) -> bytes:
        return bytes(self._sound)

    @property
    def full(self) -> bool:
        return len(self._sound) >= self._limit

    @property
    def settled(self) -> bool:
        """All of the sound is understood, or never will be."""
        return self._finishing is not None and self._finishing.done()

    def feed(self, pcm: bytes) -> None:
        """Sound after `finish` is kept in case the speaker goes on."""
        pcm = pcm[: self._limit - len(self._sound)]
        self._sound += pcm
        if self._finishing is None and pcm:
            self._open().feed(pcm)

    def finish(self) -> None:
        if self._finishing is None and not self._closed:
            self._finishing = asyncio.create_task(self._finish(), name="end of an utterance")

    def go_on(self) -> None:
        """It was a pause: all of the sound is heard anew with what follows."""
        if self._finishing is None:
            return
        self._drop()
        self.error = None
        if self._sound:
            self._open().feed(bytes(self._sound))

    async def done(self) -> Recognition:
        """All that was said. Raises RecognizerError."""
        self.finish()
        if self._finishing is not None:
            await asyncio.wait([self._finishing])
        if self.error is not None:
            raise self.error
        return self.heard

    async def aclose(self) -> None:
        """Nothing of it runs on."""
        self.close()
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)

    def close(self) -> None:
        """What `aclose` waits for."""
        self._closed = True
        self._drop()

    def _open(self) -> Hearing:
        if self._hearing is None:
            self._hearing = self._recognizer.hear(self._expectation)
            self._listening = asyncio.create_task(self._listen(self._hearing), name="partials")
        return self._hearing

    def _drop(self) -> None:
        hearing, tasks = self._hearing, [task for task in (self._listening, self._finishing) if task is not None]
        self._hearing = self._listening = self._finishing = None
        for task in tasks:
            task.cancel()
        if hearing is not None:
            closing = asyncio.create_task(_close(hearing, tasks), name="end of a hearing")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def _listen(self, hearing: Hearing) -> None:
        try:
            async with aclosing(hearing.partials()) as partials:
                async for heard in partials:
                    if self._hearing is not hearing or self._finishing is not None:
                        return
                    if heard.text:
                        self.heard = heard
                        self._told(self)
        except RecognizerError as error:
            log.warning("no partial: %s", error.code)
        except Exception as error:  # noqa: BLE001 - a stranger's recogniser may raise anything; the end will tell
            log.warning("no partial: %s", type(error).__name__)

    async def _finish(self) -> None:
        hearing = self._open()
        try:
            async with asyncio.timeout(self._patience):
                self.heard = await hearing.finish()
        except TimeoutError:
            self.error = RecognizerError("timeout", f"the recogniser took longer than {self._patience:g} s")
        except RecognizerError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - a stranger's recogniser may raise anything
            log.warning("the recogniser broke: %s", type(error).__name__)
            self.error = RecognizerError("failed", type(error).__name__)
        asyncio.get_running_loop().call_soon(self._news, self._finishing)

    def _news(self, finishing: "asyncio.Task[None] | None") -> None:
        """Once `settled` is true of it."""
        if finishing is not None and finishing is self._finishing:
            self._told(self)


async def _close(hearing: Hearing, tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
    with suppress(Exception):
        await hearing.aclose()
