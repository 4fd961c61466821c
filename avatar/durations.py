"""How long the sounds of a word last beside one another: what the word's known time is shared out by.

The weights of avatar/durations.txt were fitted to Kokoro's own durations (`python -m tests.avatar.lip_fit`): the
logarithm of a sound's length is a sum of what the sound itself, its neighbours, its place in the word and an end of
a clause give.
"""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from math import exp

from avatar.phonemes import AFTER
from configs.language import LANGUAGES, Lang

Weights = dict[str, float]

_VOWELS = frozenset("aeiouyAIOQWYɑɐɒæɔəᵊɚɛɜɨɪɯøœʊʌɤᵻ")
_KINDS = {**dict.fromkeys("jwɥ", "G"), **dict.fromkeys("mnŋ", "N"), **dict.fromkeys("lɹɻɾr", "L")}
_KINDS |= {**dict.fromkeys("ptkbdɡʔ", "P"), **dict.fromkeys(_VOWELS, "V")}
_LENGTHENED = 4
"""Sounds before a pause that may be drawn out."""


@lru_cache(maxsize=4096)
def lengths(sounds: tuple[str, ...], lang: Lang, *, final: bool) -> tuple[float, ...]:
    """Seconds, as a voice of usual speed would say these sounds of one word. `final`: a pause follows."""
    weights = _weights()[lang]
    base = weights["base"]
    return tuple(exp(base + sum(weights.get(name, 0.0) for name in traits)) for traits in describe(sounds, final=final))


def describe(sounds: Sequence[str], *, final: bool) -> Iterator[list[str]]:
    """What each sound's length depends on, by the names that it has in the table."""
    bare = ["".join(symbol for symbol in sound if symbol not in AFTER or symbol in "ʰʲ") for sound in sounds]
    kinds = ["^", *map(kind, bare), "$"]
    for index, sound in enumerate(bare):
        before, own, after = kinds[index : index + 3]
        last = "V" not in kinds[index + 2 :]
        traits = [f"sound:{sound}", f"after:{before}{own}", f"before:{own}{after}"]
        if last:
            traits.append(f"last:{own}")
        if final:
            traits.append(f"final:{min(len(bare) - 1 - index, _LENGTHENED)}{own}")
        yield traits


def kind(sound: str) -> str:
    """Vowel, glide, nasal, liquid, plosive, or else fricative; "_" for no sound."""
    return _KINDS.get(sound[0], "F") if sound else "_"


@cache
def _weights() -> dict[Lang, Weights]:
    found: dict[Lang, Weights] = {lang: {} for lang in LANGUAGES}
    for line in files("avatar").joinpath("durations.txt").read_text("utf-8").splitlines():
        match line.split():
            case ["zh" | "en" as lang, name, value]:
                found[lang][name] = float(value)
    return found
