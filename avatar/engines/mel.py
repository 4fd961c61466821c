"""Log-mel spectrograms as Whisper was trained on them (Radford et al. 2022, section 2.2), in numpy."""

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from avatar.hearing import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW, HOP = 400, 160
"""Samples: 25 ms every 10 ms."""
_FLOOR = 1e-10


def log_mel(samples: "NDArray[np.float32]", frames: int, bands: int = 80) -> "NDArray[np.float32]":
    """[bands, frames] of sound within ±1, silence after its end. The loudest point and 8 decades below are told
    apart."""
    sound = np.zeros(frames * HOP, np.float32)
    sound[: min(len(samples), len(sound))] = samples[: len(sound)]
    padded = np.pad(sound, WINDOW // 2, mode="reflect")
    # beyond the sound there is nothing but silence: its spectrum need not be computed
    heard = min(frames, -(-len(samples) // HOP) + 2)
    cut = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: heard * HOP : HOP]
    spectrum = np.fft.rfft(cut * _hann(), axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    mel = np.full((bands, frames), np.log10(_FLOOR), np.float32)
    mel[:, :heard] = np.log10(np.maximum(_filters(bands) @ power.T, _FLOOR))
    scaled: NDArray[np.float32] = (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0
    return scaled


@cache
def _hann() -> "NDArray[np.float32]":
    wave: NDArray[np.float32] = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
    return wave


@cache
def _filters(bands: int) -> "NDArray[np.float32]":
    """[bands, WINDOW // 2 + 1] triangles of equal area, even on Slaney's mel scale (Auditory Toolbox, 1998)."""
    step, bend = 200 / 3, 1000.0
    slope = np.log(6.4) / 27
    top = bend / step + np.log(RATE / 2 / bend) / slope
    mels = np.linspace(0.0, top, bands + 2)
    edges = np.where(mels < bend / step, mels * step, bend * np.exp(slope * (mels - bend / step)))
    bins = np.linspace(0.0, RATE / 2, WINDOW // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]
    filters: NDArray[np.float32] = triangles.astype(np.float32)
    return filters
