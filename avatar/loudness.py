"""Loudness as ITU-R BS.1770-5 measures it, and a voice brought to one loudness: a gain per voice, learnt as it speaks.

The gain stands for a whole utterance, so nothing jumps inside a sentence; a limiter keeps the peaks below -1 dBFS.
"""

import math
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from avatar.speech import Audio, SpeechPart, Utterance, Voice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TARGET = -16.0
"""LUFS: what EBU and AES recommend for speech on the web."""
_STEP = 0.1
_BLOCK = 4
"""Steps of 100 ms in a gating block."""
_SILENT, _RELATIVE = -70.0, -10.0
"""LUFS below which a block is none, and LU below the mean of the others from which it does not count."""
_LOUDEST = 10.0
_BIN = 0.1
_LONG = 6000
"""Blocks, ten minutes, from which on what was heard longest ago counts half."""
_MOST, _FIRST = 20.0, 10.0
"""dB of gain at most, up or down; and while a voice is known by its first sound only."""
_KNOWN = 10
"""Blocks from which a voice's loudness is known well enough."""
_PEAK = 10 ** (-1 / 20)
_AHEAD, _RELEASE = 0.005, 0.1
"""Seconds that the limiter looks ahead, and that it takes to let go."""
_VOICES = 64


class Meter:
    """Integrated loudness of mono sound fed in pieces; samples from -1 to 1."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._kernel = _weighting(rate)
        self._tail = np.zeros(len(self._kernel) - 1)
        self._rest = np.zeros(0)
        self._steps: list[float] = []
        self.counts = np.zeros(round((_LOUDEST - _SILENT) / _BIN), np.int64)

    def feed(self, samples: "Floats") -> None:
        weighted = np.concatenate([self._rest, self._weighted(samples)])
        step = round(self._rate * _STEP)
        whole = len(weighted) // step
        self._rest = weighted[whole * step :]
        for power in np.square(weighted[: whole * step]).reshape(whole, step).mean(1):
            self._steps = [*self._steps[1 - _BLOCK :], float(power)]
            if len(self._steps) == _BLOCK:
                self._count(sum(self._steps) / _BLOCK)

    def short(self) -> float:
        """LUFS of the last 400 ms or less, ungated."""
        steps = self._steps or ([float(np.square(self._rest).mean())] if len(self._rest) else [0.0])
        return loudness_of(sum(steps) / len(steps))

    def integrated(self) -> float:
        """LUFS of all that was fed, gated; -inf where nothing was loud enough."""
        return integrated(self.counts)

    def _count(self, power: float) -> None:
        level = loudness_of(power)
        if level >= _SILENT:
            self.counts[min(int((level - _SILENT) / _BIN), len(self.counts) - 1)] += 1

    def _weighted(self, samples: "Floats") -> "Floats":
        """By overlap and add: the tail of the filter goes on into the next piece."""
        if len(samples) == 0:
            return samples
        size = 1 << (len(samples) + len(self._kernel) - 2).bit_length()
        found = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(self._kernel, size), size)
        found = found[: len(samples) + len(self._tail)]
        found[: len(self._tail)] += self._tail
        self._tail = found[len(samples) :]
        weighted: Floats = found[: len(samples)]
        return weighted


def loudness_of(power: float) -> float:
    """LUFS of K-weighted mono sound of this mean square."""
    return -0.691 + 10 * math.log10(power) if power > 0 else -math.inf


def integrated(counts: "NDArray[np.int64]") -> float:
    """LUFS from how many blocks had which loudness."""
    levels = _SILENT + _BIN * (np.arange(len(counts)) + 0.5)
    powers = 10 ** ((levels + 0.691) / 10)
    if not counts.any():
        return -math.inf
    gate = loudness_of(float((counts * powers).sum() / counts.sum())) + _RELATIVE
    heard = counts * (levels > gate)
    return loudness_of(float((heard * powers).sum() / heard.sum()))


class Limiter:
    """Holds peaks at -1 dBFS, as far as 5 ms before them, and lets go within 100 ms. What comes out is 5 ms behind."""

    def __init__(self, rate: int) -> None:
        self._ahead = max(1, round(rate * _AHEAD))
        self._slope = 1 / (rate * _RELEASE)
        self._held = np.zeros(0)
        self._gains: Floats | None = None

    def feed(self, samples: "Floats") -> "Floats":
        return self._limited(np.concatenate([self._held, samples]), 0)

    def flush(self) -> "Floats":
        return self._limited(self._held, self._ahead)

    def _limited(self, samples: "Floats", silent: int) -> "Floats":
        """All but the last 5 ms of `samples`, `silent` samples of nothing behind them."""
        count = len(samples) + silent - self._ahead
        if count <= 0:
            self._held = samples
            return np.zeros(0)
        self._held = samples[count:]
        wanted = np.minimum(1.0, _PEAK / np.maximum(np.abs(samples), 1e-9))
        if wanted.min() == 1.0 and (self._gains is None or self._gains.min() == 1.0):
            self._gains = np.ones(self._ahead)
            return samples[:count]
        wanted = np.concatenate([wanted, np.ones(silent)])
        least = np.lib.stride_tricks.sliding_window_view(wanted, self._ahead + 1).min(1)
        if self._gains is None:
            self._gains = np.full(self._ahead, least[0])
        rising = self._slope * np.arange(1, count + 1)
        least = np.minimum(np.minimum.accumulate(least - rising), self._gains[-1]) + rising
        gains = np.concatenate([self._gains, np.minimum(1.0, least)])
        self._gains = gains[-self._ahead :]
        sums = np.concatenate([[0.0], np.cumsum(gains)])
        means = (sums[self._ahead + 1 :] - sums[: -self._ahead - 1]) / (self._ahead + 1)
        limited: Floats = samples[:count] * means
        return limited


class Levelled:
    """`target`: LUFS that every voice is brought to; None leaves it as it is. The utterance's volume comes on top."""

    def __init__(self, voice: Voice, target: float | None = TARGET) -> None:
        self._voice, self._target = voice, target
        self._known: OrderedDict[tuple[str, str | None], NDArray[np.int64]] = OrderedDict()

    @property
    def rate(self) -> int:
        return self._voice.rate

    async def warm(self) -> None:
        await self._voice.warm()

    async def aclose(self) -> None:
        await self._voice.aclose()

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        plain = replace(utterance, volume=1.0)
        if self._target is None and utterance.volume == 1.0:
            async with aclosing(self._voice.synthesize(plain)) as parts:
                async for part in parts:
                    yield part
            return
        limiter, meter, gain = Limiter(self.rate), Meter(self.rate), self._gain(utterance)
        try:
            async with aclosing(self._voice.synthesize(plain)) as parts:
                async for part in parts:
                    if not isinstance(part, Audio):
                        yield part
                        continue
                    samples = np.frombuffer(part.pcm, "<i2") / 32768
                    meter.feed(samples)
                    if gain is None:
                        gain = self._guessed(meter.short())
                    if sound := _pcm(limiter.feed(samples * gain * utterance.volume)):
                        yield Audio(sound, self.rate)
            if sound := _pcm(limiter.flush()):
                yield Audio(sound, self.rate)
        finally:
            self._learn(utterance, meter)

    def _gain(self, utterance: Utterance) -> float | None:
        """None: the voice has not been heard yet."""
        if self._target is None:
            return 1.0
        counts = self._known.get((utterance.lang, utterance.voice))
        return None if counts is None else _gain(self._target - integrated(counts), _MOST)

    def _guessed(self, short: float) -> float:
        """The very first sound decides for the first utterance; speech that begins softly is not made too loud."""
        assert self._target is not None
        return _gain(self._target - max(short, self._target - _FIRST), _FIRST)

    def _learn(self, utterance: Utterance, meter: Meter) -> None:
        key = utterance.lang, utterance.voice
        known = self._known.pop(key, None)
        counts = meter.counts if known is None else known + meter.counts
        if known is not None or counts.sum() >= _KNOWN:
            self._known[key] = counts // 2 if counts.sum() > _LONG else counts
        while len(self._known) > _VOICES:
            self._known.popitem(last=False)


def _gain(decibels: float, most: float) -> float:
    return math.pow(10, min(max(decibels, -most), most) / 20)


def _pcm(samples: "Floats") -> bytes:
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


@lru_cache(maxsize=8)
def _weighting(rate: int) -> "Floats":
    """The impulse response, 200 ms of it, of the two filters of BS.1770 at any rate: the head's shelf, and a high pass.

    The standard gives coefficients at 48 kHz; these are the analogue filters that they come from, mapped bilinearly.
    """
    shelf, high = math.tan(math.pi * 1681.974450955533 / rate), math.tan(math.pi * 38.13547087602444 / rate)
    top, quality = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    middle = top**0.4996667741545416
    scale = 1 + shelf / quality + shelf * shelf
    lift = [
        (top + middle * shelf / quality + shelf * shelf) / scale,
        2 * (shelf * shelf - top) / scale,
        (top - middle * shelf / quality + shelf * shelf) / scale,
    ]
    drop = [2 * (shelf * shelf - 1) / scale, (1 - shelf / quality + shelf * shelf) / scale]
    quality = 0.5003270373238773
    scale = 1 + high / quality + high * high
    cut = [2 * (high * high - 1) / scale, (1 - high / quality + high * high) / scale]
    impulse = np.zeros(rate // 5)
    impulse[0] = 1.0
    return _filtered(_filtered(impulse, lift, drop), [1.0, -2.0, 1.0], cut)


def _filtered(samples: "Floats", ahead: list[float], back: list[float]) -> "Floats":
    found = np.zeros(len(samples))
    x1 = x2 = y1 = y2 = 0.0
    for index, x in enumerate(samples.tolist()):
        y = ahead[0] * x + ahead[1] * x1 + ahead[2] * x2 - back[0] * y1 - back[1] * y2
        x1, x2, y1, y2 = x, x1, y, y1
        found[index] = y
    return found
