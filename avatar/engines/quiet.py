"""How loud sound is at most: where nobody can have spoken, no recogniser need be asked."""

from typing import TYPE_CHECKING

import numpy as np

from avatar.hearing import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

SILENT = -58.0
"""dB re full scale of the loudest 20 ms, from which there can be something to understand."""
STEP = RATE // 50


def levels(samples: "NDArray[np.int16]") -> "NDArray[np.float64]":
    """dB re full scale of each whole 20 ms, a microphone's offset left out."""
    steps = samples[: len(samples) - len(samples) % STEP].astype(np.float32).reshape(-1, STEP) / 32768
    found: NDArray[np.float64] = 10 * np.log10(np.maximum(steps.var(axis=1, dtype=np.float64), 1e-12))
    return found


class Quiet:
    """Whether all of a sound was silent, fed piece by piece."""

    def __init__(self) -> None:
        self.lasts = True
        self._rest = b""

    def feed(self, pcm: bytes) -> None:
        if not self.lasts:
            return
        sound = self._rest + pcm
        whole = len(sound) - len(sound) % (2 * STEP)
        self._rest = sound[whole:]
        self.lasts = not whole or silent(np.frombuffer(sound, "<i2", whole // 2))


def silent(samples: "NDArray[np.int16]") -> bool:
    return not len(found := levels(samples)) or float(found.max()) < SILENT
