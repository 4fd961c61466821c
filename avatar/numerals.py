"""Numbers as words, in Mandarin and English. Every argument is a string of ASCII digits."""

import re

_DIGITS = {
    "zh": "零一二三四五六七八九",
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
}
_GROUPS_ZH = ("", "万", "亿", "万亿")
_PLACES_ZH = ("", "十", "百", "千")
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_GROUPS_EN = ("", " thousand", " million", " billion", " trillion")
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_LONGEST = 15


def chinese_digits(digits: str, one: str = "一") -> str:
    """`one` is 幺 in telephone numbers."""
    return "".join(_DIGITS["zh"][int(digit)] for digit in digits).replace("一", one)


def chinese(digits: str) -> str:
    """A cardinal number; one with leading zeros, or too long to be a number, is read digit by digit."""
    if len(digits) > _LONGEST or (digits[0] == "0" and len(digits) > 1):
        return chinese_digits(digits)
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    said = ""
    for index in range(len(groups) - 1, -1, -1):
        value = int(groups[index])
        if value == 0:
            continue
        gap = said and (value < 1000 or int(groups[index + 1]) == 0)
        words = "两" if value == 2 and index else _four(value, bool(said))
        said += ("零" if gap else "") + words + _GROUPS_ZH[index]
    return said or "零"


def _four(value: int, inner: bool) -> str:
    """1 to 9999; two thousand is 两千, and a leading ten is 十 only where the number begins."""
    said = ""
    for place in (3, 2, 1, 0):
        digit = value // 10**place % 10
        if digit == 0:
            continue
        gap = said and value // 10 ** (place + 1) % 10 == 0
        spoken_digit = "两" if digit == 2 and place == 3 else _DIGITS["zh"][digit]
        if digit == 1 and place == 1 and not said and not inner:
            spoken_digit = ""
        said += ("零" if gap else "") + spoken_digit + _PLACES_ZH[place]
    return said


def counted(digits: str) -> str:
    """A number before a measure word: 2 is 两 there."""
    return "两" if digits == "2" else chinese(digits)


def english_digits(digits: str) -> str:
    return " ".join(_DIGITS["en"][int(digit)] for digit in digits)


def english(digits: str) -> str:
    """A cardinal number; one with leading zeros, or too long to be a number, is read digit by digit."""
    if len(digits) > _LONGEST or (digits[0] == "0" and len(digits) > 1):
        return english_digits(digits)
    if int(digits) == 0:
        return "zero"
    said = []
    for index in range((len(digits) - 1) // 3, -1, -1):
        value = int(digits) // 1000**index % 1000
        if value:
            said.append(_three(value) + _GROUPS_EN[index])
    return " ".join(said)


def _three(value: int) -> str:
    hundreds, rest = divmod(value, 100)
    said = [f"{_DIGITS['en'][hundreds]} hundred"] if hundreds else []
    if 10 <= rest < 20:
        said.append(_TEENS[rest - 10])
    elif rest:
        tens, ones = divmod(rest, 10)
        parts = [_TENS[tens - 2]] if tens else []
        said.append("-".join([*parts, _DIGITS["en"][ones]] if ones else parts))
    return " ".join(said)


def ordinal(digits: str) -> str:
    """ "21" is "twenty-first"."""
    words = english(digits)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    head, last = words[:cut], words[cut:]
    return head + _ORDINALS.get(last, last[:-1] + "ieth" if last.endswith("y") else last + "th")


def english_year(digits: str) -> str:
    """Four digits: "1998" is "nineteen ninety-eight", "2005" is "two thousand five"."""
    century, rest = digits[:2], digits[2:]
    if digits[1:3] == "00":
        return english(digits)
    if rest == "00":
        return english(century) + " hundred"
    return f"{english(century)} {'oh ' + english(rest[1]) if rest[0] == '0' else english(rest)}"


def paired(digits: str) -> str:
    """A room, a bus or an aeroplane: 101 is "one oh one", 2405 "twenty-four oh five", 747 "seven forty-seven"."""
    head, rest = digits[:-2], digits[-2:]
    if len(digits) < 3 or digits[1:] == "000":
        return english(digits)
    if len(digits) > 4 or digits[0] == "0":
        return english_digits(digits)
    if rest == "00":
        return english(head) + " hundred"
    return f"{english(head)} {'oh ' + english(rest[1]) if rest[0] == '0' else english(rest)}"


_ROMAN = re.compile(r"(?:X[CL]|L?X{0,3})(?:I[XV]|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def roman(numeral: str) -> int | None:
    """A Roman numeral below a hundred; None for other letters."""
    if not numeral or not _ROMAN.fullmatch(numeral):
        return None
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


def scaled(digits: str, power: int) -> str:
    """The digits of a decimal number times ten to the `power`: ("2.5", 6) is "2500000"."""
    whole, _, fraction = digits.replace(",", "").partition(".")
    moved = fraction.ljust(power, "0")
    return (whole + moved[:power]).lstrip("0") + ("." + moved[power:] if len(moved) > power else "") or "0"


_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


def raised(exponent: str) -> str:
    """The digits of an exponent: "⁻¹²" and "^-12" are "12"."""
    digits = (str(_SUPERSCRIPTS.find(char)) if char in _SUPERSCRIPTS else char for char in exponent)
    return "".join(filter(str.isdecimal, digits))
