"""What Whisper writes where nobody spoke: told from what was said. Pure."""

import re
import zlib
from collections.abc import Sequence

_REPEATED = re.compile(r"(.{1,24}?)\1{4,}", re.DOTALL)
_LETTERS = re.compile(r"[\W_]+")
_ARTICLES = re.compile(r"\b(?:the|an?|and)\b", re.IGNORECASE)
_DENSE = 2.4
"""Characters a compressed byte: Radford et al. 2022, section 4.5."""
_STOCK = (
    *(
        "不吝点赞",
        "明镜与点点",
        "明镜需要您的支持",
        "字幕由",
        "字幕志愿者",
        "中文字幕",
        "谢谢观看",
        "感谢观看",
        "谢谢收看",
    ),
    *("amaraorg", "subtitlesby", "thanksforwatching", "thankyouforwatching", "pleasesubscribe", "likeandsubscribe"),
)
"""Ends of the videos that it was trained on."""


def repeats(text: str) -> bool:
    """Whether the text goes round in circles."""
    packed = text.encode()
    if len(packed) >= 60 and len(packed) / len(zlib.compress(packed)) > _DENSE:
        return True
    return _REPEATED.search(_bare(text)) is not None


def stock(text: str) -> bool:
    """Whether it is the end of a film and not what a visitor says to a presenter."""
    bare = _bare(text)
    return len(bare) < 60 and any(phrase in bare for phrase in _STOCK)


def echoes(text: str, opening: str, words: Sequence[str]) -> bool:
    """Whether it reads the prompt back: its opening, or three and more of its words in their order and nothing else.
    One or two may well have been said."""
    return bool(opening and _bare(opening) in _bare(text)) or named(text, words) >= 3


def named(text: str, words: Sequence[str]) -> int:
    """How many of the words it is made of, in their order, where there is nothing else in it but articles; else 0."""
    bare = _bare(_ARTICLES.sub("", text))
    names, found, at = [name for word in words if (name := _bare(_ARTICLES.sub("", word)))], 0, 0
    while at < len(bare):
        following = next((index for index, name in enumerate(names) if bare.startswith(name, at)), None)
        if following is None:
            return 0
        at += len(names[following])
        names, found = names[following + 1 :], found + 1
    return found


def doubtful(score: float, no_speech: float) -> bool:
    """`score`: mean log probability of the tokens; `no_speech`: the model's own doubt. Both as measured on noise, hum,
    music, clicks and silence, with and without a prompt: Radford et al. demand 0.6 and −1.0."""
    return score < -2.0 or (score < -1.0 and no_speech > 0.3)


def _bare(text: str) -> str:
    return _LETTERS.sub("", text).lower()
