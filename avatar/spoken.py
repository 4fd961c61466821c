"""Written text as it is read aloud: numbers, times, dates, money, units and signs become words, in both languages.

What is only for the eye is not read, and addresses are read shortly (avatar/shaping.py). `written` stays what it was:
captions show that.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from avatar import shaping, spoken_en, spoken_zh
from avatar.shaping import Rule
from configs.language import Lang

_SHAPE: dict[Lang, tuple[Rule, ...]] = {"zh": shaping.rules("zh"), "en": shaping.rules("en")}
_RULES: dict[Lang, tuple[Rule, ...]] = {"zh": _SHAPE["zh"] + spoken_zh.RULES, "en": _SHAPE["en"] + spoken_en.RULES}
_START = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]|(?<![\u3400-\u9fff])[IVX](?=[IVX世期级])|['’](?=\d0['’]?s)"
    r"|[^\w\s,;!?'\"，。；：！？、“”‘’《》]|[.\d\u2070-\u207f¹²³½¼¾\n〇\u2150-\u218f]|[。\s](?=[。\s|(（\n\U0001f000-\U0001faff\u2600-\u27bf])"
    r"|\s(?=[-–—(（\[→*+=×/~])"
)
"""Where an expression may start: a word in Latin letters, a digit, a sign."""


@dataclass(frozen=True, slots=True)
class Group:
    """A stretch of text as written and as read; they differ where something had to be put into words."""

    written: str
    spoken: str


def spoken(text: str, lang: Lang) -> str:
    """`text` without a digit left in it."""
    return "".join(group.spoken for group in groups(text, lang))


def shaped(text: str, lang: Lang) -> str:
    """`text` for a voice that reads numbers by itself: addresses shortened, nothing left that is only for the eye."""
    return "".join(group.spoken for group in _groups(text, lang, _SHAPE[lang])).strip()


def groups(text: str, lang: Lang) -> Iterator[Group]:
    """`text` in order: plain stretches, and each number or sign with its words. Joined, `written` is `text`."""
    return _groups(text, lang, _RULES[lang])


def _groups(text: str, lang: Lang, rules: Sequence[Rule]) -> Iterator[Group]:
    plain = "".join(map(_ascii, text))
    done = at = 0
    while start := _START.search(plain, at):
        at = start.start()
        found = _read(plain, at, rules)
        if found is None:
            at += 1
            continue
        end, words = found
        if done < at:
            yield Group(text[done:at], plain[done:at])
        yield Group(text[at:end], _apart(words, plain[at - 1 : at], plain[end : end + 1]))
        done = at = end
    if done < len(plain):
        yield Group(text[done:], plain[done:])


def _read(plain: str, at: int, rules: Sequence[Rule]) -> tuple[int, str] | None:
    """Where the expression that starts at `at` ends, and its words; None where nothing is to be read."""
    for pattern, say in rules:
        match = pattern.match(plain, at)
        if match is not None and match.end() > at and (words := say(match)) is not None:
            return match.end(), words
    return None


def _ascii(char: str) -> str:
    """Digits of every script, and full-width letters and signs, as ASCII; one character stays one."""
    if char in "⁰¹²³⁴⁵⁶⁷⁸⁹":
        return char
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    if "\uff01" <= char <= "\uff5e" and char not in "！（），：；？":
        return chr(ord(char) - 0xFEE0)
    return {"￥": "¥", "µ": "μ", "\u2011": "-"}.get(char, char)


def _apart(words: str, before: str, after: str) -> str:
    """A space where Latin words would otherwise run into their neighbours."""
    head = " " if _latin(before) and _latin(words[:1]) else ""
    return head + words + (" " if _latin(after) and _latin(words[-1:]) else "")


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()
