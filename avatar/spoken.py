"""Written text as it is read aloud: numbers, times, dates, money, units and signs become words, in both languages."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from avatar import spoken_en, spoken_zh
from configs.language import Lang

_RULES = {"zh": spoken_zh.RULES, "en": spoken_en.RULES}
_START = re.compile(r"[\d$¥€£%‰°℃℉㎡²³½¼¾#№&+=×÷@~～±/−-]|(?<=\w)\.(?=[a-z])")


@dataclass(frozen=True, slots=True)
class Group:
    """A stretch of text as written and as read; they differ where something had to be put into words."""

    written: str
    spoken: str


def spoken(text: str, lang: Lang) -> str:
    """`text` without a digit left in it."""
    return "".join(group.spoken for group in groups(text, lang))


def groups(text: str, lang: Lang) -> Iterator[Group]:
    """`text` in order: plain stretches, and each number or sign with its words. Joined, `written` is `text`."""
    plain = "".join(map(_ascii, text))
    done = at = 0
    while start := _START.search(plain, at):
        at = start.start()
        found = _read(plain, at, lang)
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


def _read(plain: str, at: int, lang: Lang) -> tuple[int, str] | None:
    """Where the expression that starts at `at` ends, and its words; None where nothing is to be read."""
    for pattern, say in _RULES[lang]:
        match = pattern.match(plain, at)
        if match is not None and match.end() > at:
            return match.end(), say(match)
    return None


def _ascii(char: str) -> str:
    """Digits of every script, and full-width letters and signs, as ASCII; one character stays one."""
    if char in "²³":
        return char
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    if "\uff01" <= char <= "\uff5e" and char not in "！（），：；？":
        return chr(ord(char) - 0xFEE0)
    return "¥" if char == "￥" else char


def _apart(words: str, before: str, after: str) -> str:
    """A space where Latin words would otherwise run into their neighbours."""
    head = " " if _latin(before) and _latin(words[:1]) else ""
    return head + words + (" " if _latin(after) and _latin(words[-1:]) else "")


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()
