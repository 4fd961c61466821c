"""A microphone's sound, however it comes, as frames of 16 kHz that are speech or not."""

from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from agent.commands import Microphone
from avatar.hearing import RATE, Detection, Detector, Encoding, Opus

_PIECE = 32_000
"""Bytes looked at in one go: a long upload must not hold up the loop."""
_SOFTEST = -96.0


class Intake(Protocol):
    """Raises ValueError for what is no sound."""

    def feed(self, data: bytes) -> bytes: ...


Intakes = Callable[[Encoding], Intake]


@dataclass(frozen=True, slots=True)
class Frame:
    """`speech`: its probability; `level`: dB re full scale."""

    pcm: bytes
    speech: float
    level: float


class Inlet:
    """One session's microphone. Another encoding is another microphone."""

    def __init__(self, detector: Detector, intakes: Intakes) -> None:
        self.seconds = detector.frame / RATE
        """Of a frame."""
        self._bytes = detector.frame * 2
        self._detection: Detection = detector.listen()
        self._intakes = intakes
        self._encoding: Encoding | None = None
        self._intake: Intake
        self._rest = b""

    async def frames(self, sound: Microphone) -> AsyncGenerator[Frame, None]:
        """Raises ValueError for what is no sound, RecognizerError where the detector fails."""
        if sound.encoding != self._encoding:
            self._intake = self._intakes(sound.encoding)
            self._encoding = sound.encoding
            self.reset()
        for piece in _pieces(sound):
            pcm = self._intake.feed(piece)
            if not pcm:
                continue
            self._rest += pcm
            for probability in await self._detection.feed(pcm):
                frame, self._rest = self._rest[: self._bytes], self._rest[self._bytes :]
                yield Frame(frame, probability, _level(frame))

    def reset(self) -> None:
        """Forget what was heard: a gap."""
        self._detection.reset()
        self._rest = b""


def _pieces(sound: Microphone) -> Iterator[bytes]:
    if isinstance(sound.encoding, Opus):
        yield sound.data
        return
    for start in range(0, len(sound.data), _PIECE):
        yield sound.data[start : start + _PIECE]


def _level(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    power = float(samples.var()) / 32768**2 if samples.size else 0.0
    return max(_SOFTEST, 10 * float(np.log10(power))) if power > 0 else _SOFTEST
