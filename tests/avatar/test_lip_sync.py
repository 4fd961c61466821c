"""The figures of docs/voices.md hold: mouth against Kokoro's own phoneme times, with words' times and without."""

import pytest

from avatar import reading
from configs.language import Lang
from tests.avatar.lip_sync import TOLD, Told, figures, held_out


@pytest.mark.packaged
@pytest.mark.parametrize(
    ("lang", "error", "agreement"),
    [("zh", {"words": 27.0, "nothing": 32.0}, {"words": 74.0, "nothing": 58.0}),
     ("en", {"words": 25.0, "nothing": 42.0}, {"words": 76.0, "nothing": 48.0})],
)  # fmt: skip
async def test_lips_keep_time_whatever_the_voice_tells(
    lang: Lang, error: dict[Told, float], agreement: dict[Told, float]
) -> None:
    found = await figures(held_out(lang, 2))
    assert [found[told].frames > 500 for told in TOLD] == [True] * 3
    assert found["phonemes"].mean == 0 and found["phonemes"].agreement == 100
    for told, most in error.items():
        assert found[told].mean < most, f"{lang} {told}: {found[told]}"
    for told, least in agreement.items():
        assert found[told].agreement > least, f"{lang} {told}: {found[told]}"


@pytest.mark.parametrize(
    ("word", "before", "after", "sounds"),
    [
        ("the", "", "museum", "ðə"),
        ("museum", "the", "", "mjuziəm"),
        ("of", "", "", "ʌv"),
        ("USB", "", "", "juɛsbi"),
    ],
)
def test_a_word_is_read_from_the_dictionary(word: str, before: str, after: str, sounds: str) -> None:
    assert "".join(reading.read(word, "en", before, after)) == sounds
    assert "".join(reading.read(word, "zh", before, after)) == sounds


def test_without_the_dictionary_common_words_are_still_read_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "dictionary", lambda: None)
    assert "".join(reading.read("Two", "en")) == "tu"
    assert "".join(reading.read("walk", "zh")) == "wɔk"
    assert "".join(reading.read("banana", "en")).startswith("b")
    assert "".join(reading.read("你好", "zh")) == "nixau"
