"""Han characters to phonemes with their tones: words by jieba, readings by pypinyin, symbols by misaki.

The tones are those of the dictionary: Kokoro's voices were trained on these and make the sandhi themselves (the pitch
of 你 in "ni↓xau↓" runs as in "ni↗xau↓", and falls in "ni↓ʂwo→").
"""

import logging
from collections.abc import Iterator
from functools import cache
from pathlib import Path


class Mandarin:
    """`cache` is a folder of our own for jieba's parsed dictionary, which spares a second on the next start."""

    def __init__(self, cache: Path) -> None:
        import jieba

        jieba.setLogLevel(logging.WARNING)
        cache.mkdir(parents=True, exist_ok=True)
        self._tokenizer = jieba.Tokenizer()
        self._tokenizer.tmp_dir = str(cache)
        self._tokenizer.initialize()

    def words(self, run: str) -> list[list[tuple[str, str]]]:
        """The words of a run of Han characters, each as (character, phonemes) pairs; "" for an unknown character."""
        return [[(char, _symbols(reading)) for char, reading in _readings(word)] for word in self._tokenizer.lcut(run)]


def _readings(word: str) -> Iterator[tuple[str, str]]:
    """Each character with its reading in this word."""
    from pypinyin import Style, lazy_pinyin

    def read(text: str) -> list[str]:
        return lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True)

    readings = read(word)
    if len(readings) != len(word):
        readings = [read(char)[0] for char in word]
    return zip(word, readings, strict=True)


@cache
def _symbols(reading: str) -> str:
    """ "ni3" is "ni↓"; a character that has no reading stands for itself in pypinyin's answer, and has no sound."""
    from misaki.zh import ZHG2P

    known = reading[:1].isascii() or reading[0] == "ê"
    return ZHG2P.py2ipa(reading).replace("\u032f", "") if known else ""
