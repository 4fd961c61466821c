"""A tool that tells the time, where the presenter is or elsewhere."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from agent.tools.dates import WEEKDAYS
from agent.tools.tool import Arguments, Context, Result, ToolError
from agent.tools.wording import stripped
from configs.language import Lang

_CITIES: dict[str, tuple[str, str]] = {
    "Asia/Shanghai": ("北京", "Beijing"),
    "Asia/Hong_Kong": ("香港", "Hong Kong"),
    "Asia/Taipei": ("台北", "Taipei"),
    "Asia/Tokyo": ("东京", "Tokyo"),
    "Asia/Seoul": ("首尔", "Seoul"),
    "Asia/Singapore": ("新加坡", "Singapore"),
    "Asia/Bangkok": ("曼谷", "Bangkok"),
    "Asia/Kolkata": ("新德里", "New Delhi"),
    "Asia/Dubai": ("迪拜", "Dubai"),
    "Europe/Moscow": ("莫斯科", "Moscow"),
    "Europe/Berlin": ("柏林", "Berlin"),
    "Europe/Paris": ("巴黎", "Paris"),
    "Europe/London": ("伦敦", "London"),
    "America/New_York": ("纽约", "New York"),
    "America/Toronto": ("多伦多", "Toronto"),
    "America/Los_Angeles": ("洛杉矶", "Los Angeles"),
    "Australia/Sydney": ("悉尼", "Sydney"),
}
_ALSO = {"上海": "Asia/Shanghai", "shanghai": "Asia/Shanghai", "旧金山": "America/Los_Angeles"}
_ALSO |= {"san francisco": "America/Los_Angeles", "中国": "Asia/Shanghai", "china": "Asia/Shanghai"}
_ZONES = {name.casefold(): zone for zone, names in _CITIES.items() for name in names} | _ALSO

_PLACE = re.compile("|".join(sorted(map(re.escape, _ZONES), key=len, reverse=True)))
_AT = f"(?:(?:{_PLACE.pattern})(?:当地|那边|那里)?的?)?"
_NOW = "(?:现在|此刻|眼下|目前|当前|这会儿?)的?"
_HOUR = "(?:几点钟?|什么时间|什么时候)"
_IN = f"(?: in (?:{_PLACE.pattern}))?(?: right)?(?: now| at the moment)?"
_ASKED: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        f"{_AT}{_NOW}{_AT}是?{_HOUR}了?|{_AT}{_HOUR}了|{_AT}{_NOW}{_AT}时间(?:是多少|是几点|几点|是)?|报(?:一下|个)?时间?"
    ),
    "en": re.compile(
        f"(?:what|which) time (?:is it|it is|have you got)(?: right| just)?(?: now)?{_IN}"
        f"|what(?: i)?s the (?:current |exact |local )?time{_IN}"
        f"|(?:the )?(?:current |exact |local )?time (?:now|please)|the (?:current |exact )?time{_IN}"
        f"|(?:do you |have you )(?:have |got )the (?:right |exact )?time"
    ),
}


class Clock:
    """`zone`: the presenter's own time zone."""

    name = "clock"
    description: Mapping[Lang, str] = {
        "zh": "现在的时间和星期几；也可以问别的城市。",
        "en": "The time and weekday now, here or in another city.",
    }
    parameters: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "zone": {"type": "string", "description": "a city, or a time zone such as Europe/London; here if left out"}
        },
        "additionalProperties": False,
    }
    seconds: float | None = None

    def __init__(self, zone: str) -> None:
        self._zone = zone

    async def call(self, arguments: Arguments, context: Context) -> Result:
        wanted: str = arguments.get("zone", "").strip()
        zone = _ZONES.get(wanted.casefold(), wanted) or self._zone
        try:
            now = context.now.astimezone(ZoneInfo(zone))
        except (LookupError, ValueError, OSError) as error:
            message = {"zh": "我不知道那里的时间。", "en": "I don't know the time there."}[context.lang]
            raise ToolError("unknown_zone", message) from error
        return Result(_said(now, _place(zone, context.lang) if wanted else "", context.lang))

    def hears(self, question: str, lang: Lang) -> Arguments | None:
        bare = stripped(question, lang)
        if not _ASKED[lang].fullmatch(bare):
            return None
        place = _PLACE.search(bare)
        return {"zone": _ZONES[place[0]]} if place else {}


def _place(zone: str, lang: Lang) -> str:
    names = _CITIES.get(zone)
    return names[0 if lang == "zh" else 1] if names else zone.rpartition("/")[2].replace("_", " ")


def _said(now: datetime, place: str, lang: Lang) -> str:
    weekday = WEEKDAYS[lang][now.weekday()]
    if lang == "zh":
        minutes = f"{now.minute}分" if now.minute else "整"
        return f"{place}现在是{weekday}{_part(now.hour)}{_hour(now) if now.hour else 0}点{minutes}。"
    there = f"In {place} it's" if place else "It's"
    return f"{there} {_hour(now)}:{now.minute:02} {'AM' if now.hour < 12 else 'PM'} on {weekday}."


def _hour(now: datetime) -> int:
    return (now.hour - 1) % 12 + 1


def _part(hour: int) -> str:
    parts = ((5, "凌晨"), (8, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
    return next(part for until, part in parts if hour < until)
