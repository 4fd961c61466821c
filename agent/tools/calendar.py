"""A tool that knows the calendar: which day a date is, and how many days lie between."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from agent.tools.dates import FARTHEST, WEEKDAYS, Day, InWeek, Moved, Named, counted, in_week, spoken, told
from agent.tools.tool import Arguments, Context, Result, ToolError
from agent.tools.wording import stripped
from configs.language import Lang

_WHICH = "(?:是|为)?(?:星期几|周几|礼拜几|几月几[号日]|几[号日]|多少号|什么日子|什么日期|哪一?天)+"
_ASKED_ZH = (
    re.compile(rf"(?P<day>.+?)(?:的?(?:日期|星期))?{_WHICH}"),
    re.compile(r"(?P<day>今天|明天|后天|昨天)的?日期(?:是多少|是什么)?"),
    re.compile(r"(?P<day>)(?:现在|今年)(?:是)?(?:哪一?年|几几年|多少年|几月份?|几月几[号日]|星期几|周几|几号)"),
)
_UNTIL_ZH = (
    re.compile(
        r"(?:现在|今天)?(?:离|距离?|到)(?:现在|今天)?(?:离|距离?|到)?(?P<day>.+?)"
        r"(?:还|只)?(?:有|剩下?|差|需要)?(?:多少|几)天"
    ),
    re.compile(r"(?:还有|还要|再过)(?:多少|几)天(?:就?(?:到|是|过))(?P<day>.+?)了?"),
    re.compile(r"(?P<day>.+?)还有(?:多少|几)天(?:到|来)?"),
)
_DAYS = "(?:day of the week|date|day|weekday)"
_ASKED_EN = (
    re.compile(rf"(?:what|which) {_DAYS} (?:(?:i|wa)s(?: it)? |it is |will (?:it )?be )(?:on )?(?P<day>.+?)(?: be)?"),
    re.compile(rf"(?:what|which) {_DAYS} (?:does )(?P<day>.+?) (?:fall on|fall)"),
    re.compile(rf"(?:what(?:s| is| was| will be) )?(?:the )?{_DAYS}(?: is it)? (?:of |on |in )?(?P<day>.+)"),
    re.compile(r"what(?: i)?s (?P<day>today|tomorrow|yesterday)s (?:date|day)"),
    re.compile(
        rf"(?P<day>)(?:what|which) {_DAYS} (?:is it|it is)(?: right)?(?: now)?"
        r"|(?:what(?: i)?s )?(?:todays|the(?: current)?) date|what(?: i)?s the day|what year is it(?: now)?"
    ),
)
_UNTIL_EN = (
    re.compile(
        r"how (?:many (?:more )?(?:days|sleeps)|long)(?: (?:is (?:it|there|left)|are (?:there|left)|left|do we have))?"
        r"(?: still)?(?: left)? (?:until|till|til|to|before) (?P<day>.+?)(?: are there| is it)?"
    ),
)
_ASKED: dict[Lang, tuple[re.Pattern[str], ...]] = {"zh": _ASKED_ZH, "en": _ASKED_EN}
_UNTIL: dict[Lang, tuple[re.Pattern[str], ...]] = {"zh": _UNTIL_ZH, "en": _UNTIL_EN}
_RELATIVE: dict[Lang, dict[int, str]] = {
    "zh": {-2: "前天", -1: "昨天", 0: "今天", 1: "明天", 2: "后天"},
    "en": {-1: "Yesterday", 0: "Today", 1: "Tomorrow"},
}
_DAY = {"type": "string", "pattern": r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$"}


class Calendar:
    """`zone`: where "today" is."""

    name = "calendar"
    description: Mapping[Lang, str] = {
        "zh": "日期和星期：今天是几号、某天是星期几、几天前后是哪天、到某天还有几天。不含农历和节假日安排。",
        "en": "Dates and weekdays: today's date, the weekday of a day, a day so many days from now, days until a day.",
    }
    parameters: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "day": {**_DAY, "description": "YYYY-MM-DD or MM-DD; today if left out"},
            "days": {"type": "integer", "description": "added to the day", "minimum": -FARTHEST, "maximum": FARTHEST},
            "weekday": {"type": "integer", "description": "1 Monday to 7 Sunday", "minimum": 1, "maximum": 7},
            "week": {
                "type": "integer",
                "description": "with weekday: 0 this week, 1 next",
                "minimum": -500,
                "maximum": 500,
            },
            "until": {**_DAY, "description": "count the days from today to this day"},
        },
        "additionalProperties": False,
    }
    seconds: float | None = None

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)

    async def call(self, arguments: Arguments, context: Context) -> Result:
        today, lang = context.now.astimezone(self._zone).date(), context.lang
        try:
            if until := arguments.get("until"):
                return Result(_distance(counted(until, today, ahead=True), today, lang))
            if weekday := arguments.get("weekday"):
                day = in_week(today, arguments.get("week", 0), weekday)
            else:
                named = arguments.get("day")
                day = counted(named, today) if named else today
            day += timedelta(days=arguments.get("days", 0))
        except (ValueError, OverflowError) as error:
            message = {"zh": "没有这样的日期。", "en": "There is no such date."}[lang]
            raise ToolError("no_such_day", message) from error
        return Result(_date(day, today, lang))

    def hears(self, question: str, lang: Lang) -> Arguments | None:
        bare = stripped(question, lang)
        for pattern in _UNTIL[lang]:
            if (asked := pattern.fullmatch(bare)) and isinstance(day := spoken(asked["day"], lang), Named):
                return {"until": day.day}
        for pattern in _ASKED[lang]:
            if asked := pattern.fullmatch(bare):
                if not asked["day"]:
                    return {}
                if (day := spoken(asked["day"], lang)) is not None:
                    return _arguments(day)
        return None


def _arguments(day: Day) -> Arguments:
    match day:
        case Moved(days):
            return {"days": days}
        case InWeek(week, weekday):
            return {"week": week, "weekday": weekday}
        case Named(named):
            return {"day": named}


def _date(day: date, today: date, lang: Lang) -> str:
    name = _RELATIVE[lang].get((day - today).days)
    full, weekday = told(day, lang), WEEKDAYS[lang][day.weekday()]
    if lang == "zh":
        return f"{name}是{full}，{weekday}。" if name else f"{full}是{weekday}。"
    verb = "was" if day < today else "is"
    return f"{name} {verb} {weekday}, {full}." if name else f"{full} {verb} a {weekday}."


def _distance(day: date, today: date, lang: Lang) -> str:
    days, full = (day - today).days, told(day, lang)
    if lang == "zh":
        if days == 0:
            return f"今天就是{full}。"
        return f"离{full}还有{days}天。" if days > 0 else f"{full}已经过去{-days}天了。"
    if days == 0:
        return f"Today is {full}."
    count = f"{abs(days)} day{'' if abs(days) == 1 else 's'}"
    return f"It's {count} until {full}." if days > 0 else f"{full} was {count} ago."
