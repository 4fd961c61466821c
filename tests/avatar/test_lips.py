"""From what a voice yields to the mouth, whatever it tells: never out of order, closed in a pause, never an error."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.lips import Lips
from avatar.motion import Viseme
from avatar.speech import Audio, SpeechPart, WordSpan
from configs.language import Lang

RATE = 24000


def silence(seconds: float) -> Audio:
    return Audio(bytes(2 * round(seconds * RATE)), RATE)


def shown(lips: Lips, parts: list[SpeechPart]) -> list[Viseme]:
    return [viseme for part in parts if (cues := lips.feed(part)) for viseme in cues.visemes]


def test_the_mouth_closes_where_the_text_has_a_mark_and_stays_open_where_it_has_none() -> None:
    found = shown(Lips("en", "Boats, fish and boats"), [WordSpan("Boats", 0.0, 0.5), silence(0.5)])
    assert found[-1] == Viseme(0.5, "sil")
    found = shown(Lips("en", "Boats and fish"), [WordSpan("Boats", 0.0, 0.5), silence(0.5)])
    assert found[-1].shape != "sil"


@pytest.mark.parametrize(("lang", "first", "second"), [("en", "Boats", "fish"), ("zh", "爸爸", "妈妈")])
def test_a_pause_that_no_mark_announced_closes_the_mouth_when_it_is_known(lang: Lang, first: str, second: str) -> None:
    gap = " " if lang == "en" else ""
    start = [WordSpan(first, 0.0, 0.5), silence(0.5)]
    before_a_word = shown(Lips(lang, first + gap + second), [*start, WordSpan(second, 0.9, 1.4), silence(0.9)])
    assert Viseme(0.5, "sil") in before_a_word
    in_silence = shown(Lips(lang, first + gap + second), [*start, silence(0.5)])
    assert in_silence[-1] == Viseme(0.5, "sil")
    joined = shown(Lips(lang, first + gap + second), [*start, WordSpan(second, 0.52, 1.0), silence(0.5)])
    assert Viseme(0.5, "sil") not in joined and joined[-1].shape == "sil"


def test_a_word_longer_than_the_audio_it_came_with_keeps_its_mouth() -> None:
    lips = Lips("en", "Museums open")
    found = shown(lips, [WordSpan("Museums", 0.0, 1.0), silence(0.4), silence(0.4)])
    assert [viseme for viseme in found if viseme.shape == "sil"] == []
    assert shown(lips, [silence(0.4)]) == [Viseme(1.0, "sil")]


def _syllables(count: int) -> Audio:
    """Hiss for 120 ms and an open vowel for 180, `count` times."""
    noise = np.random.default_rng(1).normal(size=RATE * 3 // 25)
    hiss = 1500 * np.diff(noise, prepend=0.0)
    time = np.arange(RATE * 9 // 50) / RATE
    near = [(pitch, np.exp(-(((pitch - 800) / 400) ** 2)) + 0.05) for pitch in range(150, 4000, 150)]
    vowel = 5000 * np.sin(np.pi * time / time[-1]) ** 0.3 * sum(a * np.sin(2 * np.pi * p * time) for p, a in near)
    return Audio(np.tile(np.concatenate([hiss, vowel]), count).clip(-32000, 32000).astype("<i2").tobytes(), RATE)


@pytest.mark.parametrize(("lang", "text", "shape"), [("zh", "沙沙沙沙。", "CH"), ("en", "Saw saw saw saw.", "SS")])
def test_sound_without_times_moves_the_mouth_with_its_syllables(lang: Lang, text: str, shape: str) -> None:
    found = shown(Lips(lang, text), [silence(0.3), _syllables(4), silence(0.6)])

    def at(moment: float) -> str:
        return [viseme.shape for viseme in found if viseme.at <= moment][-1]

    assert at(0.1) == "sil" and at(1.8) == "sil"
    assert [at(0.3 + 0.3 * beat + 0.07) for beat in range(4)] == [shape] * 4
    assert set(at(0.3 + 0.3 * beat + 0.22) for beat in range(4)) <= {"aa", "oh"}


def test_nothing_to_say_falls_back_to_loudness() -> None:
    loud = Audio(np.full(RATE, 9000, "<i2").tobytes(), RATE)
    assert [viseme.shape for viseme in shown(Lips("en", "!?"), [silence(0.2), loud])] == ["sil", "aa"]


TEXTS = st.text(st.sampled_from("今天open the 9:30，。 ,.!?😀馆mp3"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from(["zh", "en"]), st.lists(st.integers(0, 5000), max_size=6), st.integers(0, 9))
def test_any_text_and_any_sound_give_an_ascending_timeline(text: str, lang: Lang, cuts: list[int], seed: int) -> None:
    noise = np.random.default_rng(seed)
    lips, found, seconds = Lips(lang, text), list[Viseme](), 0.0
    for cut in cuts:
        seconds += cut / 16000
        found += shown(lips, [Audio(noise.integers(-9999, 9999, cut).astype("<i2").tobytes(), 16000)])
    assert all(earlier.at <= later.at for earlier, later in pairwise(found))
    assert all(0 <= viseme.at <= seconds + 0.026 for viseme in found)
