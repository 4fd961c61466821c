"""Personal data in a text: found by its form, and checked by its check digits where it has any."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from configs.language import Lang

Kind = Literal["identity", "card", "phone", "email", "passport", "plate", "address"]

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_DIGITS = r"(?<![\dA-Za-z])"
_NO_DIGITS = r"(?![\dA-Za-z])"
_WAY = (
    "(?i:street|st|road|rd|avenue|ave|boulevard|blvd|lane|ln|drive|dr|court|ct|square|sq|place|pl|terrace|way|close"
    "|crescent|highway|hwy)"
)

_MOBILE = rf"(?:(?<!\d)(?:\+|00)86[ -]?)?(?<![\dA-Za-z.])1[3-9]\d[ -]?\d{{4}}[ -]?\d{{4}}{_NO_DIGITS}"
_LANDLINE = (
    rf"(?<![\dA-Za-z.-])(?:\(0\d{{2,3}}\)|（0\d{{2,3}}）|0\d{{2,3}})[ -]?[2-9]\d{{6,7}}(?:-\d{{1,6}})?{_NO_DIGITS}"
)
_ABROAD = (
    r"(?<![\dA-Za-z])(?:\+\d{1,3}[ .-]?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}|\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[.-]\d{4})"
    rf"{_NO_DIGITS}"
)
_PLACE = "(?:(?![我你他她您住于在到是址的和家请来去])[\u4e00-\u9fff])"
_STREET_ZH = (
    rf"{_PLACE}{{1,24}}(?:路|街|大道|巷|胡同|弄|村|小区|花园|公寓|大厦)\d{{1,5}}(?:号|弄|栋|幢|座)"
    r"(?:院?\d{1,4}(?:号楼|栋|幢|座|单元|楼|层|室|号|门))*(?:\d{2,4}室?)?"
)
_ESTATE_ZH = rf"{_PLACE}{{2,10}}(?:小区|花园|公寓|家园|苑)\d{{1,3}}(?:号楼|栋|幢|座)(?:\d{{1,2}}单元)?(?:\d{{2,4}}室?)?"
_STREET_EN = (
    rf"\b\d{{1,5}}[A-Za-z]? (?:[A-Z][\w'.-]* ){{1,4}}{_WAY}\b\.?(?: [NSEW]{{1,2}}\b)?"
    r"(?:,? (?:apt|apartment|unit|suite|flat|#)\.? ?\w{1,5})?"
    r"(?:,? [A-Z][a-z]+(?: [A-Z][a-z]+)?)?(?:,? [A-Z]{2})?(?: \d{5}(?:-\d{4})?)?(?!\w)"
)

_FORMS: Mapping[Kind, re.Pattern[str]] = {
    "email": re.compile(r"[A-Za-z0-9][\w.+-]{0,63}\s?@\s?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+", re.ASCII),
    "identity": re.compile(rf"{_DIGITS}[1-9]\d{{5}}[ -]?(?:19|20)\d{{2}}[ -]?\d{{4}}[ -]?\d{{3}}[\dXx]{_NO_DIGITS}"),
    "card": re.compile(
        rf"{_DIGITS}[2-9]\d{{3}}(?:[ -]?\d{{4}}){{2,3}}(?:[ -]?\d{{1,4}}){_NO_DIGITS}"
        rf"|{_DIGITS}3[47]\d{{2}}[ -]?\d{{6}}[ -]?\d{{5}}{_NO_DIGITS}"
    ),
    "phone": re.compile(f"{_MOBILE}|{_LANDLINE}|{_ABROAD}"),
    "passport": re.compile(
        r"(?<![A-Za-z0-9])(?:[EGDSPHK]\d{8}|E[A-HJ-NP-Z]\d{7})(?![A-Za-z0-9])"
        r"|(?:护照(?:号码?)?|passport(?: (?:no\.?|number))?)(?: is|是|为)?[\s:：#]*([A-Z]{0,2}\d{6,9})(?![A-Za-z0-9])",
        re.IGNORECASE,
    ),
    "plate": re.compile(
        rf"[{_PROVINCES}][A-HJ-NP-Z][ ·•]?(?:[A-HJ-NP-Z0-9]{{5,6}}|[A-HJ-NP-Z0-9]{{4}}[挂学警港澳])(?![A-Za-z0-9])"
    ),
    "address": re.compile(f"{_STREET_ZH}|{_ESTATE_ZH}|{_STREET_EN}"),
}
_PLACES: Mapping[Lang, Mapping[Kind, str]] = {
    "zh": {
        "identity": "（身份证号{}）",
        "card": "（银行卡号{}）",
        "phone": "（电话号码{}）",
        "email": "（邮箱地址{}）",
        "passport": "（护照号{}）",
        "plate": "（车牌号{}）",
        "address": "（住址{}）",
    },
    "en": {
        "identity": "(identity number {})",
        "card": "(card number {})",
        "phone": "(phone number {})",
        "email": "(email address {})",
        "passport": "(passport number {})",
        "plate": "(plate number {})",
        "address": "(street address {})",
    },
}


@dataclass(frozen=True, slots=True)
class Found:
    kind: Kind
    start: int
    end: int


def found(text: str) -> tuple[Found, ...]:
    """Where personal data stands, in the text's order and without overlaps; width of the figures does not matter."""
    plain = text.translate(_NARROW)
    if not any(char.isdigit() for char in plain) and "@" not in plain:
        return ()
    spans: list[Found] = []
    for kind, form in _FORMS.items():
        for match in form.finditer(plain):
            start, end = match.span(match.lastindex or 0)
            free = all(end <= other.start or other.end <= start for other in spans)
            if free and _CHECKS.get(kind, _any)(plain[start:end]):
                spans.append(Found(kind, start, end))
    return tuple(sorted(spans, key=lambda one: one.start))


def masked(text: str, lang: Lang = "en") -> str:
    """Words in the place of each, numbered within the text: the same data gets the same number."""
    spans = found(text)
    if not spans:
        return text
    known: dict[str, dict[str, int]] = {}
    pieces, at = [], 0
    for span in spans:
        numbers = known.setdefault(span.kind, {})
        number = numbers.setdefault(re.sub(r"[\s-]", "", text[span.start : span.end]).casefold(), len(numbers) + 1)
        pieces += [text[at : span.start], _PLACES[lang][span.kind].format(number)]
        at = span.end
    return "".join([*pieces, text[at:]])


class Masked(logging.Filter):
    """Of a handler: no personal data passes, neither in a message nor in a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if (hidden := masked(message)) != message:
            record.msg, record.args = hidden, ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = masked(record.exc_text)
        return True


def _any(text: str) -> bool:
    return True


def _identity(text: str) -> bool:
    """GB 11643: a date, and a check character (ISO 7064, MOD 11-2)."""
    figures = re.sub(r"[ -]", "", text).upper()
    month, day = int(figures[10:12]), int(figures[12:14])
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = sum(weight * int(figure) for weight, figure in zip(weights, figures[:17], strict=True)) % 11
    return 1 <= month <= 12 and 1 <= day <= 31 and "10X98765432"[check] == figures[17]


def _card(text: str) -> bool:
    """Luhn, ISO/IEC 7812."""
    figures = [int(char) for char in text if char.isdigit()]
    doubled = [figure if place % 2 else 2 * figure for place, figure in enumerate(reversed(figures), 1)]
    return 14 <= len(figures) <= 19 and sum(figure - 9 if figure > 9 else figure for figure in doubled) % 10 == 0


_CHECKS: Mapping[Kind, Callable[[str], bool]] = {"identity": _identity, "card": _card}
_NARROW = {ord(wide): plain for wide, plain in zip("０１２３４５６７８９＠－＋．", "0123456789@-+.", strict=True)}
