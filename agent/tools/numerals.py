"""Numbers as they are written and said in both languages: 3.14, 1,000, 三点一四, 一百二十, 3万, twenty-five. No I/O."""

import re
from fractions import Fraction

from configs.numerals import BELOW_HUNDRED, HAN_DIGITS, HAN_UNITS

_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}

FIGURES = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]{1,20})(?:\.[0-9]{1,20})?"
HAN = "[零〇一二两三四五六七八九十百千万亿]{1,20}(?:点[零〇一二三四五六七八九]{1,20})?"
WORDS = r"(?:(?:" + "|".join((*BELOW_HUNDRED, *_SCALES)) + r"|a(?= (?:hundred|thousand|million|billion)\b))\b"
WORDS = WORDS + r"(?:(?: +|-)(?:and )?(?=[a-z])(?=(?:" + "|".join((*BELOW_HUNDRED, *_SCALES)) + r")\b))?)+"
NUMBER = rf"(?:{FIGURES}[十百千万亿]{{0,2}}|{HAN}|{WORDS})"


def value(text: str) -> Fraction | None:
    """What a text that `NUMBER` matched says; None where it says no number: 十百, twenty thirty."""
    figures = re.match(FIGURES, text)
    if figures:
        number = Fraction(figures[0].replace(",", ""))
        for unit in text[figures.end() :]:
            number *= HAN_UNITS[unit]
        return number
    return _han(text) if text[0] in HAN_DIGITS or text[0] in HAN_UNITS else _words(text)


def _han(text: str) -> Fraction | None:
    whole, _, decimals = text.partition("点")
    number = _whole(whole)
    if number is None or not decimals:
        return None if number is None else Fraction(number)
    return Fraction(f"{number}." + "".join(str(HAN_DIGITS[char]) for char in decimals))


def _whole(text: str) -> int | None:
    """一百二十 is 120, 一百二 is 120 too, 二〇二六 is 2026."""
    if not any(char in HAN_UNITS for char in text):
        return int("".join(str(HAN_DIGITS[char]) for char in text))
    total, section, digit, last = 0, 0, None, 0
    for char in text:
        if char in HAN_DIGITS:
            if digit:
                return None
            digit = HAN_DIGITS[char]
            last = 0 if char in "零〇" else last
        elif (unit := HAN_UNITS[char]) >= 10_000:
            section += digit or 0
            total = (total + section) * unit if unit > 10_000 else total + section * unit
            if not total:
                return None
            section, digit, last = 0, None, unit
        else:
            if digit is None and (unit != 10 or (last and last <= 10)):
                return None
            section, digit, last = section + (1 if digit is None else digit) * unit, None, unit
    return total + section + (digit or 0) * (last // 10 if last >= 100 else 1)


def _words(text: str) -> Fraction | None:
    """Two hundred and five; None for two units or two tens side by side."""
    total, section, below = 0, 0, 1000
    for word in re.findall("[a-z]+", text):
        if word == "and":
            continue
        if word == "a":
            section, below = 1, 0
        elif word in BELOW_HUNDRED:
            small = BELOW_HUNDRED[word]
            if small >= below or (small == 0 and below < 1000):
                return None
            section, below = section + small, 10 if small >= 20 else 0
        elif word == "hundred":
            if not 0 < section < 100:
                return None
            section, below = section * 100, 100
        else:
            if not section:
                return None
            total, section, below = total + section * _SCALES[word], 0, 1000
    return Fraction(total + section)
