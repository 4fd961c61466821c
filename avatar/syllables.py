"""Han characters to phonemes by table: one commonest reading each, without tones; enough to move a mouth.

The symbols are the ones Kokoro's Mandarin voices know.
"""

import re
from functools import cache
from importlib.resources import files

_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ", "h": "x",
    "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
}  # fmt: skip
_FINALS = {
    "a": "a", "ai": "ai", "an": "an", "ang": "aŋ", "ao": "au", "e": "ɤ", "ei": "ei", "en": "ən", "eng": "əŋ",
    "er": "ɚ", "i": "i", "ia": "ja", "ian": "jɛn", "iang": "jaŋ", "iao": "jau", "ie": "je", "in": "in", "ing": "iŋ",
    "iong": "jʊŋ", "iu": "jou", "o": "wo", "ong": "ʊŋ", "ou": "ou", "u": "u", "ua": "wa", "uai": "wai", "uan": "wan",
    "uang": "waŋ", "ueng": "wəŋ", "ue": "ɥe", "ui": "wei", "un": "wən", "uo": "wo", "v": "y", "ve": "ɥe", "ü": "y",
    "üan": "ɥɛn", "ün": "yn", "üe": "ɥe", "io": "jɔ",
}  # fmt: skip
_AS_ENGLISH = {
    "ʨʰ": "ʧ", "ʨ": "ʤ", "ꭧʰ": "ʧ", "ꭧ": "ʤ", "ʦʰ": "ts", "ʦ": "dz", "pʰ": "p", "tʰ": "t", "kʰ": "k", "p": "b",
    "t": "d", "k": "ɡ", "x": "h", "ɕ": "ʃ", "ʂ": "ʃ", "ɻ": "ɹ", "au": "W", "ai": "I", "ei": "A", "ou": "O", "a": "ɑ",
    "e": "ɛ", "o": "ɔ", "ɤ": "ə", "y": "u", "ɥ": "w", "ɨ": "ɜɹ", "ɚ": "ɑɹ",
}  # fmt: skip
_ENGLISH = re.compile("|".join(sorted(_AS_ENGLISH, key=len, reverse=True)))
_WHOLE = {"m": "m", "n": "n", "ng": "ŋ", "hm": "hm", "hng": "hŋ", "o": "ɔ", "ê": "ɛ", "r": "ɚ"}
_ZERO = {
    "yi": "i", "yin": "in", "ying": "ing", "yu": "ü", "yue": "üe", "yuan": "üan", "yun": "ün", "yong": "iong",
    "you": "iu", "wu": "u", "wei": "ui", "wen": "un",
}  # fmt: skip


def syllable(pinyin: str) -> str:
    """Phonemes of one toneless pinyin syllable: `ni` is "ni", `zhi` is "ꭧɨ". KeyError: no such syllable."""
    if pinyin in _WHOLE:
        return _WHOLE[pinyin]
    if pinyin[0] in "yw":
        return _FINALS[_ZERO.get(pinyin) or ("i" if pinyin[0] == "y" else "u") + pinyin[1:]]
    size = 2 if pinyin[:2] in _INITIALS else 1
    initial, final = (pinyin[:size], pinyin[size:]) if pinyin[:size] in _INITIALS else ("", pinyin)
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        return _INITIALS[initial] + "ɨ"
    if initial in ("j", "q", "x") and final[0] == "u":
        final = "ü" + final[1:]
    return _INITIALS.get(initial, "") + _FINALS[final]


@cache
def _groups() -> dict[str, str]:
    """Each syllable's characters."""
    lines = files("avatar").joinpath("syllables.txt").read_text("utf-8").splitlines()
    return {pinyin: characters for pinyin, characters in (line.split() for line in lines if line[0] != "#")}


@cache
def _table() -> dict[str, str]:
    return {han: syllable(pinyin) for pinyin, characters in _groups().items() for han in characters}


def character(han: str) -> str:
    """Phonemes of one Han character; a rare one outside GB 2312 is an open syllable."""
    return _table().get(han, "a")


@cache
def _name() -> re.Pattern[str]:
    one = "|".join(sorted(_groups(), key=len, reverse=True))
    return re.compile(f"({one})({one})({one})?({one})?", re.IGNORECASE)


def romanised(word: str) -> str | None:
    """A Chinese name in Latin letters as an English voice says it: "Xiaoya" is "ʃjWjɑ"; None where it is none."""
    match = _name().fullmatch(word)
    if match is None:
        return None
    sounds = "".join(syllable(part.lower()) for part in match.groups() if part)
    return _ENGLISH.sub(lambda found: _AS_ENGLISH[found[0]], sounds)
