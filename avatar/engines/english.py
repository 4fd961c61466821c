"""English words to phonemes: misaki's dictionaries (Apache-2.0), then word parts, acronyms and spelling rules.

kokorog2p downloads its dictionaries when it runs, and gruut needs an LGPL package and speaks another alphabet.
"""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Literal

from avatar.letters import sounded, spelt
from avatar.syllables import romanised

Dialect = Literal["us", "gb"]
Entry = str | dict[str, str | None]

_VOWELS = frozenset("AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ")
_VERB_AFTER = re.compile(
    "to|i|you|we|they|who|will|would|can|could|shall|should|may|must|might|not|don't|please", re.IGNORECASE
)
_NOUN_AFTER = re.compile("a|an|the|this|that|my|your|his|her|its|our|their|of|no|for|in|with", re.IGNORECASE)
_OWN = {"qwen": "kwˈɛn", "wifi": "wˈIfˌI", "zhubo": "ʤˌubˈO", "kokoro": "kˌOkˈɔɹO", "app": "ˈæp", "apps": "ˈæps",
        "wi": "wˈI", "fi": "fˈI"}  # fmt: skip
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class English:
    """`word` knows about 180,000 words of its dialect and guesses the others."""

    def __init__(self, dialect: Dialect) -> None:
        data = files("misaki") / "data"
        self._words: dict[str, Entry] = json.loads((data / f"{dialect}_silver.json").read_text("utf-8"))
        self._words |= json.loads((data / f"{dialect}_gold.json").read_text("utf-8"))
        self._words |= _OWN

    def word(self, word: str, before: str = "", after: str = "") -> str:
        """Phonemes of `word` between its neighbours, which decide how "the" or "close" sound; "" for no letters."""
        word = word.replace("’", "'")
        small = self._small(word, after)
        if small is not None:
            return small
        use = "VERB" if _VERB_AFTER.fullmatch(before) else "NOUN" if _NOUN_AFTER.fullmatch(before) else "DEFAULT"
        return self._known(word, use) or self._guessed(word)

    def _small(self, word: str, after: str) -> str | None:
        """Words whose sound depends on what follows."""
        if word == "A" and not after.islower():
            return None
        lower = word.lower()
        if lower == "a":
            return "ɐ"
        if lower == "an":
            return "ɐn"
        if lower not in ("the", "to"):
            return None
        vowel = bool(after) and self._plain(after).lstrip("ˈˌ")[:1] in _VOWELS
        if lower == "the":
            return "ði" if vowel else "ðə"
        return "tu" if not after else "tʊ" if vowel else "tə"

    def _plain(self, word: str) -> str:
        return self._known(word, "DEFAULT") or self._guessed(word)

    def _known(self, word: str, use: str) -> str | None:
        capitals = word.isupper() and 1 < len(word) <= 2
        for form in (word,) if capitals else (word, word.lower()):
            if found := self._entry(form, use):
                return found
        return None if capitals else self._inflected(word.lower())

    def _entry(self, form: str, use: str) -> str | None:
        """The dictionary's entry; it marks by an empty noun the words that are acronyms in capitals: IT, US."""
        entry = self._words.get(form)
        if isinstance(entry, dict):
            if form.isupper() and "NOUN" in entry and entry["NOUN"] is None:
                return spelt(form)
            return entry.get(use) or entry.get("DEFAULT")
        return entry

    def _inflected(self, word: str) -> str | None:
        for stem, ending in _stems(word):
            sound = self._entry(stem, "DEFAULT" if ending == "'s" else "VERB")
            if sound:
                return _with_ending(sound, ending)
        return None

    def _guessed(self, word: str) -> str:
        parts = _PARTS.findall(word)
        if len(parts) > 1 and "".join(parts) == word and not word.isupper():
            return " ".join(self._plain(part) for part in parts)
        if word.isupper() and len(word) <= 5 or not re.search("[aeiouy]", word.lower()):
            return spelt(word)
        name = romanised(word) if word.istitle() else None
        return name or self._compound(word.lower()) or sounded(word)

    def _compound(self, word: str) -> str | None:
        for cut in range(len(word) - 3, 2, -1):
            head, tail = self._entry(word[:cut], "DEFAULT"), self._entry(word[cut:], "DEFAULT")
            if head and tail:
                return head + tail.replace("ˈ", "ˌ")
        return None


def _stems(word: str) -> Iterator[tuple[str, str]]:
    """What an inflected word may come from, and the ending it has got."""
    if word.endswith("'s"):
        yield word[:-2], "'s"
    elif word.endswith("s"):
        yield word[:-1], "s"
        if word.endswith("es"):
            yield word[:-2], "s"
        if word.endswith("ies"):
            yield word[:-3] + "y", "s"
    for ending in ("ed", "ing"):
        stem = word.removesuffix(ending)
        if len(stem) > 1 and stem != word:
            yield stem, ending
            yield stem + "e", ending
            if stem[-1] == stem[-2]:
                yield stem[:-1], ending
            if stem.endswith("i") and ending == "ed":
                yield stem[:-1] + "y", ending


def _with_ending(sound: str, ending: str) -> str:
    last = sound[-1]
    flap = last == "t" and sound[-2:-1] in _VOWELS
    if ending in ("s", "'s"):
        return sound + ("ᵻz" if last in "szʃʒʧʤ" else "s" if last in "ptkfθ" else "z")
    if ending == "ing":
        return (sound[:-1] + "ɾ" if flap else sound) + "ɪŋ"
    if last in "td":
        return (sound[:-1] + "ɾ" if flap else sound) + "ᵻd"
    return sound + ("t" if last in "pkfθʃsʧ" else "d")
