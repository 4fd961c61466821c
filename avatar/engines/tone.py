"""A voice without a model: one soft beep a syllable, with exact timings; for tests, benches and plug-in writers."""

import asyncio
import math
import re
from collections.abc import AsyncGenerator, Iterator
from functools import lru_cache

import numpy as np
from pydantic import Field

from avatar.audio import pieces, silence
from avatar.phonemes import of
from avatar.speech import PhonemeSpan, SpeechPart, UnknownVoice, Utterance, WordSpan
from configs.engines import Options
from configs.home import Home
from configs.language import Lang

VOICES = {"low": -40, "middle": 0, "high": 80}
"""By name, in Hz above the pitch that the text alone gives."""

_UNITS = re.compile(r"(?P<word>[A-Za-z0-9]+(?:['’.,:][A-Za-z0-9]+)*%?|[^\W_])|(?P<pause>[,.;:!?，。；：！？、…—])")


class ToneOptions(Options):
    """`seconds_per_unit`: of a Han character or a pair of sounds; `delay`: seconds before the first sound."""

    rate: int = Field(24000, ge=8000, le=48000)
    seconds_per_unit: float = Field(0.16, gt=0, le=2)
    delay: float = Field(0.0, ge=0)


class Tone:
    """Every utterance sounds the same each time: a unit's pitch is made from its text, the voice and the manner."""

    Options = ToneOptions

    def __init__(self, options: ToneOptions, home: Home) -> None:
        self._options = options

    @property
    def rate(self) -> int:
        return self._options.rate

    async def warm(self) -> None:
        """The tables of sounds; the dictionary is not asked."""
        for sample in ("字", "word"):
            await asyncio.to_thread(of, sample, "zh")

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        higher = VOICES.get(utterance.voice or "middle")
        if higher is None:
            raise UnknownVoice(f"no voice {utterance.voice!r}; there are {', '.join(VOICES)}")
        raised = 2 ** (utterance.pitch / 12)
        units = list(_units(utterance))
        if not any(text for text, _ in units):
            return
        if self._options.delay:
            await asyncio.sleep(self._options.delay)
        sound = bytearray()
        for text, spans in units:
            length = max(1.0, len(spans) / 2) if text.isascii() else 1.0
            samples = round(length * self._options.seconds_per_unit * self.rate / utterance.speed)
            for span in self._timed(text, spans, len(sound) // 2, samples):
                yield span
            sound += _beep(self.rate, samples, round((_pitch(text) + higher) * raised)) if text else silence(samples)
        for audio in pieces(bytes(sound), self.rate):
            yield audio

    async def aclose(self) -> None:
        """Nothing is open."""

    def _timed(self, text: str, sounds: tuple[str, ...], start: int, samples: int) -> Iterator[SpeechPart]:
        """The word, and its sounds sharing its samples evenly; one sample is one 1/rate of a second."""
        edges = [start + samples * index // len(sounds) for index in range(len(sounds) + 1)]
        if text:
            yield WordSpan(text, start / self.rate, edges[-1] / self.rate)
        for index, sound in enumerate(sounds):
            yield PhonemeSpan(sound, edges[index] / self.rate, edges[index + 1] / self.rate)


def _units(utterance: Utterance) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Words with their sounds, and pauses as the empty word."""
    for match in _UNITS.finditer(utterance.text):
        if match["pause"]:
            yield "", ("",)
        else:
            yield match[0], _sounds(match[0], utterance.lang)


@lru_cache(maxsize=4096)
def _sounds(text: str, lang: Lang) -> tuple[str, ...]:
    return of(text, lang) or ("a",)


def _pitch(text: str) -> int:
    return 160 + 20 * (sum(map(ord, text)) % 8)


@lru_cache(maxsize=256)
def _beep(rate: int, samples: int, pitch: int) -> bytes:
    """A sine that swells and fades, so that neither start nor end clicks."""
    turn = 2 * math.pi * pitch / rate
    swell = math.pi / max(1, samples)
    count = np.arange(samples)
    return bytes(np.rint(9000 * np.sin(swell * count) * np.sin(turn * count)).astype("<i2").data)
