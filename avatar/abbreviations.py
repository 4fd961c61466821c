"""English abbreviations and Roman numerals in names: "Dr. Chen" is Doctor Chen, "Henry VIII" Henry the eighth."""

import re
from collections.abc import Callable

from avatar.numerals import english, ordinal, roman
from avatar.shaping import Match, Rule, ahead, behind

MONTHS = ("January", "February", "March", "April", "May", "June") + (
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTH = rf"(?:{'|'.join(MONTHS)}|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
DAY = r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)\b\.?"
_WORDS_TOO = ("Mar", "Jun", "Jul", "Mon", "Wed", "Sat", "Sun")
"""Abbreviations that are also names or words: expanded only beside a day or a date."""
_DATED = re.compile(rf"\s?[-–—/]\s?{DAY}|\s?[-–—/]\s?{MONTH}|,?\s\d|,\s{MONTH}|\s\d?\d[:.]")
_DATED_BEFORE = re.compile(rf"(?:{DAY}|{MONTH})\s?[-–—/,]?\s?$|\d\s$")

_ANYWHERE = {
    "e.g.": "for example", "i.e.": "that is", "vs.": "versus", "vs": "versus", "etc.": "et cetera",
    "approx.": "approximately", "Dept.": "Department", "dept.": "department", "Ave.": "Avenue", "Blvd.": "Boulevard",
    "Rd.": "Road", "w/": "with ", "WWI": "World War one", "WWII": "World War two",
}  # fmt: skip
_BEFORE_NAME = {
    "Dr.": "Doctor", "Mr.": "Mister", "Mrs.": "Missus", "Prof.": "Professor", "Mt.": "Mount", "Dr": "Doctor",
    "Mr": "Mister", "Mrs": "Missus", "Prof": "Professor", "St.": "Saint",
}  # fmt: skip
_BEFORE_NUMBER = {
    "no.": "number", "nos.": "numbers", "fig.": "figure", "figs.": "figures", "p.": "page", "pp.": "pages",
    "vol.": "volume", "ch.": "chapter", "sec.": "section", "ext.": "extension", "tel.": "telephone", "c.": "circa",
    "ca.": "circa",
}  # fmt: skip
_NUMBERED = re.compile(
    r"(?:World War|Chapter|Part|Act|Scene|Volume|Phase|Stage|Type|Class|Level|Grade|Section|Article|Book|Appendix|Title"
    r"|Apollo|Mark|Tier|Super Bowl|Episode)\s$"
)
_NAMED = re.compile(r"(?<![A-Za-z])(?!(?:The|An?|In|On|At|No|We|And|Vitamin|Hepatitis|Model)\s)[A-Z][a-z]+\s$")
_REIGN = re.compile(
    r"(?:King|Queen|Pope|Emperor|Tsar|Henry|George|Charles|Edward|Paul|Louis|James|Philip)\s(?:\w+\s)?$"
)


def _ended(match: Match, words: str) -> str:
    """The stop that an abbreviation shares with its sentence is still a stop."""
    last = match[0].endswith(".") and not ahead(match).strip()
    return words + "." if last else words


def _month(match: Match) -> str | None:
    return _calendar(match, MONTHS)


def _day(match: Match) -> str | None:
    return _calendar(match, _DAYS)


def _calendar(match: Match, names: tuple[str, ...]) -> str | None:
    short = match[0].rstrip(".")
    if short in names:
        return None
    before, after = behind(match), ahead(match)
    if short in _WORDS_TOO and not (_DATED.match(after) or _DATED_BEFORE.search(before)):
        return None
    return _ended(match, next(name for name in names if name.startswith(short)))


def _span(match: Match) -> str | None:
    """The dash of "Mon–Fri" and of "1 May – 3 June"."""
    before = behind(match)
    return " to " if re.search(rf"(?:{DAY}|{MONTH}|\d)$", before) else None


def _street(match: Match) -> str:
    return _ended(match, "Street" if match["st"] == "St" else "Drive")


def _roman(match: Match) -> str | None:
    before, number = behind(match), roman(match[0])
    if number is None or match[0] == "L":
        return None
    if _NUMBERED.search(before):
        return english(str(number))
    if _REIGN.search(before) or (_NAMED.search(before) and len(match[0]) > 1 and number < 40):
        return "the " + ordinal(str(number))
    return None


def _either(words: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def _rules() -> tuple[Rule, ...]:
    start = r"(?<![A-Za-z0-9.])"
    table: tuple[tuple[str, Callable[[Match], str | None]], ...] = (
        (start + rf"(?:{_either(_BEFORE_NAME)})(?=\s[A-Z])", lambda match: _BEFORE_NAME[match[0]]),
        (r"(?<=[a-z] )(?P<st>St|Dr)\.(?=\s[a-z]|\s?[,.;]|\s*$)", _street),
        (
            start + rf"(?i:{_either(_BEFORE_NUMBER)})(?=\s?\d)",
            lambda match: _BEFORE_NUMBER[match[0].lower()],
        ),
        (start + rf"(?:{_either(_ANYWHERE)})(?![A-Za-z])", lambda match: _ended(match, _ANYWHERE[match[0]])),
        (start + MONTH, _month),
        (start + DAY, _day),
        (rf"\s?[-–—]\s?(?=(?:\d\d?\s)?(?:{DAY}|{MONTH}))", _span),
        (start + r"[IVXL]+(?![A-Za-z0-9.'’-])", _roman),
    )
    return tuple((re.compile(pattern), say) for pattern, say in table)


RULES = _rules()
