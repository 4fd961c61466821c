"""What each sound of a language sounds like: nine numbers and their change every 10 ms, as Gaussians of one table.

avatar/acoustics.txt was made from Kokoro's speech and its own phoneme times (`python -m tests.avatar.lip_fit`).
"""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from avatar.durations import kind
from configs.language import Lang

if TYPE_CHECKING:
    from numpy.typing import NDArray

HOP, WINDOW = 0.01, 0.025
"""Seconds."""
_EDGES = (0, 300, 600, 1000, 1600, 2500, 3800, 5500, 8000)
"""Hz: where the bands begin and end; a voice at 16 kHz has them all."""
_CHANGING = [0, 2, 4, 6, 8]
"""Features whose change over 60 ms is a feature, too."""
_REACH = 3
_FAINT = 5.0
"""Loudness of the loud parts of faint speech; those of Kokoro's, 10 to 15 dB louder, are at 6.6 to 8.5."""
FEATURES = len(_EDGES) + len(_CHANGING)


def features(samples: "NDArray[np.float32]", rate: int) -> "NDArray[np.float32]":
    """(frames, 9): how the energy of a frame is spread over eight bands, and its logarithm. Samples from -1 to 1."""
    hop, window = int(rate * HOP), int(rate * WINDOW)
    count = len(samples) // hop
    around = np.concatenate([np.zeros((window - hop) // 2, np.float32), samples, np.zeros(window, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(around, window)[::hop][:count] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    pitch = np.fft.rfftfreq(window, 1 / rate)
    starts = np.searchsorted(pitch, _EDGES)
    bands = np.stack([power[:, a:b].sum(1) for a, b in zip(starts, starts[1:], strict=False)], axis=1)
    scaled = bands * (600 / window) ** 2
    levels = np.log(scaled + 1e-6)
    loudness = np.log(scaled.sum(1) + 1e-5)
    found: NDArray[np.float32] = np.column_stack([levels - levels.mean(1, keepdims=True), loudness]).astype(np.float32)
    return found


def moving(frames: "NDArray[np.float32]", level: float) -> "NDArray[np.float32]":
    """(frames, FEATURES): `frames` with their loudness against `level`, and how they change."""
    against = frames.copy()
    against[:, -1] -= level
    around = np.pad(against, ((_REACH, _REACH), (0, 0)), mode="edge")
    change = (around[2 * _REACH :] - around[: -2 * _REACH])[:, _CHANGING]
    return np.concatenate([against, change], axis=1)


def level(frames: "NDArray[np.float32]") -> float:
    """How loud the loud parts are; of silence, how loud those of faint speech would be."""
    return max(_FAINT, float(np.percentile(frames[:, -1], 95)))


def likelihoods(frames: "NDArray[np.float32]", sounds: list[str], lang: Lang) -> "NDArray[np.float64]":
    """(frames, sounds): the logarithm of how well each frame fits each sound; "" is silence."""
    table = _table(lang)
    known = [table.get(sound) or table[f"kind:{kind(sound)}"] for sound in sounds]
    means = np.array([mean for mean, _ in known])
    spreads = np.array([spread for _, spread in known])
    apart = (frames[:, None, :] - means) / spreads
    fit: NDArray[np.float64] = -0.5 * np.square(apart).sum(2) - np.log(spreads).sum(1)
    return fit


@cache
def _table(lang: Lang) -> "dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]":
    found = {}
    for line in files("avatar").joinpath("acoustics.txt").read_text("utf-8").splitlines():
        match line.split():
            case [language, name, *values] if language == lang:
                numbers = np.array([float(value) for value in values])
                found["" if name == "_" else name] = (numbers[:FEATURES], numbers[FEATURES:])
    return found
