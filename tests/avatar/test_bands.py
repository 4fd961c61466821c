"""Power by bands of frequency, and the sounds of single signs."""

import numpy as np
import pytest

from avatar.bands import Bands
from avatar.reading import read
from configs.language import Lang

EDGES = (100, 500, 1000, 2000, 4000, 8000, 12000)


@pytest.mark.parametrize(("rate", "window"), [(8000, 200), (16_000, 400), (24_000, 600), (48_000, 1200)])
def test_every_band_has_the_power_of_its_frequencies_and_none_above_the_sounds_own(rate: int, window: int) -> None:
    frames = np.random.default_rng(3).standard_normal((4, window)).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * np.hanning(window), axis=1)) ** 2
    pitch = np.fft.rfftfreq(window, 1 / rate)
    pairs = list(zip(EDGES, EDGES[1:], strict=False))
    expected = [power[:, (pitch >= low) & (pitch < high)].sum(1) for low, high in pairs]
    found = Bands(rate, window, EDGES).powers(frames)
    assert np.allclose(found, np.stack(expected, axis=1))
    assert all((found[:, at] == 0).all() for at, (low, _) in enumerate(pairs) if low > rate / 2)


@pytest.mark.parametrize(
    ("sign", "lang", "sounds"),
    [("5", "en", "fIv"), ("5", "zh", "u"), ("&", "en", "ænd"), ("七", "zh", "ʨʰi"), ("七", "en", "ʨʰi")],
)
def test_a_single_sign_is_said_in_the_language_it_stands_in(sign: str, lang: Lang, sounds: str) -> None:
    for _ in range(2):
        assert "".join(read(sign, lang)) == sounds
        read(sign, "zh" if lang == "en" else "en")
