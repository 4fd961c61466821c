"""What users ask of a device, known by rules in both languages: louder, darker, how much battery. No I/O."""

import json
import re
from collections.abc import Mapping
from typing import Any

from agent.commands import Control
from agent.tools.numerals import NUMBER, value
from agent.tools.tool import Arguments
from agent.tools.wording import stripped
from configs.language import Lang

STEP = 10
"""Of 100: what "louder" adds."""

_ASKING: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        "^(?:帮我|给我|替我|请|麻烦[你您]?|[你您](?:能|可以|能不能|可不可以)?|能不能|可不可以|可以|把|将|现在|再)+"
    ),
    "en": re.compile("^(?:(?:can|could|would|will) you |please |now |id like you to |i want you to |just )+"),
}
_WILLING: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile("(?:好不好|行不行|可不可以|好|行|可以)$"),
    "en": re.compile(" (?:will|would|could|can) you$"),
}
_BIT = "(?:一?[点些]儿?|一下)?"
_SET = "(?:调节?|调整|设置?|开|改|放|变)"
_VOLUME: dict[Lang, str] = {"zh": "(?:音量|声音|喇叭)", "en": "(?:volume|sound)"}
_SCREEN: dict[Lang, str] = {
    "zh": "(?:屏幕的?亮度|亮度|屏幕)",
    "en": "(?:(?:screen|display) )?(?:brightness|screen|display)",
}
_NUMBER: dict[Lang, str] = {
    "zh": f"(?:百分之)?(?P<number>{NUMBER})[%％]?",
    "en": f"(?P<number>{NUMBER})(?: ?%| percent)?",
}


def _level_zh(what: str) -> str:
    most, least = "(?P<most>最[大高亮])", "(?P<least>最[小低暗])"
    moved = f"(?:{_SET}|[增加提升减降][高加少低小大]?)?(?:到|成|为|至|是)"
    return f"{what}(?:{moved}|{_SET})?(?:{most}|{least}|{_NUMBER['zh']})"


def _level_en(what: str) -> str:
    most, least = "(?P<most>max(?:imum)?|full)", "(?P<least>min(?:imum)?)"
    return (
        f"(?:(?:set|turn|change|put|adjust|make) )?(?:up |down )?(?:the |your )?{what}(?: level)?(?: up| down)?"
        f"(?: (?:to|at))? (?:the )?(?:{most}|{least}|{_NUMBER['en']})"
    )


def _step_zh(what: str, way: str, verbs: str, wrong: str) -> re.Pattern[str]:
    """`way`: what it is to become; `wrong`: what it is too much of."""
    return re.compile(
        f"{what}(?:再|{_SET}|{verbs})*{way}{_BIT}|(?:再|{_SET}|{verbs})+{way}{_BIT}{what}{_BIT}|{what}(?:太|有点){wrong}了?"
        f"|{what}(?:再|{_SET})*(?:{verbs}+{way}?|{way})了?{_NUMBER['zh']}|{what}再?{verbs}+{_BIT}"
    )


def _step_en(what: str, way: str, verbs: str, more: str) -> re.Pattern[str]:
    """`more`: other ways to say it."""
    the = "(?:the |your )?"
    return re.compile(
        f"(?:turn {the}{what} {way}|turn {way} {the}{what}|(?:{verbs}) {the}{what}|{the}{what} {way}|{more})"
        f"(?: a bit| a little)?(?: by {_NUMBER['en']})?"
    )


_SETS: dict[Control, dict[Lang, re.Pattern[str]]] = {
    "volume": {
        "zh": re.compile(f"{_level_zh(_VOLUME['zh'])}|(?P<mute>静音|关掉?{_VOLUME['zh']}|{_VOLUME['zh']}关[掉了上]?)"),
        "en": re.compile(f"{_level_en(_VOLUME['en'])}|(?P<mute>mute(?: yourself| the sound| the volume| it)?)"),
    },
    "brightness": {
        "zh": re.compile(_level_zh(_SCREEN["zh"])),
        "en": re.compile(_level_en(_SCREEN["en"])),
    },
}
_ADVERBS = "(?:(?:speak|talk|be|make it|a bit|a little|much) )*"
_MORE: dict[Control, dict[Lang, re.Pattern[str]]] = {
    "volume": {
        "zh": re.compile(
            f"{_step_zh(_VOLUME['zh'], '[大高响]', '[增加提升]', '[小低轻]').pattern}"
            f"|(?:说话?|再)*大(?:声{_BIT}|点儿?声)"
        ),
        "en": _step_en(
            _VOLUME["en"],
            "up",
            "increase|raise|crank up",
            f"turn it up|{_ADVERBS}louder|speak up|(?:its|it is|youre|the {_VOLUME['en']} is) too (?:quiet|low|soft)",
        ),
    },
    "brightness": {
        "zh": _step_zh(_SCREEN["zh"], "[亮高]", "[增加提升]", "暗"),
        "en": _step_en(
            _SCREEN["en"],
            "up",
            "increase|raise|brighten",
            f"(?:make )?(?:the |your )?{_SCREEN['en']} (?:a bit |a little )?brighter"
            f"|(?:the |your ){_SCREEN['en']} is too dark",
        ),
    },
}
_LESS: dict[Control, dict[Lang, re.Pattern[str]]] = {
    "volume": {
        "zh": re.compile(
            f"{_step_zh(_VOLUME['zh'], '[小低轻]', '[减降]', '[大高响]').pattern}"
            f"|(?:说话?|再)*[小轻](?:声{_BIT}|点儿?声)|太[吵响]了?"
        ),
        "en": _step_en(
            _VOLUME["en"],
            "down",
            "decrease|lower|reduce",
            f"turn it down|{_ADVERBS}(?:quieter|softer)|(?:its|it is|youre|the {_VOLUME['en']} is) too loud",
        ),
    },
    "brightness": {
        "zh": _step_zh(_SCREEN["zh"], "[暗低]", "[减降]", "亮"),
        "en": _step_en(
            _SCREEN["en"],
            "down",
            "decrease|lower|reduce|dim",
            f"(?:make )?(?:the |your )?{_SCREEN['en']} (?:a bit |a little )?(?:darker|dimmer)"
            f"|(?:the |your ){_SCREEN['en']} is too bright",
        ),
    },
}
_THEME: dict[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        "(?:(?:屏幕|界面|主题)的?)?(?:主题|模式)?(?:切换|换|改|设置?|调|用|打开|开启|使用)*(?:到|成|为)?"
        "(?:(?P<dark>深色|暗色|黑色|夜间|黑夜)|(?P<light>浅色|亮色|白色|白天|日间))的?(?:主题|模式|界面)"
    ),
    "en": re.compile(
        "(?:(?:switch|change|set|go|use|enable|turn on) )?(?:(?:the )?(?:screen|display|theme|mode) )?(?:on |to )?"
        "(?:the |a )?(?:(?P<dark>dark|night)|(?P<light>light|day|bright)) (?:theme|mode)"
    ),
}
_HOW = "(?:现在)?(?:还有|还剩|是|有)?(?:多少|多大|多高|多亮|几格|怎么样|如何)了?"
_NOW = "(?:设备|当前|现在)?的?"
_ABOUT: dict[Lang, tuple[tuple[str, re.Pattern[str]], ...]] = {
    "zh": (
        ("volume", re.compile(f"{_NOW}(?:音量|声音){_HOW}")),
        ("brightness", re.compile(f"{_NOW}(?:屏幕)?的?亮度{_HOW}")),
        (
            "battery",
            re.compile(f"{_NOW}(?:电量|电池){_HOW}|(?:还有|还剩)(?:多少|几格)电量?|在?充电(?:了吗|了没有?|吗)?"),
        ),
        (
            "all",
            re.compile("(?:查看?|看看|报一下|说一下)?(?:设备|你)的?(?:当前|现在)?的?(?:状态|状况)(?:怎么样|如何)?"),
        ),
    ),
    "en": (
        (
            "volume",
            re.compile(
                r"(?:whats|what is|how (?:loud|high) is) (?:the |your )?(?:current )?volume(?: level)?(?: now)?"
            ),
        ),
        (
            "brightness",
            re.compile(r"(?:whats|what is|how (?:bright|high) is) (?:the |your )?(?:current )?(?:screen )?brightness"),
        ),
        (
            "battery",
            re.compile(
                r"(?:whats|what is|hows|how is) (?:the |your )?battery(?: level| status)?(?: now)?"
                r"|battery (?:level|status)"
                r"|how much (?:battery|charge|power)(?: is left| do you have(?: left)?| left)?|are you charging"
            ),
        ),
        ("all", re.compile(r"(?:(?:whats|what is|check|tell me|show) )?(?:the |your )?devices? (?:status|state)")),
    ),
}
_NAMES: dict[Control, dict[Lang, str]] = {
    "volume": {"zh": "音量", "en": "The volume"},
    "brightness": {"zh": "屏幕亮度", "en": "The screen brightness"},
    "theme": {"zh": "屏幕主题", "en": "The screen theme"},
}
_THEMES: dict[str, dict[Lang, str]] = {"dark": {"zh": "深色", "en": "dark"}, "light": {"zh": "浅色", "en": "light"}}
_PLACES = {"volume": ("audio_speaker", "volume"), "brightness": ("screen", "brightness")}


def parameters(control: Control) -> Mapping[str, Any]:
    """The JSON schema of what the control is called with here; the device's own knows no steps."""
    level = {"type": "integer", "minimum": 0, "maximum": 100}
    step = {"type": "integer", "minimum": -100, "maximum": 100, "description": "by how much, instead of how high"}
    properties: dict[str, Any]
    match control:
        case "theme":
            properties = {"theme": {"type": "string", "enum": ["light", "dark"]}}
        case "status":
            properties = {"about": {"type": "string", "enum": ["all", "volume", "brightness", "battery"]}}
        case _:
            properties = {control: level, "change": step}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def heard(control: Control, question: str, lang: Lang) -> Arguments | None:
    """The arguments of the call; None where the question, taken whole, asks for anything else."""
    bare = _WILLING[lang].sub("", _ASKING[lang].sub("", stripped(question, lang, keep="%")))
    match control:
        case "theme":
            found = _THEME[lang].fullmatch(bare)
            return {"theme": "dark" if found["dark"] else "light"} if found else None
        case "status":
            return next(({"about": what} for what, asked in _ABOUT[lang] if asked.fullmatch(bare)), None)
    if found := _SETS[control][lang].fullmatch(bare):
        level = _level(found)
        return None if level is None else {control: level}
    for sign, rules in ((1, _MORE), (-1, _LESS)):
        if found := rules[control][lang].fullmatch(bare):
            number = found.groupdict().get("number")
            step = value(number) if number else STEP
            return None if step is None else {"change": sign * min(100, round(step))}
    return None


def _level(found: re.Match[str]) -> int | None:
    given = found.groupdict()
    if given.get("most"):
        return 100
    if given.get("least") or given.get("mute"):
        return 0
    number = value(given["number"])
    return None if number is None else min(100, round(number))


def current(control: Control, status: str) -> int | None:
    """The level in the device's report on itself; None where it does not tell."""
    part, name = _PLACES[control]
    level = _part(status, part).get(name)
    return level if isinstance(level, int) and not isinstance(level, bool) else None


def done(control: Control, given: object, lang: Lang) -> str:
    what = _NAMES[control][lang]
    shown = _THEMES[str(given)][lang] if control == "theme" else given
    return f"{what}已经调到{shown}了。" if lang == "zh" else f"{what} is now {shown}."


def unknown(control: Control, lang: Lang) -> str:
    what = _NAMES[control][lang]
    if lang == "zh":
        return f"我不知道现在的{what}是多少，请说一个数字，比如五十。"
    return f"{what} is not known to me now; please name a number, such as fifty."


def undone(control: Control, lang: Lang) -> str:
    if control == "status":
        return "设备没有告诉我它的状态。" if lang == "zh" else "The device did not tell me its state."
    what = _NAMES[control][lang]
    return (
        f"{what}没有调成，设备没有照做。" if lang == "zh" else f"{what} could not be changed: the device did not do it."
    )


def report(status: str, about: str, lang: Lang) -> str | None:
    """The device's state as a sentence; None where it tells nothing of it."""
    zh = lang == "zh"
    told: list[str] = []
    for control in ("volume", "brightness"):
        if about in ("all", control) and (level := current(control, status)) is not None:
            name = _NAMES[control][lang]
            told.append(f"{name}是{level}" if zh else f"{name.lower() if told else name} is {level}")
    if about in ("all", "battery"):
        battery = _part(status, "battery")
        if isinstance(level := battery.get("level"), int):
            name = "the battery is at" if told else "The battery is at"
            told.append(f"电量还有百分之{level}" if zh else f"{name} {level} percent")
            if battery.get("charging") is True:
                told.append("正在充电" if zh else "it is charging")
    return (("，" if zh else ", ").join(told) + ("。" if zh else ".")) if told else None


def _part(status: str, name: str) -> dict[str, Any]:
    try:
        told = json.loads(status)
    except (ValueError, RecursionError):
        return {}
    part = told.get(name) if isinstance(told, dict) else None
    return part if isinstance(part, dict) else {}
