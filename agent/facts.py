"""Figures and names in a text, in one spelling each, so that "10点半" is found in "10:30" and "twelve" in "12"."""

import re
import unicodedata
from collections.abc import Iterator

from configs.characters import simplified
from configs.numerals import BELOW_HUNDRED, HAN_DIGITS, HAN_UNITS

_WORDS = BELOW_HUNDRED | {"noon": 12, "midnight": 0, "hundred": 100, "thousand": 1000, "million": 1_000_000}

_CLOCK = re.compile(
    r"(?P<early>凌晨|早上|上午)?(?P<late>中午|下午|傍晚|晚上)?\s{0,3}"
    r"(?P<hour>[0-9]{1,2}|[一二三四五六七八九十两]{1,3})\s{0,3}"
    r"(?:[:：](?P<minute>[0-9]{2})|(?:[点时](?![间候段])钟?(?:(?P<half>半)|(?P<quarter>[一三]刻)|(?P<spelt>[0-9]{1,2}|[一二三四五]?十?[一二三四五六七八九]?)分?)?)"
    r"|\s{0,3}o'clock)"
    r"(?:\s{0,3}(?:(?P<am>a\.?m\b)|(?P<pm>p\.?m\b)))?"
    r"|\b(?P<bare>[0-9]{1,2})\s{0,3}(?:(?P<bam>a\.?m\b)|(?P<bpm>p\.?m\b))"
)
_NUMBER = re.compile(r"[0-9]+(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|[零〇一二两三四五六七八九十百千万亿]+")
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)?")
_NAME = re.compile(r"[A-Za-z][A-Za-z'’-]*[A-Za-z]|[A-Z]")

Figure = frozenset[str]


_OLDEST = 150
_SPOKEN = re.compile(r"\b(half|quarter) (past|to) ([a-z]+|[0-9]{1,2})\b", re.IGNORECASE)
_RANGES = (
    re.compile(
        r"([0-9]+)\s*岁?\s*(?:至|到|-|–|~|—|to|and|through)\s*([0-9]+)\s*(?:周?岁|(?:years?|ages?)\b)"
        r"|\b(?:ages?|aged|between) ([0-9]+) (?:to|and|-) ([0-9]+)"
    ),
    re.compile(
        r"([0-9]+)\s*(?:周?岁及?以上|周?岁或以上|or over|and over|or older|and above)"
        r"|\b(?:over|above|older than) ([0-9]+)|(?:满|超过)\s*([0-9]+)\s*周?岁"
    ),
    re.compile(r"([0-9]+)\s*周?岁(?:及?以下|以内)|\b(?:under|below|younger than) ([0-9]+)"),
)
"""Ages from one to another, from one on, and up to one."""

_AGE = re.compile(
    r"(?P<years>[0-9]{1,3}|[一二两三四五六七八九十]{1,3})\s*(?:周?岁|years? old|-year-old)"
    r"|\b(?:aged?|is|am|turned) (?P<aged>[0-9]{1,3})\b|(?P<word>[a-z]+)[- ]years?[- ]old"
)


def written(text: str) -> str:
    """ "Half past one" as 1:30."""
    return _SPOKEN.sub(_clock, text)


def age(text: str) -> int | None:
    """The age of somebody that a question tells: "我爸爸 72 岁", "my two-year-old"."""
    folded = _folded(text)
    for match in _AGE.finditer(folded):
        if word := match["word"]:
            if word in _WORDS:
                return _WORDS[word]
            continue
        return _value(match["years"] or match["aged"])
    return None


def ages(text: str) -> list[tuple[int, int]]:
    """The ranges of ages a text speaks of, both ends included."""
    folded = _folded(text)
    between, above, below = (
        [tuple(int(number) for number in match.groups() if number) for match in pattern.finditer(folded)]
        for pattern in _RANGES
    )
    pairs = [(low, high) for low, high in between]
    return pairs + [(low, _OLDEST) for (low,) in above] + [(0, high - 1) for (high,) in below]


def figures(text: str) -> list[Figure]:
    """Each figure of `text` as the set of its spellings; a time has both its 12 and its 24 hour spelling."""
    folded = _folded(written(text))
    rest: list[str] = []
    found: list[Figure] = []
    start = 0
    for match in _CLOCK.finditer(folded):
        found.append(_time(match))
        rest.append(folded[start : match.start()])
        start = match.end()
    rest.append(folded[start:])
    found.extend(frozenset({number}) for number in _numbers(" ".join(rest)))
    return found


def telling(figure: Figure) -> bool:
    """Is it a time, a year or another figure of at least 100, that a text about the same thing must have?"""
    return any(len(spelling) > 2 for spelling in figure)


def without_figures(text: str) -> str:
    """What is left of a text, folded, when its figures are taken out with the words that belong to them."""
    return _NUMBER.sub(" ", _CLOCK.sub(" ", _folded(text)))


def spellings(text: str) -> frozenset[str]:
    """All spellings of all figures of `text`: what a figure elsewhere may be looked up in."""
    every = frozenset().union(*figures(text))
    hours = frozenset(time.removesuffix(":00") for time in every if time.endswith(":00"))
    return every | hours


def names(text: str) -> list[str]:
    """Words in Latin letters that name something: all of them in Chinese, the capitalised ones in English.

    The first word of an English sentence is capitalised anyway and says nothing.
    """
    words = _NAME.findall(text)
    if re.search(r"[\u3400-\u9fff]", text):
        return [word.casefold() for word in words if len(word) > 1]
    return [word.casefold() for word in words[1:] if word[0].isupper() and word not in ("I", "I'm", "I’m")]


def _folded(text: str) -> str:
    return simplified(unicodedata.normalize("NFKC", text).casefold())


def _clock(match: re.Match[str]) -> str:
    """ "half past one" as "1:30"; other words as they are."""
    part, side, name = (group.casefold() for group in match.groups())
    hour = int(name) if name.isdigit() else _WORDS.get(name)
    if hour is None:
        return match[0]
    minute = 30 if part == "half" else 15
    return f"{hour}:{minute:02}" if side == "past" else f"{(hour - 2) % 12 + 1}:{60 - minute}"


def _time(match: re.Match[str]) -> Figure:
    hour = _value(match["hour"] or match["bare"])
    minute = _minute(match)
    late = match["late"] or match["pm"] or match["bpm"]
    if late and hour < 12:
        hour += 12
    twelve = hour - 12 if hour > 12 else hour
    return frozenset({f"{hour}:{minute:02}", f"{twelve}:{minute:02}"})


def _minute(match: re.Match[str]) -> int:
    if match["half"]:
        return 30
    if match["quarter"]:
        return 15 if match["quarter"][0] == "一" else 45
    return _value(match["minute"] or match["spelt"] or "0")


def _numbers(text: str) -> Iterator[str]:
    for digits in _NUMBER.findall(text):
        if digits[0].isdigit():
            plain = digits.replace(",", "")
            yield plain.rstrip("0").rstrip(".") if "." in plain else plain.lstrip("0") or "0"
        elif len(digits) > 1:
            yield str(_value(digits))
    for word in _WORD.findall(text):
        tens, _, ones = word.partition("-")
        if tens in _WORDS and (not ones or ones in _WORDS):
            yield str(_WORDS[tens] + (_WORDS[ones] if ones else 0))


def _value(digits: str) -> int:
    """Of Arabic or Chinese digits: 一百二十 is 120, 二〇二六 is 2026."""
    if digits.isascii():
        return int(digits)
    if not any(char in HAN_UNITS for char in digits):
        return int("".join(str(HAN_DIGITS[char]) for char in digits))
    total = section = digit = 0
    for char in digits:
        if char in HAN_DIGITS:
            digit = HAN_DIGITS[char]
        elif HAN_UNITS[char] >= 10_000:
            total = (total + section + digit) * HAN_UNITS[char]
            section = digit = 0
        else:
            section += (digit or 1) * HAN_UNITS[char]
            digit = 0
    return total + section + digit
