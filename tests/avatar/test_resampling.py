"""Sound at another rate: nothing is lost, nothing folds back, however it is cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from avatar.resampling import Resampler, resampled

USUAL = (8000, 16000, 22050, 24000, 44100, 48000)
PAIRS = [(source, target) for source in USUAL for target in USUAL if source != target]


def tone(hertz: float, rate: int) -> bytes:
    return np.round(20000 * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)).astype("<i2").tobytes()


def inner(pcm: bytes) -> NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)[400:-400]


def decibels(pcm: bytes) -> float:
    return 20 * float(np.log10(max(float(inner(pcm).std()), 1e-9) / (20000 / 2**0.5)))


@pytest.mark.parametrize("source,target", PAIRS)
def test_what_can_be_kept_is_kept_and_in_its_place(source: int, target: int) -> None:
    hertz = 0.4 * min(source, target)
    made = resampled(tone(hertz, source), source, target)
    assert len(made) == 2 * target
    assert abs(decibels(made)) < 0.05
    wanted = inner(tone(hertz, target))
    assert float(np.abs(inner(made) - wanted).max()) < 80, "60 dB under 20000, phase and all"


@pytest.mark.parametrize("source,target", [pair for pair in PAIRS if pair[0] > pair[1]])
def test_nothing_folds_back(source: int, target: int) -> None:
    for hertz in np.linspace(target / 2, source / 2, 9)[:-1]:
        assert decibels(resampled(tone(hertz, source), source, target)) < -60


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PAIRS), st.integers(0, 2**32 - 1), st.lists(st.integers(0, 3001), max_size=12))
def test_the_cut_makes_no_difference(pair: tuple[int, int], seed: int, cuts: list[int]) -> None:
    pcm = np.random.default_rng(seed).integers(-32768, 32767, sum(cuts), dtype="<i2").tobytes()[: sum(cuts)]
    whole, pieces = Resampler(*pair), Resampler(*pair)
    made, start = b"", 0
    for cut in cuts:
        made += pieces.feed(pcm[start : start + cut])
        start += cut
    once = whole.feed(pcm) + whole.flush()
    assert made + pieces.flush() == once
    assert len(once) // 2 == -(-(len(pcm) // 2) * pair[1] // pair[0])


def test_after_the_flush_another_sound_begins() -> None:
    resampler = Resampler(24000, 16000)
    first = resampler.feed(tone(440, 24000) + b"\1") + resampler.flush()
    assert resampler.feed(tone(440, 24000)) + resampler.flush() == first


def test_full_scale_does_not_wrap_around() -> None:
    square = np.repeat(np.tile(np.array([32767, -32768], "<i2"), 100), 40).tobytes()
    made = np.frombuffer(resampled(square, 8000, 16000), "<i2")
    assert made.max() == 32767 and made.min() == -32768


@pytest.mark.parametrize("rates", [(0, 16000), (16000, -1), (16001, 16000), (192000, 16000)])
def test_an_unknown_rate_is_refused(rates: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="8000"):
        Resampler(*rates)
