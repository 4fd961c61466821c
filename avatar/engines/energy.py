"""Speech as what is louder than the room: a noise floor that adapts, no weights; for tests and very small machines."""

import asyncio
import math

import numpy as np
from pydantic import Field

from configs.engines import Options
from configs.home import Home

FRAME = 512
_SECONDS = FRAME / 16000
_AT_ONCE = 256 * FRAME * 2
_SILENCE = -96.0


class EnergyOptions(Options):
    """All in dB. `margin`: over the floor, where speech is as likely as not. `quiet`: re full scale; what is softer is
    never speech. `fall`, `rise`: of the floor, a second, towards a softer and a louder room."""

    margin: float = Field(9.0, gt=0, le=60)
    quiet: float = Field(-48.0, ge=-96, le=0)
    fall: float = Field(60.0, gt=0)
    rise: float = Field(1.5, gt=0)


class Energy:
    """Tells loud from soft, not speech from music: a lasting sound is taken for the room's after some seconds."""

    Options = EnergyOptions

    def __init__(self, options: EnergyOptions, home: Home) -> None:
        self._options = options

    @property
    def frame(self) -> int:
        return FRAME

    def listen(self) -> "Loudness":
        return Loudness(self._options)

    async def warm(self) -> None:
        """Nothing is lazy."""

    async def aclose(self) -> None:
        """Nothing is open."""


class Loudness:
    """One microphone's floor."""

    def __init__(self, options: EnergyOptions) -> None:
        self._options = options
        self._rest = b""
        self._floor = self._start = options.quiet - options.margin

    async def feed(self, pcm: bytes) -> list[float]:
        sound = self._rest + pcm
        whole = len(sound) - len(sound) % (FRAME * 2)
        self._rest = sound[whole:]
        told: list[float] = []
        for start in range(0, whole, _AT_ONCE):
            if start:
                await asyncio.sleep(0)
            told += map(self._likely, levels(sound[start : min(whole, start + _AT_ONCE)]))
        return told

    def reset(self) -> None:
        self._rest, self._floor = b"", self._start

    def _likely(self, level: float) -> float:
        options = self._options
        speed = options.rise if level > self._floor else -options.fall
        floor = self._floor + speed * _SECONDS
        self._floor = min(floor, level) if speed > 0 else max(floor, level, self._start)
        over = min(level - self._floor - options.margin, level - options.quiet)
        return 1 / (1 + math.exp(-max(-40.0, min(40.0, over))))


def levels(pcm: bytes) -> list[float]:
    """Of each frame, dB re a full-scale square wave, without its mean: a microphone's offset is no sound."""
    frames = np.frombuffer(pcm, "<i2").reshape(-1, FRAME).astype(np.float32) / 32768
    power = frames.var(axis=1)
    return [max(_SILENCE, 10 * math.log10(one)) if one > 0 else _SILENCE for one in power.tolist()]
