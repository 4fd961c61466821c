"""Mouth shapes: the whole alphabet is known, and what is shown is a tidy timeline on the sound's own clock."""

from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.engines.clauses import VOCABULARY
from avatar.motion import Viseme
from avatar.phonemes import AFTER, BEFORE, PAUSES, of
from avatar.speech import Audio, PhonemeSpan, WordSpan
from avatar.visemes import SHORTEST, from_loudness, from_phonemes, from_words, shapes
from configs.language import Lang


@pytest.mark.parametrize("symbol", VOCABULARY)
def test_every_symbol_of_kokoro_has_a_shape_or_is_a_pause_or_a_mark(symbol: str) -> None:
    silent = symbol in AFTER | BEFORE | PAUSES
    assert (shapes(symbol) == ()) is silent
    assert sum(share for _, share, _ in shapes(symbol)) == pytest.approx(0 if silent else 1)


@pytest.mark.parametrize(
    ("phoneme", "expected"),
    [
        ("p", ["PP"]),
        ("f", ["FF"]),
        ("θ", ["TH"]),
        ("tʰ", ["DD"]),
        ("ŋ", ["kk"]),
        ("ꭧʰ", ["CH"]),
        ("s", ["SS"]),
        ("l", ["nn"]),
        ("ɻ", ["RR"]),
        ("a↘", ["aa"]),
        ("ɛ", ["E"]),
        ("i↗", ["ih"]),
        ("ɔ", ["oh"]),
        ("u→", ["ou"]),
        ("A", ["E", "ih"]),
        ("I", ["aa", "ih"]),
        ("O", ["oh", "ou"]),
        ("W", ["aa", "ou"]),
        ("Y", ["oh", "ih"]),
        ("ˈ", []),
        ("", []),
    ],
)
def test_sounds_of_both_languages(phoneme: str, expected: list[str]) -> None:
    assert [shape for shape, _, _ in shapes(phoneme)] == expected


def test_a_sentence_on_its_own_clock() -> None:
    spans = [("", 0.0, 0.1), ("m", 0.1, 0.2), ("I", 0.2, 0.4), ("", 0.4, 0.45), ("p", 0.45, 0.5), ("", 0.5, 0.8)]
    found = from_phonemes(PhonemeSpan(*span) for span in spans)
    assert [(viseme.shape, round(viseme.at, 3)) for viseme in found] == [
        ("sil", 0.0),
        ("PP", 0.1),
        ("aa", 0.2),
        ("ih", 0.32),
        ("PP", 0.45),
        ("sil", 0.5),
    ]


def test_no_flicker_but_lips_that_close_are_seen() -> None:
    spans = [("a", 0.0, 0.1), ("l", 0.1, 0.11), ("o", 0.11, 0.2), ("p", 0.2, 0.21), ("a", 0.21, 0.3)]
    found = from_phonemes(PhonemeSpan(*span) for span in spans)
    assert [viseme.shape for viseme in found] == ["aa", "oh", "PP", "aa", "sil"]
    assert found[1].at == 0.1 and found[3].at == 0.2 + SHORTEST


LENGTHS = st.floats(0.001, 0.4)
SYMBOLS = st.sampled_from(["", " ", "←", *VOCABULARY, "au", "tʰ", "a↘"])


@given(st.lists(st.tuples(SYMBOLS, LENGTHS), min_size=1, max_size=40))
def test_any_spans_give_an_ascending_closed_timeline(sounds: list[tuple[str, float]]) -> None:
    at, spans = 0.0, []
    for symbol, length in sounds:
        spans.append(PhonemeSpan(symbol, at, at + length))
        at += length
    found = from_phonemes(spans)
    _tidy(found)
    if any(shapes(span.phoneme) for span in spans):
        assert found[0].at == 0.0
    assert all(viseme.at <= at + SHORTEST for viseme in found)


def _tidy(found: tuple[Viseme, ...]) -> None:
    assert all(later.at - earlier.at >= SHORTEST - 1e-5 for earlier, later in pairwise(found))
    assert all((a.shape, a.weight) != (b.shape, b.weight) for a, b in pairwise(found))
    assert all(0 < viseme.weight <= 1 for viseme in found)
    assert not found or found[-1].shape == "sil"


@pytest.mark.parametrize(
    ("lang", "words", "expected"),
    [
        ("zh", [("爸爸", 0.0, 0.6), ("你", 0.6, 0.9)], ["PP", "aa", "PP", "aa", "nn", "ih", "sil"]),
        ("zh", [("5", 0.2, 0.6)], ["ou", "sil"]),
        (
            "en",
            [("boat", 0.0, 0.5), ("fish", 0.8, 1.3)],
            ["PP", "oh", "ou", "DD", "sil", "FF", "ih", "CH", "sil"],
        ),
    ],
)
def test_words_alone_move_the_mouth(lang: Lang, words: list[tuple[str, float, float]], expected: list[str]) -> None:
    found = from_words([WordSpan(*word) for word in words], lang)
    _tidy(found)
    assert [viseme.shape for viseme in found] == expected
    assert found[0].at == words[0][1] and found[-1].at == pytest.approx(words[-1][2])


def test_words_end_slower_than_they_begin() -> None:
    first, second = (
        from_words([WordSpan("mama", 0.0, 0.8), WordSpan("mama", gap, gap + 0.8)], "en") for gap in (0.8, 2)
    )
    assert first[3].at > second[3].at


@given(st.text(max_size=20), st.sampled_from(["zh", "en"]))
def test_any_word_has_sounds_of_the_alphabet_or_none(text: str, lang: Lang) -> None:
    assert all(set(sound) <= VOCABULARY.keys() for sound in of(text, lang))
    _tidy(from_words([WordSpan(text, 0.0, 1.0)], lang))


def test_loudness_opens_the_mouth() -> None:
    sound = array("h", [0] * 960 + [600] * 960 + [9000] * 960 + [0] * 960)
    found = from_loudness(Audio(sound.tobytes(), 24000), 2.0)
    assert [(viseme.shape, round(viseme.at, 3)) for viseme in found] == [
        ("sil", 2.0),
        ("E", 2.04),
        ("aa", 2.08),
        ("sil", 2.12),
    ]
    assert found[2].weight > found[1].weight
