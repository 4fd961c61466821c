"""Text to Kokoro's alphabet: the real dictionaries, no model."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar.engines.clauses import VOCABULARY
from avatar.engines.english import English
from avatar.engines.pronunciation import Pronunciation
from avatar.syllables import syllable
from configs.language import Lang


@pytest.fixture(scope="module")
def pronunciation(tmp_path_factory: pytest.TempPathFactory) -> Pronunciation:
    return Pronunciation(tmp_path_factory.mktemp("jieba"), "us")


def _symbols(pronunciation: Pronunciation, text: str, lang: Lang) -> str:
    return "".join(sound.phonemes for sound in pronunciation.sounds(text, lang))


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("zh", "你好，欢迎！", "ni↓xau↓, xwa→ni↗ŋ!"),
        ("zh", "银行行长长大了。", "i↗nxa↗ŋxa↗ŋꭧa↓ŋ ꭧa↓ŋta↘ lɤ."),
        ("zh", "下午5点", "ɕja↘u↓ u↓tjɛ↓n"),
        ("zh", "用 USB 接口", "jʊ↘ŋ jˌu ˌɛs bˈi ʨje→kʰou↓"),
        ("zh", "连 Wi-Fi（5G）。", "ljɛ↗n wˈI fˈI, u↓ ʤˈi."),
        ("en", "Hello, the apple!", "həlˈO, ði ˈæpᵊl!"),
        ("en", "A cat closes the door.", "ɐ kˈæt klˈOzᵻz ðə dˈɔɹ."),
        ("en", "你好 is a greeting.", "ni↓xau↓ ɪz ɐ ɡɹˈiɾɪŋ."),
        ("en", "Open at 5:30 pm", "ˈOpᵊn æt fˈIv θˈɜɹɾi pˈi ˈɛm"),
    ],
)
def test_both_languages(pronunciation: Pronunciation, lang: Lang, text: str, expected: str) -> None:
    assert _symbols(pronunciation, text, lang) == expected


@pytest.mark.parametrize(
    ("lang", "text", "written"),
    [
        ("zh", "每天10:00-17:30开放", ["每", "天", "10:00", "-", "17:30", "开", "放"]),
        ("zh", "票价60元，含 Wi-Fi。", ["票", "价", "60", "元", "含", "Wi", "Fi"]),
        ("en", "Tickets cost $60; it's café time.", ["Tickets", "cost", "$60", "it's", "café", "time"]),
    ],
)
def test_each_stretch_knows_what_was_written(
    pronunciation: Pronunciation, lang: Lang, text: str, written: list[str]
) -> None:
    assert [sound.written for sound in pronunciation.sounds(text, lang) if sound.written] == written


@pytest.mark.parametrize("text", ["", "😀！", "…… —", "привет", "ありがとう", "\x00\t"])
def test_nothing_to_say(pronunciation: Pronunciation, text: str) -> None:
    assert pronunciation.sounds(text, "zh") == pronunciation.sounds(text, "en") == []


@settings(max_examples=150, deadline=None)
@given(
    text=st.text(
        st.one_of(st.sampled_from("你好科学馆abcABC'’-–— ,.!?，。《》“”0129:%$\n"), st.characters()), max_size=30
    ),
    lang=st.sampled_from(["zh", "en"]),
)
def test_any_text_is_in_the_models_alphabet(pronunciation: Pronunciation, text: str, lang: Lang) -> None:
    for sound in pronunciation.sounds(text, lang):
        assert sound.phonemes and set(sound.phonemes) <= VOCABULARY.keys()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("tickets", "tˈɪkəts"),
        ("started", "stˈɑɹɾᵻd"),
        ("planetariums", "plˌænətˈɛɹiəmz"),
        ("NASA", "nˈæsə"),
        ("GPU", "ʤˌi pˌi jˈu"),
        ("IT", "ˌI tˈi"),
        ("WebSocket", "wˈɛb sˈɑkət"),
        ("robotlike", "ɹˈObˌɑtlˌIk"),
        ("Xiaoya", "ʃjWjɑ"),
        ("vorpalish", None),
    ],
)
def test_words_no_dictionary_has(pronunciation: Pronunciation, word: str, expected: str | None) -> None:
    sound = pronunciation.english.word(word)
    assert sound == expected if expected else "v" in sound and "p" in sound and "ʃ" in sound


@pytest.mark.parametrize("space", ["\u00a0", "\t", "\u3000", "\u2009"])
def test_a_dash_between_spaces_of_any_kind(pronunciation: Pronunciation, space: str) -> None:
    assert "—" in _symbols(pronunciation, f"馆{space}-{space}hall", "zh")
    assert set(_symbols(pronunciation, f"馆{space}-{space}hall", "en")) <= VOCABULARY.keys()


def test_words_that_depend_on_their_neighbours(pronunciation: Pronunciation) -> None:
    english = pronunciation.english
    assert english.word("close", before="to") != english.word("close", before="very")
    assert english.word("use", before="the") != english.word("use", before="they")
    assert english.word("A", after="cat") != english.word("A")


def test_british_voices_have_their_own_dictionary() -> None:
    assert English("gb").word("bath") != English("us").word("bath")


def test_the_light_table_agrees_with_misaki() -> None:
    from misaki.zh import ZHG2P

    table = Path(__file__).parents[2].joinpath("avatar/syllables.txt").read_text("utf-8").splitlines()
    readings = [line.split()[0] for line in table if not line.startswith(("#", "yo "))]
    plain = str.maketrans("", "", "→\u032f")
    assert len(readings) == 399
    assert [syllable(reading) for reading in readings] == [
        ZHG2P.py2ipa(reading + "1").translate(plain) for reading in readings
    ]
