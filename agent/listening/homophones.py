"""Chinese words as they sound, to a recogniser that hears one and writes its like: 听 for 停, 好直到了 for 好知道了."""

import re

from agent.engines.homophones import reading

_HAN = re.compile(r"[\u3400-\u9fff]")
_MERGED = (
    (re.compile(r"^([zcs])h"), r"\1"),
    (re.compile(r"^[nr](?=[aeiouv])"), "l"),
    (re.compile(r"ng$"), "n"),
)
"""What neither accents nor small recognisers keep apart: zh and z, n and l, in and ing."""


def sound(text: str) -> str:
    """Its syllables without tones, a space between them; "" where it is not all Han characters, or none are known."""
    read = reading()
    if read is None or not text or not all(map(_HAN.match, text)):
        return ""
    return " ".join(map(_merged, map(read, text)))


def _merged(syllable: str) -> str:
    for pattern, instead in _MERGED:
        syllable = pattern.sub(instead, syllable)
    return syllable
