"""Days as they are spoken of in both languages: 下周三, 国庆节, three days from now, the 1st of October. No I/O."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from agent.tools.numerals import HAN, NUMBER, value
from configs.language import Lang

WEEKDAYS: dict[Lang, tuple[str, ...]] = {
    "zh": tuple(f"星期{char}" for char in "一二三四五六日"),
    "en": tuple(calendar.day_name),
}
MONTHS = tuple(calendar.month_name)[1:]
FARTHEST = 400_000
"""Days that may be added to a date: about a thousand years."""

_DAYS: dict[str, int] = {
    "大前天": -3,
    **dict.fromkeys(("前天", "前日", "the day before yesterday"), -2),
    **dict.fromkeys(("昨天", "昨日", "yesterday"), -1),
    **dict.fromkeys(("今天", "今儿", "今日", "today"), 0),
    **dict.fromkeys(("明天", "明儿", "明日", "tomorrow"), 1),
    **dict.fromkeys(("后天", "后日", "the day after tomorrow"), 2),
    "大后天": 3,
}
_WEEKS = {"上上": -2, "上": -1, "": 0, "这": 0, "本": 0, "下": 1, "下下": 2} | {"last": -1, "this": 0, "next": 1}
_FEASTS: dict[str, str] = {
    **dict.fromkeys(("元旦节", "元旦", "新年", "new years day", "new years", "new year", "the new year"), "01-01"),
    **dict.fromkeys(("情人节", "valentines day"), "02-14"),
    **dict.fromkeys(("妇女节", "三八节", "womens day"), "03-08"),
    **dict.fromkeys(("植树节", "arbor day"), "03-12"),
    **dict.fromkeys(("愚人节", "april fools day"), "04-01"),
    **dict.fromkeys(("五一劳动节", "劳动节", "五一", "labour day", "may day"), "05-01"),
    **dict.fromkeys(("青年节", "五四青年节"), "05-04"),
    **dict.fromkeys(("六一儿童节", "儿童节", "六一", "childrens day"), "06-01"),
    **dict.fromkeys(("建党节",), "07-01"),
    **dict.fromkeys(("建军节", "八一建军节"), "08-01"),
    **dict.fromkeys(("教师节", "teachers day"), "09-10"),
    **dict.fromkeys(("十一国庆节", "国庆节", "国庆", "national day"), "10-01"),
    **dict.fromkeys(("万圣节", "halloween"), "10-31"),
    **dict.fromkeys(("平安夜", "christmas eve"), "12-24"),
    **dict.fromkeys(("圣诞节", "圣诞", "christmas day", "christmas"), "12-25"),
    **dict.fromkeys(("new years eve", "跨年夜"), "12-31"),
}


@dataclass(frozen=True, slots=True)
class Moved:
    """So many days from today."""

    days: int


@dataclass(frozen=True, slots=True)
class InWeek:
    """A weekday, 1 is Monday, of the week that is so many weeks from this one."""

    week: int
    weekday: int


@dataclass(frozen=True, slots=True)
class Named:
    """`YYYY-MM-DD`, or `MM-DD` of any year."""

    day: str


Day = Moved | InWeek | Named

_MONTH = "|".join(name.lower() for name in MONTHS)
_ORDINAL = r"(?:the )?(?P<{0}>[0-9]{{1,2}})(?:st|nd|rd|th)?"
_ZH = re.compile(
    rf"(?P<day>{'|'.join(sorted((day for day in _DAYS if not day.isascii()), key=len, reverse=True))})"
    rf"|(?P<week>上上|下下|上|这|本|下|)个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
    rf"|(?:(?P<year>[0-9]{{4}}|[零〇一二三四五六七八九]{{4}})年)?(?P<month>[0-9]{{1,2}}|{HAN})月(?P<date>[0-9]{{1,2}}|{HAN})[日号]?"
    rf"|(?P<feast>{'|'.join(sorted((day for day in _FEASTS if not day.isascii()), key=len, reverse=True))})"
    rf"|(?:再?过)?(?P<count>[0-9]{{1,6}}|{HAN})个?(?P<unit>天|日|周|星期|礼拜)(?P<ago>之?前|以前)?(?:之?后|以后|过后)?"
)
_EN = re.compile(
    rf"(?P<day>{'|'.join(day for day in _DAYS if day.isascii())})"
    rf"|(?:(?P<week>last|this|next|) ?)(?P<weekday>{'|'.join(name.lower() for name in calendar.day_name)})"
    rf"|(?:{_ORDINAL.format('first')}(?: of)? (?P<month>{_MONTH})|(?P<month2>{_MONTH}) {_ORDINAL.format('second')})"
    rf"(?: (?P<year>[0-9]{{4}}))?"
    rf"|(?P<feast>{'|'.join(sorted((day for day in _FEASTS if day.isascii()), key=len, reverse=True))})"
    rf"|(?:in )?(?P<count>{NUMBER}) ?(?P<unit>days?|weeks?)(?: (?P<ago>ago|before today)| from (?:now|today)| later)?"
)
_SPOKEN: dict[Lang, re.Pattern[str]] = {"zh": _ZH, "en": _EN}


def spoken(text: str, lang: Lang) -> Day | None:
    """The day that the whole of a text, folded and without punctuation, speaks of."""
    match = _SPOKEN[lang].fullmatch(text)
    if match is None:
        return None
    if match["day"]:
        return Moved(_DAYS[match["day"]])
    if match["weekday"]:
        return InWeek(_WEEKS[match["week"] or ""], _weekday(match["weekday"]))
    if match["feast"]:
        return Named(_FEASTS[match["feast"]])
    if match["count"]:
        count = value(match["count"])
        if count is None or count.denominator != 1 or count > FARTHEST:
            return None
        days = int(count) * (1 if match["unit"] in ("天", "日", "day", "days") else 7)
        return Moved(-days if match["ago"] else days)
    return _written(match, lang)


def counted(day: str, today: date, *, ahead: bool = False) -> date:
    """The date of `YYYY-MM-DD`, or of `MM-DD`: this year's or, `ahead`, the next to come. Raises ValueError."""
    if len(day) == 10:
        return date.fromisoformat(day)
    for year in range(today.year, today.year + 9):
        try:
            found = date.fromisoformat(f"{year}-{day}")
        except ValueError:
            if day != "02-29":
                raise
            continue
        if not ahead or found >= today:
            return found
    raise ValueError("no such day")


def in_week(today: date, week: int, weekday: int) -> date:
    return today + timedelta(days=weekday - today.isoweekday() + 7 * week)


def told(day: date, lang: Lang) -> str:
    """In full: 2026年11月24日; 24 November 2026."""
    return f"{day.year}年{day.month}月{day.day}日" if lang == "zh" else f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def _weekday(name: str) -> int:
    zh = "一二三四五六日".find("日" if name == "天" else name)
    return zh + 1 if zh >= 0 else [day.lower() for day in calendar.day_name].index(name) + 1


def _written(match: re.Match[str], lang: Lang) -> Named | None:
    numbers = list(_parts(match, lang))
    if None in numbers:
        return None
    month, day = (int(number) for number in numbers[:2] if number is not None)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    year = match["year"]
    return Named(f"{int(value(year) or 0):04}-{month:02}-{day:02}" if year else f"{month:02}-{day:02}")


def _parts(match: re.Match[str], lang: Lang) -> Iterator[int | None]:
    if lang == "en":
        month = match["month"] or match["month2"]
        yield [name.lower() for name in MONTHS].index(month) + 1
        yield int(match["first"] or match["second"])
        return
    for part in ("month", "date"):
        number = value(match[part])
        yield int(number) if number is not None and number.denominator == 1 else None
