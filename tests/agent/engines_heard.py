"""Kokoro, Silero and Whisper as plain functions, off any virtual clock. What Kokoro said is kept beside its weights."""

import asyncio
import hashlib
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.engines.silero import FRAME, Silero, SileroOptions
from avatar.engines.whisper import Whisper, WhisperOptions
from avatar.hearing import Expectation, Recognition
from avatar.resampling import resampled
from avatar.speech import Audio, Utterance
from configs.home import Home, current
from configs.language import Lang

T = TypeVar("T")


class Engines:
    def __init__(self, home: Home) -> None:
        self._folder = home.cache / "tests" / "spoken"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._home = home
        self._kokoro: Kokoro | None = None
        self.silero = Silero(SileroOptions(), home)
        self.whisper = Whisper(WhisperOptions(), home)

    def spoken(self, text: str, lang: Lang, voice: str) -> bytes:
        """16 kHz, without the silence around it."""
        key = hashlib.sha256(f"{lang} {voice} {text}".encode()).hexdigest()[:24]
        path = self._folder / f"{key}.pcm"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_trimmed(self.run(self._speak(Utterance(text, lang, voice=voice)))))
        return path.read_bytes()

    def detected(self, pcm: bytes) -> tuple[list[float], list[float]]:
        frames = np.frombuffer(pcm, "<i2").reshape(-1, FRAME).astype(np.float32)
        levels = [10 * float(np.log10(one / 32768**2 + 1e-10)) for one in frames.var(axis=1)]
        return self.run(self.silero.listen().feed(pcm)), levels

    def understood(self, pcm: bytes) -> str:
        return self.run(self._hear(pcm)).text

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        for engine in (self._kokoro, self.silero, self.whisper):
            if engine is not None:
                self.run(engine.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _speak(self, utterance: Utterance) -> bytes:
        self._kokoro = self._kokoro or Kokoro(KokoroOptions(threads=1), self._home)
        parts = [one async for one in self._kokoro.synthesize(utterance) if isinstance(one, Audio)]
        return resampled(b"".join(one.pcm for one in parts), self._kokoro.rate, 16000)

    async def _hear(self, pcm: bytes) -> Recognition:
        hearing = self.whisper.hear(Expectation())
        try:
            hearing.feed(pcm)
            return await hearing.finish()
        finally:
            await hearing.aclose()


@contextmanager
def engines() -> Iterator[Engines]:
    heard = Engines(current())
    try:
        yield heard
    finally:
        heard.close()


def cached() -> Path:
    return current().cache / "tests" / "spoken"


def _trimmed(pcm: bytes) -> bytes:
    samples = np.frombuffer(pcm, "<i2")
    loud = np.flatnonzero(np.abs(samples.astype(int)) > 400)
    return bytes(samples[max(0, loud[0] - 320) : loud[-1] + 320].tobytes()) if loud.size else pcm
