"""How the power of short frames of sound is spread over bands of frequency."""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import fft

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Bands:
    """`window`: samples of a frame. `edges`: Hz where the bands begin and end; one above what `rate` has is empty."""

    def __init__(self, rate: int, window: int, edges: tuple[int, ...]) -> None:
        self._shape = np.hanning(window)
        bins = np.searchsorted(fft.rfftfreq(window, 1 / rate), edges)
        self._end = int(bins[-1])
        self._starts = np.minimum(bins[:-1], self._end)
        self._empty = bins[:-1] >= bins[1:]

    def powers(self, frames: "NDArray[np.floating[Any]]") -> "NDArray[np.float64]":
        """(frames, bands) of (frames, window)."""
        waves = fft.rfft(frames * self._shape)[:, : self._end]
        power = np.zeros((len(waves), self._end + 1))
        np.add(np.square(waves.real), np.square(waves.imag), power[:, : self._end])
        found: NDArray[np.float64] = np.add.reduceat(power, self._starts, 1)
        found[:, self._empty] = 0
        return found


@cache
def bands(rate: int, window: int, edges: tuple[int, ...]) -> Bands:
    return Bands(rate, window, edges)
