"""What each sound of a language sounds like: nine numbers and their change every 10 ms, as Gaussians of one table.

avatar/acoustics.txt was made from Kokoro's speech and its own phoneme times (`python -m tests.avatar.lip_fit`).
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from avatar.bands import bands
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
    frames = np.ndarray((count, window), np.float32, around, 0, (hop * around.itemsize, around.itemsize))
    scaled = bands(rate, window, _EDGES).powers(frames) * (600 / window) ** 2
    levels = np.log(scaled + 1e-6)
    found = np.empty((count, len(_EDGES)), np.float32)
    found[:, :-1] = levels - levels.sum(1, keepdims=True) / levels.shape[1]
    found[:, -1] = np.log(scaled.sum(1) + 1e-5)
    return found


def moving(frames: "NDArray[np.float32]", level: float) -> "NDArray[np.float32]":
    """(frames, FEATURES): `frames` with their loudness against `level`, and how they change."""
    count, own = frames.shape
    found = np.empty((count, FEATURES), np.float32)
    found[:, :own] = frames
    found[:, own - 1] -= level
    places, changing = np.arange(count), frames[:, _CHANGING]
    later, before = np.minimum(places + _REACH, count - 1), np.maximum(places - _REACH, 0)
    found[:, own:] = changing[later] - changing[before]
    return found


def level(loudness: "NDArray[np.float32]") -> float:
    """How loud the loud parts are, 95 % being softer; of silence, how loud those of faint speech would be."""
    place = 0.95 * (len(loudness) - 1)
    low = int(place)
    high = min(low + 1, len(loudness) - 1)
    ordered = np.partition(loudness, (low, high))
    return max(_FAINT, float(ordered[low]) + (place - low) * float(ordered[high] - ordered[low]))


class Likelihoods:
    """Of some sounds of a language; "" is silence. Rare ones of a kind share a column."""

    def __init__(self, sounds: Iterable[str], lang: Lang) -> None:
        rows, weights = _table(lang)
        places: dict[int, int] = {}
        self.places = [places.setdefault(_row(rows, sound), len(places)) for sound in sounds]
        """Which column of `of` is each sound's."""
        self._weights = weights[:, list(places)]

    def of(self, frames: "NDArray[np.float32]") -> "NDArray[np.float64]":
        """(frames, columns): the logarithm of how well each frame fits each sound."""
        terms = np.empty((len(frames), 2 * FEATURES + 1))
        terms[:, FEATURES:-1] = frames
        np.square(terms[:, FEATURES:-1], terms[:, :FEATURES])
        terms[:, -1] = 1
        fit: NDArray[np.float64] = terms @ self._weights
        return fit


def _row(rows: dict[str, int], sound: str) -> int:
    found = rows.get(sound)
    return rows[f"kind:{kind(sound)}"] if found is None else found


@cache
def _table(lang: Lang) -> "tuple[dict[str, int], NDArray[np.float64]]":
    """Where each sound stands, and (2 * FEATURES + 1, sounds): what squares, features and 1 count for each of them."""
    rows: dict[str, int] = {}
    numbers: list[list[float]] = []
    for line in files("avatar").joinpath("acoustics.txt").read_text("utf-8").splitlines():
        match line.split():
            case [language, name, *values] if language == lang:
                rows["" if name == "_" else name] = len(rows)
                numbers.append([float(value) for value in values])
    means, spreads = np.hsplit(np.array(numbers), [FEATURES])
    exact = 1 / np.square(spreads)
    alone = -0.5 * (np.square(means) * exact).sum(1) - np.log(spreads).sum(1)
    return rows, np.vstack([-0.5 * exact.T, (means * exact).T, alone])
