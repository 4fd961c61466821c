"""How English reads numbers and signs: patterns in the order they are tried, and what is said."""

import re
from collections.abc import Callable

from avatar.numerals import english, english_digits, english_year, ordinal

Match = re.Match[str]
Rule = tuple[re.Pattern[str], Callable[[Match], str]]

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?(?!\.?\d)"
_CURRENCY = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yuan", "fen")}
_SAME_IN_PLURAL = ("yuan", "fen", "hertz", "kilohertz", "megahertz", "gigahertz")
_UNITS = {
    "km²": "square kilometer", "km/h": "kilometer per hour", "km": "kilometer", "m/s": "meter per second",
    "m²": "square meter", "m³": "cubic meter", "cm": "centimeter", "mm": "millimeter", "nm": "nanometer",
    "kg": "kilogram", "mg": "milligram", "g": "gram", "m": "meter", "mL": "milliliter", "ml": "milliliter",
    "L": "liter", "kWh": "kilowatt hour", "kW": "kilowatt", "W": "watt", "V": "volt", "Hz": "hertz",
    "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte", "°C": "degree Celsius", "℃": "degree Celsius", "°F": "degree Fahrenheit",
    "℉": "degree Fahrenheit", "㎡": "square meter", "°": "degree", "ft": "foot", "lb": "pound", "min": "minute",
    "ms": "millisecond",
}  # fmt: skip
_SIGNS = {
    "&": "and", "+": "plus", "=": "equals", "×": "times", "÷": "divided by", "@": "at", "%": "percent",
    "‰": "per mille", "°": "degrees", "℃": "degrees Celsius", "℉": "degrees Fahrenheit", "㎡": "square meters",
    "²": "squared", "³": "cubed", "½": "one half", "¼": "one quarter", "¾": "three quarters", "№": "number",
    "±": "plus or minus",
}  # fmt: skip
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONTH = re.compile(rf"(?:{'|'.join(_MONTHS)}|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?", re.IGNORECASE)
_AFTER_MONTH = re.compile(rf"{_MONTH.pattern}\s$", re.IGNORECASE)
_TELEPHONE = re.compile(
    r"(?:call|dial|phone|telephone|hotline|ext\.?|extension)(?: is| number| us at| at| on)*:? $", re.IGNORECASE
)


def _number(digits: str) -> str:
    whole, _, fraction = digits.replace(",", "").partition(".")
    return english(whole) + (" point " + english_digits(fraction) if fraction else "")


def _plural(noun: str, digits: str) -> str:
    """The noun as it stands behind a number: the first word of "degree Celsius", the last of "square meter"."""
    if digits == "1" or noun in _SAME_IN_PLURAL:
        return noun
    if " per " in noun or noun.startswith("degree "):
        head, _, rest = noun.partition(" ")
        return f"{head}s {rest}"
    return {"foot": "feet", "penny": "pence"}.get(noun, noun + "s")


def _time(match: Match) -> str:
    hour, minute, half = match["h"], match["m"], match["half"]
    said = english(str(int(hour)))
    if minute != "00":
        said += " oh " + english(minute[1]) if minute[0] == "0" else " " + english(minute)
    elif not half:
        said += " o'clock"
    return said + (f" {half[0].upper()} M" if half else "")


def _date(match: Match) -> str:
    return f"{_MONTHS[int(match['m']) - 1]} {ordinal(str(int(match['d'])))}, {english_year(match['y'])}"


def _telephone(match: Match) -> str:
    said = ", ".join(english_digits(part) for part in re.findall(r"\d+", match[0]))
    return "plus " + said if match[0][0] == "+" else said


def _money(match: Match) -> str:
    unit, small = _CURRENCY[match["c"]]
    amount, scale = match["n"].replace(",", ""), match["scale"]
    if scale:
        return f"{_number(amount)} {scale} {_plural(unit, '2')}"
    whole, _, fraction = amount.partition(".")
    if len(fraction) != 2 or fraction == "00":
        return f"{_number(whole if fraction == '00' else amount)} {_plural(unit, amount)}"
    cents = str(int(fraction))
    said = f"{english(cents)} {_plural(small, cents)}"
    return said if int(whole) == 0 else f"{english(whole)} {_plural(unit, whole)} and {said}"


def _measure(match: Match) -> str:
    number = match["n"]
    return ("minus " if match["minus"] else "") + f"{_number(number)} {_plural(_UNITS[match['u']], number)}"


def _fraction(match: Match) -> str:
    top, bottom = match["a"], match["b"]
    if bottom not in ("2", "3", "4", "5", "8", "10") or int(top) >= int(bottom):
        return f"{english(top)} {'' if (top, bottom) == ('24', '7') else 'over '}{english(bottom)}"
    part = {"2": "half", "4": "quarter"}.get(bottom) or ordinal(bottom)
    return f"{english(top)} {part if top == '1' else part + 's'}"


def _decade(match: Match) -> str:
    words = english_year(match["y"])
    return words[:-1] + "ies" if words.endswith("y") else words + "s"


def _plain(match: Match) -> str:
    digits, before, after = match[0], match.string[: match.start()], match.string[match.end() :]
    if not digits.isdigit():
        return _number(digits)
    if len(digits) <= 2 and (_AFTER_MONTH.search(before) or re.match(rf"\s{_MONTH.pattern}", after)):
        return ordinal(str(int(digits)))
    named = re.search(r"[A-Za-z]-?$", before) and len(digits) >= 3
    if named or len(digits) >= 11 or _TELEPHONE.search(before):
        return english_digits(digits)
    if len(digits) == 4 and "1100" <= digits <= "2099" and not re.match(r"\s?(?:yuan|RMB|dollars|people)\b", after):
        return english_year(digits)
    return english(digits)


def _hour(match: Match) -> str:
    return f"{english(str(int(match['h'])))} {match['half'].upper()} M"


def _rules() -> tuple[Rule, ...]:
    units = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
    year = r"(?:1\d|20)\d{2}"
    table: tuple[tuple[str, Callable[[Match], str]], ...] = (
        (r"\+?86[- ]?1[3-9]\d{9}(?!\d)|\+\d{1,3}(?:[- ]\d{2,11})+|(?<!\d)1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)", _telephone),
        (r"(?<!\d)0\d{2,3}[- ]\d{3,4}[- ]?\d{4}(?!\d)|(?<!\d)\d{3}-(?:\d{3}-)?\d{4}(?!\d)", _telephone),
        (rf"(?<!\d)(?P<y>{year})(?P<c>[-/.])(?P<m>0?[1-9]|1[0-2])(?P=c)(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)", _date),
        (
            r"(?<![\d.])(?P<h>[01]?\d|2[0-4])[:：](?P<m>[0-5]\d)(?!\d|[:：]\d)(?:\s?(?P<half>[aApP])\.?[mM]\b\.?)?",
            _time,
        ),
        (r"(?<![\d:])(?P<h>1[0-2]|0?[1-9])(?P<m>)\s?(?P<half>[aApP])\.?[mM]\b", _hour),
        (r"(?<!\d)(?P<y>(?:1\d|20)\d0)['’]?s\b", _decade),
        (r"(?P<n>\d+)(?:st|nd|rd|th)\b", lambda match: ordinal(match["n"])),
        (rf"(?P<c>[$¥€£])\s?(?P<n>{_NUMBER})(?:\s(?P<scale>thousand|million|billion|trillion))?\b", _money),
        (rf"(?P<n>{_NUMBER})\s?%", lambda match: _number(match["n"]) + " percent"),
        (rf"(?P<minus>(?<![\w%])[-−])?(?P<n>{_NUMBER})\s?(?P<u>{units})(?![A-Za-z0-9])", _measure),
        (r"(?<![\d/])(?P<a>\d+)/(?P<b>\d+)(?![\d/])", _fraction),
        (r"(?P<a>\d+)[:：](?P<b>\d+)(?![\d:：])", lambda match: f"{english(match['a'])} to {english(match['b'])}"),
        (r"\d+(?:\.\d+){2,}", lambda match: " point ".join(map(english, match[0].split(".")))),
        (_NUMBER, _plain),
        (r"\d+", lambda match: english_digits(match[0])),
        (r"(?<=[\d%℃°m])\s?[-–—−~～]\s?(?=[¥$€£]?\d)", lambda match: " to "),
        (r"(?<![\w%])[-−](?=\d)", lambda match: "minus "),
        (r"(?<=[A-Za-z])-(?=\d)", lambda match: " "),
        (r"#(?=\d)", lambda match: "number "),
        (r"(?<=[A-Za-z0-9])\.(?=[a-z])", lambda match: " dot "),
        ("|".join(map(re.escape, _SIGNS)), lambda match: f" {_SIGNS[match[0]]} "),
    )
    return tuple((re.compile(pattern), say) for pattern, say in table)


RULES = _rules()
