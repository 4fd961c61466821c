"""The two languages Zhubo speaks, and how to tell which one a text is in."""

import re
from typing import Literal, get_args

Lang = Literal["zh", "en"]
LANGUAGES: tuple[Lang, ...] = get_args(Lang)

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_KANA_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")
_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]+|(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]+")
_LETTER = re.compile(r"[^\W\d_]")


def detect(text: str) -> Lang | None:
    """The language of `text`; None where it has no letters, or letters of neither language.

    One Han character weighs as much as one Latin word, so "打开 Settings 页面" is Chinese and
    "What does 你好 mean?" is English. An address beside words is of no language.
    """
    words_alone = _ADDRESS.sub(" ", text)
    text = words_alone if _LETTER.search(words_alone) else text
    if _KANA_HANGUL.search(text):
        return None
    han, words = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text))
    letters = len(_LETTER.findall(text))
    latin = sum(len(word) for word in _LATIN_WORD.findall(text))
    if letters == 0 or (han + latin) * 2 < letters:
        return None
    return "zh" if han >= words else "en"
