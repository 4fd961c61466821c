"""Whisper as a recogniser: partials by decoding again, within a share of one worker; a final is often ready early."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from avatar.engines.whisper_model import LONGEST, SILENT, WhisperModel
from avatar.engines.whisper_queue import Job, Queue, Rank
from avatar.hearing import RATE, Expectation, Recognition, RecognizerError
from configs.engines import ConfigError, Options, reason
from configs.home import Home
from configs.language import Lang
from configs.weights.manifest import packaged, require

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = "whisper-base"
_ANYTHING = Expectation()
_STEP = RATE // 50
_QUIET = 22.0
"""dB under an utterance's loudest 20 ms, from which it is a pause."""
_PAUSE = RATE // 5
_TAIL = RATE * 3 // 20
"""Samples of a pause after which it is decoded, and that a decoding must have had to stand for the whole."""


class WhisperOptions(Options):
    """`file`: another model's folder in CTranslate2's format. `partials`: seconds of new speech from one to the next, 0
    for none. `share`: of the worker's time that they may take. `queue`: utterances that may wait; one more is an error.
    `longest`: seconds of an utterance; what goes beyond is not heard. `timeout`: seconds until an answer is given up.
    """

    file: Path | None = None
    compute: str = "int8"
    threads: int = Field(default=1, ge=1, le=64)
    partials: float = Field(0.8, ge=0)
    share: float = Field(0.5, gt=0, le=1)
    queue: int = Field(16, ge=1)
    longest: float = Field(300.0, gt=0, le=3600)
    timeout: float = Field(30.0, gt=0)


class Whisper:
    """Simplified Chinese and English."""

    Options = WhisperOptions

    def __init__(self, options: WhisperOptions, home: Home) -> None:
        folder = options.file
        if folder is None:
            paths = [require(home, MODEL, file.path) for file in packaged().model(MODEL).files]
            folder = paths[0].parent
        try:
            self.model = WhisperModel(folder, options.threads, options.compute)
        except ImportError:
            raise
        except Exception as error:  # noqa: BLE001 - tokenizers raises bare Exception
            raise ConfigError(f"{folder} holds no Whisper model: {reason(error)}") from error
        self.options = options
        self.queue = Queue(options.queue, options.share)

    def hear(self, expectation: Expectation = _ANYTHING) -> "WhisperHearing":
        return WhisperHearing(self, expectation)

    async def warm(self) -> None:
        hearing = self.hear(Expectation("zh"))
        hearing.feed(np.random.default_rng(0).integers(-9000, 9000, RATE, np.int16).tobytes())
        await hearing.finish()

    async def aclose(self) -> None:
        await self.queue.aclose()


class WhisperHearing:
    """What was spoken before a pause is decoded while the pause lasts: if nothing follows, that is what was said."""

    def __init__(self, engine: Whisper, expectation: Expectation) -> None:
        self._engine, self._expectation = engine, expectation
        self._sound = bytearray()
        self._most = int(engine.options.longest * RATE)
        self._settled: list[Recognition] = []
        self._start = self._loud = self._measured = 0
        """Samples: where the open piece starts, where the last loud sound ended, how far that is known."""
        self._peak = SILENT
        self._job: Job | None = None
        self._upto = 0
        self._open: tuple[int, Recognition] | None = None
        """How far the open piece was decoded, and as what."""
        self._error: BaseException | None = None
        self._watched = self._ended = False
        self._news = asyncio.Event()

    def feed(self, pcm: bytes) -> None:
        if self._ended:
            return
        self._sound += pcm[: max(0, 2 * self._most - len(self._sound))]
        self._measure()
        if self._watched:
            self._consider()

    async def partials(self) -> AsyncGenerator[Recognition, None]:
        self._watched = self._engine.options.partials > 0
        shown = ""
        self._consider()
        while not self._ended:
            await self._news.wait()
            self._news.clear()
            if self._error is not None:
                raise self._error
            heard = self._heard()
            if heard.text != shown and not self._ended:
                shown = heard.text
                yield heard

    async def finish(self) -> Recognition:
        self._watched = False
        try:
            async with asyncio.timeout(self._engine.options.timeout):
                while self._start < self._samples:
                    await self._settle()
        except TimeoutError as error:
            raise RecognizerError("timeout", "Whisper was too slow") from error
        finally:
            await self.aclose()
        return self._heard()

    async def aclose(self) -> None:
        self._ended = True
        self._drop()
        self._news.set()

    @property
    def _samples(self) -> int:
        return len(self._sound) // 2

    def _heard(self) -> Recognition:
        parts = [*self._settled, *([self._open[1]] if self._open else [])]
        langs = Counter[Lang](part.lang for part in parts if part.lang is not None)
        text = ""
        for part in parts:
            text += (" " if text and part.text and part.lang == "en" else "") + part.text
        return Recognition(text, langs.most_common(1)[0][0] if langs else None)

    def _measure(self) -> None:
        """How loud the new sound is, in whole steps."""
        end = self._samples - self._samples % _STEP
        if end == self._measured:
            return
        sound = self._piece(self._measured, end).astype(np.float32).reshape(-1, _STEP) / 32768
        power = sound.var(axis=1)
        levels = 10 * np.log10(np.maximum(power, 1e-10))
        self._peak = max(self._peak, float(levels.max()))
        loud = np.flatnonzero(levels > max(SILENT, self._peak - _QUIET))
        if len(loud):
            self._loud = self._measured + (int(loud[-1]) + 1) * _STEP
        self._measured = end

    def _piece(self, start: int, end: int) -> "NDArray[np.int16]":
        """A copy: the worker reads it while the sound grows."""
        return np.frombuffer(bytes(memoryview(self._sound)[2 * start : 2 * end]), "<i2")

    def _consider(self) -> None:
        """Whether it is worth decoding now, and in what order of precedence."""
        if self._ended or not self._watched or self._loud <= self._start or (self._job and self._job.running):
            return
        known = self._open[0] if self._open else self._start
        if self._samples - self._start >= LONGEST:
            self._ask(Rank.PAUSE, self._start + cut(self._piece(self._start, self._start + LONGEST)))
        elif self._samples - self._loud >= _PAUSE:
            if known < self._loud + _TAIL and not (self._job and self._upto >= self._loud + _TAIL):
                self._ask(Rank.PAUSE, self._samples)
        elif self._job is None and self._samples - known >= self._engine.options.partials * RATE:
            self._ask(Rank.PARTIAL, self._samples)

    def _ask(self, rank: Rank, end: int) -> None:
        self._drop()
        piece, model, expectation = self._piece(self._start, end), self._engine.model, self._expectation
        try:
            job = self._engine.queue.submit(rank, lambda dropped: model.transcribe(piece, expectation, dropped))
        except RecognizerError:
            if rank is Rank.FINAL:
                raise
            return
        self._job, self._upto = job, end
        job.answer.add_done_callback(lambda answer: self._decoded(job, answer))

    def _drop(self) -> None:
        if self._job is not None:
            self._job.drop()
            self._job = None

    def _decoded(self, job: Job, answer: "asyncio.Future[Recognition]") -> None:
        failed = None if answer.cancelled() else answer.exception()
        if job is not self._job:
            return
        self._job = None
        if failed is not None:
            self._error = failed
        elif not answer.cancelled():
            self._open = self._upto, answer.result()
            if self._upto - self._start < LONGEST and self._samples - self._start >= LONGEST:
                self._close()
        self._news.set()
        self._consider()

    def _close(self) -> None:
        """What is open is settled; the rest is decoded by itself."""
        if self._open is not None:
            self._start = self._open[0]
            self._settled.append(self._open[1])
            self._open = None

    async def _settle(self) -> None:
        """One piece more of the end: what was decoded in the last pause, if only quiet followed, or decoded now."""
        whole = self._samples - self._start <= LONGEST
        covered = self._loud + _TAIL
        if whole and self._loud <= self._start:
            self._start = self._samples
        elif whole and self._open is not None and self._open[0] >= min(covered, self._samples):
            self._open = self._samples, self._open[1]
            self._close()
        else:
            if self._job is None or not whole or self._upto < min(covered, self._samples):
                length = self._samples - self._start
                end = self._samples if whole else self._start + cut(self._piece(self._start, self._start + LONGEST))
                self._ask(Rank.FINAL, min(end, self._start + length))
            await self._answered()
            if not whole:
                self._close()

    async def _answered(self) -> None:
        assert self._job is not None
        answer = self._job.answer
        await asyncio.wait({answer})
        if answer.cancelled():
            raise RecognizerError("failed", "the recogniser is closed")
        answer.result()


def cut(sound: "NDArray[np.int16]") -> int:
    """Where a long piece is best cut: in the middle of the quietest 0.2 s of its last third."""
    window, first = RATE // 5, len(sound) * 2 // 3
    steps = sound[first:].astype(np.float64)
    steps = steps[: len(steps) - len(steps) % _STEP].reshape(-1, _STEP).var(axis=1)
    wide = window // _STEP
    summed = np.convolve(steps, np.ones(wide), "valid")
    return first + int(summed.argmin()) * _STEP + window // 2
