"""How English reads numbers and signs: patterns in the order they are tried, and what is said."""

import re
from collections.abc import Callable

from avatar import abbreviations
from avatar.abbreviations import MONTH, MONTHS
from avatar.numerals import english, english_digits, english_year, ordinal, paired, raised
from avatar.shaping import Match, Rule, ahead, behind

_NUMBER = r"(?:\d{1,3}(?:,\d{3}){1,9}(?![\d,])|\d+)(?:\.\d+)?(?!\.?\d)"
_TO = r"\s?[-–—−~～]\s?"
_CURRENCY = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny"), "¥": ("yuan", "fen")}
_DOLLARS = {"US": "US", "HK": "Hong Kong", "NT": "New Taiwan", "AU": "Australian", "A": "Australian", "C": "Canadian",
            "CA": "Canadian", "S": "Singapore", "NZ": "New Zealand", "CN": ""}  # fmt: skip
_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "tn": "trillion"}
_SAME_IN_PLURAL = (
    *("yuan", "fen", "hertz", "kilohertz", "megahertz", "gigahertz", "kilopascal", "hectopascal", "megapascal"),
)
_UNITS = {
    "km²": "square kilometer", "km/h": "kilometer per hour", "km/s": "kilometer per second", "km": "kilometer",
    "m/s": "meter per second",
    "m²": "square meter", "m³": "cubic meter", "cm²": "square centimeter", "cm³": "cubic centimeter",
    "cm": "centimeter", "mm": "millimeter", "nm": "nanometer", "μm": "micrometer",
    "kg": "kilogram", "mg/L": "milligram per liter", "mg": "milligram", "μg/m³": "microgram per cubic meter",
    "μg": "microgram", "g": "gram", "m": "meter", "mL": "milliliter", "ml": "milliliter", "L": "liter",
    "kWh": "kilowatt hour", "kW": "kilowatt", "MW": "megawatt", "W": "watt", "kV": "kilovolt", "V": "volt",
    "mAh": "milliamp hour", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz",
    "Pa": "pascal", "hPa": "hectopascal", "kPa": "kilopascal", "MPa": "megapascal", "dB": "decibel",
    "kJ": "kilojoule", "kcal": "kilocalorie", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte",
    "kbps": "kilobit per second", "Mbps": "megabit per second", "Gbps": "gigabit per second",
    "°C": "degree Celsius", "℃": "degree Celsius", "°F": "degree Fahrenheit", "℉": "degree Fahrenheit",
    "㎡": "square meter", "°": "degree", "ft": "foot", "sq ft": "square foot", "sq m": "square meter",
    "sq km": "square kilometer", "yd": "yard", "mi": "mile", "lb": "pound", "lbs": "pound", "oz": "ounce",
    "tsp": "teaspoon", "tbsp": "tablespoon",
    "mph": "mile per hour", "h": "hour", "hr": "hour", "hrs": "hour", "min": "minute", "mins": "minute",
    "sec": "second", "secs": "second", "ms": "millisecond", "元": "yuan", "¢": "cent",
    "s": "second", "t": "ton",
}  # fmt: skip
_ALONE = ("kg", "km", "mg", "kWh", "cm", "lb", "hr", "min", "sec")
"""Units that are read without a number, too: "per kg"."""
_SIGNS = {
    "&": "and", "+": "plus", "=": "equals", "×": "times", "÷": "divided by", "@": "at", "%": "percent",
    "‰": "per mille", "°": "degrees", "℃": "degrees Celsius", "℉": "degrees Fahrenheit", "㎡": "square meters",
    "²": "squared", "³": "cubed", "½": "one half", "¼": "one quarter", "¾": "three quarters", "№": "number",
    "±": "plus or minus", "〇": "zero", "≈": "about", "≥": "at least", "≤": "at most",
}  # fmt: skip
_HALVES = {"½": "a half", "¼": "a quarter", "¾": "three quarters", "⅓": "a third", "⅔": "two thirds"}
_MORE = r"(?:\d[\d-]*,? (?:or|and) )*$"
"""Further numbers of the same kind: "dial 911 or 112"."""
_TELEPHONE = re.compile(
    r"\b(?:call|dial|phone|telephone|hotline|ext\.?|extension|fax|text|tel\.?)(?: is| number| us at| at| on| to)*:? "
    + _MORE,
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:code|pin|password|passcode|account|order|serial|zip|postcode|tracking|booking|reference|ref\.?|ending in|id)"
    r"(?: number| no\.?| code| id)?(?: is|:)? ?#?" + _MORE,
    re.IGNORECASE,
)
_PAIRED = re.compile(
    r"\b(?:rooms?|suite|bus|bus number|routes?|highway|interstate|boeing|airbus|apartment|apt\.?|unit|platform)\s"
    + _MORE,
    re.IGNORECASE,
)
_AFTER_MONTH = re.compile(rf"{MONTH}\s(?:\d\d?\s?(?:[-–—,&]|to|and|or|until|through)\s?)*$", re.IGNORECASE)
_YEAR_AFTER = re.compile(
    r"\b(?:in|since|by|until|till|before|after|year|around|circa|from|early|late|mid|to|ad|and)[ -]$", re.IGNORECASE
)
_ONE_THING = re.compile(r"\b(?:an?|each|every|per|the|this|our|your)\s$", re.IGNORECASE)
_NO_THING = (
    r"(?:is|are|was|were|be|in|on|at|for|to|of|from|by|with|per|you|we|they|and|or|that|which|will|has|had|it|as)\b"
)
_PART = {2: "half", 4: "quarter"}


def _number(digits: str) -> str:
    whole, _, fraction = digits.replace(",", "").partition(".")
    return english(whole) + (" point " + english_digits(fraction) if fraction else "")


def _plural(noun: str, digits: str) -> str:
    """The noun as it stands behind a number: the first word of "degree Celsius", the last of "square meter"."""
    if digits == "1" or noun in _SAME_IN_PLURAL:
        return noun
    if noun.startswith("degree "):
        return noun.replace("degree", "degrees", 1)
    head, per, rest = noun.partition(" per ")
    first, _, last = head.rpartition(" ")
    return f"{first} { ({'foot': 'feet', 'penny': 'pence'}.get(last, last + 's')) }".strip() + per + rest


def _adjective(match: Match) -> bool:
    """ "a 5 km walk": one thing, named by its measure."""
    before, after = behind(match), ahead(match)
    return bool(_ONE_THING.search(before) and re.match(rf"[ -](?!{_NO_THING})[a-z]", after))


def _time(match: Match) -> str:
    hour, minute, second, half = int(match["h"]), match["m"], match["s"], match["half"]
    named = ahead(match).lstrip().startswith(("noon", "midnight", "sharp", "o'clock", "hours"))
    part = half[0].upper() if half else "" if 0 < hour < 13 else "A" if hour in (0, 24) else "P"
    said = english(str(hour % 12 or 12))
    if minute != "00" or second:
        said += " oh " + english(minute[1]) if minute[0] == "0" else " " + english(minute)
    elif not part and not named:
        said += " o'clock"
    said += f" and {english(str(int(second)))} seconds" if second else ""
    return _stopped(match, said + (f" {part} M" if part else ""))


def _hour(match: Match) -> str:
    return _stopped(match, f"{english(str(int(match['h'])))} {match['half'].upper()} M")


def _stopped(match: Match, said: str) -> str:
    """ "9 a.m." at the end of a sentence has that sentence's stop."""
    return said + "." if match[0].endswith(".") and not ahead(match).strip() else said


def _date(match: Match) -> str | None:
    month, day = int(match["m"]), int(match["d"])
    if month > 12:
        month, day = day, month
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    return f"{MONTHS[month - 1]} {ordinal(str(day))}, {english_year(match['y'])}"


def _day_of_month(match: Match) -> str:
    the = "" if behind(match).lower().endswith("the ") else "the "
    return f"{the}{ordinal(str(int(match['d'])))} of"


def _telephone(match: Match) -> str:
    parts = [
        english(part) if part in ("800", "900") and index == 1 else english_digits(part)
        for index, part in enumerate(re.findall(r"\d+", match[0]))
    ]
    return ("plus " if match[0][0] == "+" else "") + ", ".join(parts)


def _money(match: Match) -> str:
    unit, small = _CURRENCY[match["c"]]
    unit = f"{_DOLLARS.get(match['p'] or '', '')} {unit}".strip()
    one = _adjective(match)
    scale = _SCALES.get((match["letter"] or "").lower(), match["scale"])
    amounts = [amount.replace(",", "") for amount in (match["n"], match["to"]) if amount]
    if scale or len(amounts) == 2:
        said = " to ".join(map(_number, amounts)) + (f" {scale}" if scale else "")
        return f"{said} {_plural(unit, '1' if one else '2')}"
    whole, _, fraction = amounts[0].partition(".")
    if len(fraction) != 2 or fraction == "00":
        return f"{_number(whole if fraction == '00' else amounts[0])} {_plural(unit, '1' if one else amounts[0])}"
    cents = str(int(fraction))
    said = f"{english(cents)} {_plural(small, cents)}"
    return said if int(whole) == 0 else f"{english(whole)} {_plural(unit, whole)} and {said}"


def _measure(match: Match) -> str:
    number = match["n"]
    one = f"{number}-" in match[0] or _adjective(match)
    noun = _plural(_UNITS[match["u"]], "1" if one else number)
    return ("minus " if match["minus"] else "") + f"{_number(number)} {noun}"


def _feet(match: Match) -> str:
    return f"{english(match['a'])} {_plural('foot', match['a'])} {_number(match['b'])} inch" + (
        "" if match["b"] == "1" else "es"
    )


def _fraction(match: Match) -> str:
    top, bottom = int(match["a"]), int(match["b"])
    if (top, bottom) == (24, 7):
        return "twenty-four seven"
    if top >= bottom or not (bottom <= 10 or bottom in (12, 16, 20, 32, 50, 64, 100, 1000)):
        return f"{english(match['a'])} over {english(match['b'])}"
    part = _PART.get(bottom) or ("one thousandth" if bottom == 1000 else ordinal(match["b"]))
    part = part.removeprefix("one ")
    return f"{english(match['a'])} {part if top == 1 else part + 's'}"


def _mixed(match: Match) -> str | None:
    if int(match["a"]) >= int(match["b"]):
        return None
    part = _fraction(match)
    return f"{english(match['w'])} and " + ("a" + part.removeprefix("one") if match["a"] == "1" else part)


def _decade(match: Match) -> str:
    words = english(match["y"]) if len(match["y"]) <= 2 else paired(match["y"])
    return words[:-1] + "ies" if words.endswith("y") else words + ("es" if words.endswith("x") else "s")


def _years(match: Match) -> str:
    until = "oh " + english(match["b"][1]) if match["b"][0] == "0" else english(match["b"])
    return f"{english_year(match['y'])}{' ' if match['c'] == '/' else ' to '}{until}"


def _reigned(match: Match) -> str | None:
    """The years of "(618–907)"."""
    years = (match["a"], match["b"])
    return None if all(year.endswith("00") for year in years) else " to ".join(map(paired, years))


def _power(match: Match) -> str:
    exponent = english(raised(match["e"]))
    return f"ten to the {'minus ' if set(match['e']) & set('⁻-−') else ''}{exponent}"


def _plain(match: Match) -> str:
    digits, before, after = match[0], behind(match), ahead(match)
    if not digits.isdigit():
        return _number(digits)
    if len(digits) <= 2 and _AFTER_MONTH.search(before):
        return ordinal(str(int(digits)))
    if _PAIRED.search(before) and len(digits) <= 4:
        return paired(digits)
    lettered = re.search(r"[A-Za-z]-?$", before) and len(digits) >= 3
    coded = _CODE.search(before) and (len(digits) >= 4 or digits[0] == "0")
    if len(digits) >= 11 or coded or (_TELEPHONE.search(before) and len(digits) >= 3):
        return english_digits(digits)
    counted = re.match(r"\s?(?:yuan|RMB|dollars|people|visitors|meters|steps|km|times|seats)\b", after)
    if len(digits) == 4 and not counted and ("1100" <= digits <= "2099" or _YEAR_AFTER.search(before)):
        return english_digits(digits) if lettered and not "1900" <= digits <= "2099" else english_year(digits)
    return english_digits(digits) if lettered else english(digits)


def _to(match: Match) -> str:
    return " to "


def _calendar() -> tuple[tuple[str, Callable[[Match], str | None]], ...]:
    year = r"(?:1\d|20)\d{2}"
    half = r"(?:\s?(?P<half>[aApP])(?:\.[mM]\.|\.?[mM]\b))"
    return (
        (rf"(?<!\d)(?P<y>{year})(?P<c>[-/.])(?P<m>0?[1-9]|1[0-2])(?P=c)(?P<d>3[01]|[12]\d|0?[1-9])(?!\d)", _date),
        (rf"(?<![\d/])(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})/(?P<y>{year})(?![\d/])", _date),
        (rf"(?<![\d.])(?P<h>[01]?\d|2[0-4])[:：](?P<m>[0-5]\d)(?:[:：](?P<s>[0-5]\d))?(?![\d:：]){half}?", _time),
        (rf"(?<![\d:])(?P<h>1[0-2]|0?[1-9]){half}", _hour),
        (rf"(?<![\w.])(?P<d>3[01]|[12]\d|[1-9])(?:st|nd|rd|th)?(?=\s{MONTH})", _day_of_month),
        (r"(?<!\d)(?P<y>(?:1\d|20)\d0)['’]?s\b", _decade),
        (r"(?<![\w.])['’]?(?P<y>[2-9]0|[2-9]\d0)['’]?s\b", _decade),
        (r"(?<=\()(?P<a>\d{3,4})[-–](?P<b>\d{3,4})(?=\))", _reigned),
        (rf"(?<![\d-])(?P<y>{year})(?P<c>[-–/])(?P<b>\d{{2}})(?![\d-])", _years),
    )


def _amounts() -> tuple[tuple[str, Callable[[Match], str | None]], ...]:
    units = "|".join(sorted(map(re.escape, _UNITS.keys() - {"s", "t"}), key=len, reverse=True))
    return (
        (
            rf"(?P<p>(?:US|HK|NT|AU|CA|NZ|CN|A|C|S)(?=[$¥]))?(?P<c>[$¥€£])\s?(?P<n>{_NUMBER})"
            rf"(?:{_TO}[$¥€£]?(?P<to>{_NUMBER}))?"
            r"(?:\s?(?P<scale>thousand|million|billion|trillion)\b|(?P<letter>bn|mn|tn|[kKmMbB])\b)?",
            _money,
        ),
        (rf"(?P<n>{_NUMBER})\s?%", lambda match: _number(match["n"]) + " percent"),
        (r"(?<![\d/])(?P<w>\d+)\s(?P<a>\d)/(?P<b>\d{1,2})(?![\d/])", _mixed),
        (r"(?P<w>\d+)\s?(?P<v>[½¼¾⅓⅔])", lambda match: f"{english(match['w'])} and {_HALVES[match['v']]}"),
        (r"(?P<a>\d+)\s?(?:ft|feet|['′])\s?(?P<b>\d+)\s?(?:in\b|inches|[\"″])\.?", _feet),
        (rf"(?P<minus>(?<![\w%])[-−])?(?P<n>{_NUMBER})[\s-]?(?P<u>{units})(?![A-Za-z0-9/])", _measure),
        (rf"(?P<minus>)(?P<n>{_NUMBER})\s(?P<u>s|t)(?![\w'’])", _measure),
        (r"(?<!\d)(?P<n>\d{3,4})(?=[A-Z]\b(?!-))(?![kKM])", lambda match: paired(match["n"])),
        (rf"(?P<n>{_NUMBER})k\b", lambda match: _number(match["n"]) + " thousand"),
        (rf"(?P<n>{_NUMBER})(?P<u>M|bn)\b", lambda match: f"{_number(match['n'])} {_SCALES[match['u'].lower()]}"),
        (
            rf"(?<![\d/])(?P<a>\d+)/(?P<b>\d+)\s(?P<u>{units})(?![A-Za-z0-9/])",
            lambda match: f"{_fraction(match)} {_UNITS[match['u']]}",
        ),
        (r"(?<![\d/])(?P<a>\d+)/(?P<b>\d+)(?![\d/])", _fraction),
        (r"(?P<a>\d+)[:：](?P<b>\d+)(?![\d:：])", lambda match: f"{english(match['a'])} to {english(match['b'])}"),
    )


def _rules() -> tuple[Rule, ...]:
    table: tuple[tuple[str, Callable[[Match], str | None]], ...] = (
        (r"\+?86[- ]?1[3-9]\d{9}(?!\d)|\+\d{1,3}(?:[- ]\d{2,11})+|(?<!\d)1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)", _telephone),
        (r"(?<!\d)0\d{2,3}[- ]\d{3,4}[- ]?\d{4}(?!\d)|(?<!\d)(?:1-)?\d{3}-(?:\d{3}-)?\d{4}(?!\d)", _telephone),
        (r"\(\d{3}\)\s?\d{3}[- ]\d{4}(?!\d)", _telephone),
        *_calendar(),
        *_amounts(),
        (r"(?<![\d.,])10(?P<e>⁻?[⁰¹⁴⁵⁶⁷⁸⁹²³]{1,3}|\^[-−]?\d{1,3})", _power),
        (r"(?<=-)(?P<y>\d{1,2})s\b", _decade),
        (r"(?<!\d)1(?P<n>,?000|00)s\b", lambda match: "hundreds" if match["n"] == "00" else "thousands"),
        (r"(?P<n>\d+)(?:st|nd|rd|th)\b", lambda match: ordinal(match["n"])),
        (r"\d+(?:\.\d+){2,}", lambda match: " point ".join(map(english, match[0].split(".")))),
        (_NUMBER, _plain),
        (r"\d+", lambda match: english_digits(match[0])),
        (rf"(?<=[\d%℃°mCF.]){_TO}(?=[$¥€£]?\d)", _to),
        (r"(?<![\w%])[-−](?=\d)", lambda match: "minus "),
        (r"(?<=[A-Za-z])[-–](?=\d)", lambda match: " "),
        (r"[⁰¹⁴⁵⁶⁷⁸⁹⁺⁻]+", lambda match: ""),
        (
            r"/(?=(?:day|week|month|year|night|hour|minute|second|person|adult|child|seat|head|visit)\b)",
            lambda _: " per ",
        ),
        (rf"(?<=per )(?:{'|'.join(_ALONE)})\b", lambda match: _UNITS[match[0]]),
        (r"#(?=\d)", lambda match: "number "),
        (r"(?<=\d )>(?=\s?\d)", lambda match: "is greater than"),
        (r"(?<=\d )<(?=\s?\d)", lambda match: "is less than"),
        (r">\s?(?=[\d$€£¥])", lambda match: "more than "),
        (r"<\s?(?=[\d$€£¥])", lambda match: "less than "),
        (r"[~～](?=\s?[\d$€£¥])", lambda match: "about "),
        (r"[\u2160-\u216b]", lambda match: english(str("ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ".index(match[0]) + 1))),
    )
    signs: tuple[tuple[str, Callable[[Match], str | None]], ...] = (
        (r"(?<=[A-Za-z0-9])\.(?=[a-z])", lambda match: " dot "),
        ("|".join(map(re.escape, _SIGNS)), lambda match: f" {_SIGNS[match[0]]} "),
    )
    numbers = tuple((re.compile(pattern), say) for pattern, say in table)
    return numbers + abbreviations.RULES + tuple((re.compile(pattern), say) for pattern, say in signs)


RULES = _rules()
