"""Phoneme symbols, and the sounds of written words in both languages by table and rule."""

import re
from collections.abc import Iterator

from avatar.letters import sounded, spelt
from avatar.spoken import spoken
from avatar.syllables import character
from configs.language import Lang

# Marks that colour the sound before them (aspiration, length, nasality, the four tones) or announce the one after.
AFTER = frozenset("ʰʲːˑ̃ᵝ↓→↗↘")
BEFORE = frozenset("ˈˌ")
PAUSES = frozenset(' ;:,.!?—…"()“”')

_WRITTEN = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*|[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")


def sounds(symbols: str) -> Iterator[str]:
    """Single sounds with their marks: "ʨʰi↗" is "ʨʰ", "i↗"; pauses and stress marks are left out."""
    sound = ""
    for symbol in symbols:
        if symbol in AFTER and sound:
            sound += symbol
            continue
        if sound:
            yield sound
        sound = "" if symbol in AFTER or symbol in BEFORE or symbol in PAUSES else symbol
    if sound:
        yield sound


def of(text: str, lang: Lang) -> tuple[str, ...]:
    """The sounds of `text`, numbers included: good enough to move a mouth, not to speak."""
    found: list[str] = []
    for match in _WRITTEN.finditer(spoken(text, lang)):
        word = match[0]
        symbols = latin(word) if word[0].isascii() else character(word)
        found += sounds(symbols)
    return tuple(found)


def latin(word: str) -> str:
    """Phonemes of a Latin word by rule; an acronym or a word without vowels is spelt."""
    acronym = len(word) > 1 and word.isupper() and len(word) <= 5
    return spelt(word) if acronym or not re.search("[aeiouyAEIOUY]", word) else sounded(word)
