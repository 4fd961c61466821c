"""What users ask of the memory itself: to say what it keeps, to forget one thing, to forget everything."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from configs.language import Lang


@dataclass(frozen=True, slots=True)
class Forget:
    """`what`: as the user says it ("my name"); "" is everything. `surely`: nothing else can be meant, as with "delete
    my booking"."""

    what: str
    surely: bool = True


@dataclass(frozen=True, slots=True)
class Show:
    """What is kept."""


Request = Forget | Show
Answer = Literal["forgotten", "one", "nothing", "unknown", "failed"]

_SURELY = re.compile(r"忘|抹|\bforget\b|\bdon't remember\b", re.IGNORECASE)

_LONGEST = 100
"""Characters; longer texts ask for something else besides."""

_ASIDE: Mapping[Lang, str] = {
    "zh": "(?:你好|请问?|麻烦你?|帮我|拜托|好的?|那|现在|能不能|可以|可不可以|你能|你可以|希望你|我要你|我想让你"
    "|我希望你|[你您])*+",
    "en": r"(?:(?:hi|hello|hey|ok|okay|well|now|please|just|so|can you|could you|would you|will you|i want you to|i'd "
    r"like you to|you can"
    r"|you should|you must|you may)\b[, ]*+)*+",
}
_END: Mapping[Lang, str] = {
    "zh": "(?:吧|吗|好吗|可以吗|行吗|谢谢|啊)*",
    "en": r"(?:,? ?(?:please|now|thanks|thank you|right now|again))*",
}
_FORGET_ZH = "(?:忘掉|忘记|忘了|删除|删掉|清除|清空|抹掉|抹去)掉?"
_ALL_ZH = (
    "(?:一切|所有(?:的)?(?:一切|内容|信息|话|事情?|东西|记录|资料|数据|记忆)?|全部(?:的)?(?:内容|信息|话|事情?|东西"
    "|记录|资料|数据|记忆)?|每一?句话?"
    "|话|事情?|东西|个人信息|信息|资料|数据|记忆|记录|内容)"
)
_MINE_ZH = (
    "(?:关于|有关|和|跟)?我(?:之前|以前|刚才|曾经)?(?:有关|相关)?"
    "(?:说过?|告诉过?你?|讲过?|跟你说过?|和你说过?|提到过?)?的?"
)
_ALL_EN = (
    r"(?:everything|all|anything|whatever|it all|all of it|all (?:the )?(?:information|data|details|things|facts))"
)
_BODIES: Mapping[Lang, Mapping[str, str]] = {
    "zh": {
        "all": f"{_FORGET_ZH}(?:所有|全部)?{_MINE_ZH}(?:所有|全部)?{_ALL_ZH}?|{_FORGET_ZH}{_ALL_ZH}"
        f"|把(?:{_MINE_ZH})?{_ALL_ZH}?(?:都|全都?|全部|统统)*(?:给我)?{_FORGET_ZH}",
        "show": "(?:还|都|到底)*(?:记得|记住了?|知道|记录了?|保存了?|了解)(?:我|关于我|有关我)(?:的)?(?:什么|哪些"
        "|多少)?(?:事情?|信息|内容|资料)?"
        "|(?:还|都)*(?:记得|记住了?|知道|记录了?|保存了?|了解)(?:哪些|什么)?(?:关于|有关)我的?(?:什么|哪些|事情?|信息"
        "|内容|资料)*"
        "|(?:关于|对于?)我[你您]?(?:还|都)*(?:记得|记住了?|知道|了解)(?:些?什么|哪些|多少).{0,4}"
        "|(?:说说|告诉我|列出|讲讲)[你您]?(?:都|还)*(?:记得|知道|记住了?)(?:关于)?我的?(?:什么|哪些|一切|事情?"
        "|信息)?.{0,3}",
        "one": f"把(?P<one>我.{{1,30}}?)(?:这件事|的事)?都?(?:给我)?{_FORGET_ZH}"
        f"|{_FORGET_ZH}(?!.*(?:怎么|怎样|如何|咋|哪里|哪儿))(?P<other>我[^吗]{{1,30}}?)(?<!了)(?:这件事|的事)?",
    },
    "en": {
        "all": rf"(?:forget|delete|erase|wipe|clear|remove|drop)(?: about)? (?:{_ALL_EN}(?: (?:that )?(?:i(?:'ve)? "
        rf"(?:ever )?(?:said|told you|shared)"
        r"|you (?:know|remember|have|stored|saved|kept|learned))(?: (?:about|on|of) me)?| about me| on me| of mine)?"
        r"|(?:about )?me|(?:all )?(?:of )?my (?:data|memory|memories|information|info|details|history|personal data"
        r"|facts)(?: about me)?"
        r"|(?:your|the) memor(?:y|ies) (?:of|about) me|what(?:ever)? (?:i(?:'ve)? (?:said|told you)|you (?:know"
        r"|remember) about me))",
        "show": r"(?:(?:what|tell me what|show me what)(?: else)? (?:do |can |have )?you(?: still)? (?:remember|know"
        r"|recall|remembered|stored|saved|kept|keep)"
        r"(?: (?:about|of|on) me)|what did i tell you(?: about (?:me|myself))?|(?:do you )?(?:remember|know"
        r"|recall) (?:anything|something) about me"
        r"|do you (?:still )?(?:remember|know) me|(?:show|list|read)(?: me)? (?:everything|all|what) (?:that )?you "
        r"(?:know|remember|have)(?: about me)"
        r"|what (?:data|information|facts) do you (?:have|keep|store)(?: (?:about|on) me)?)",
        "one": r"(?:forget|delete|erase|remove|don't remember)(?: about)?(?: the fact)?(?: that)? (?P<one>(?:i|my|i'm"
        r"|i've|where i|what i|who i|how i|when i)\b.{1,60}?)",
    },
}
_MATCHERS: Mapping[Lang, Mapping[str, re.Pattern[str]]] = {
    lang: {name: re.compile(f"{_ASIDE[lang]}(?:{body}){_END[lang]}", re.IGNORECASE) for name, body in bodies.items()}
    for lang, bodies in _BODIES.items()
}


def requested(text: str, lang: Lang) -> Request | None:
    """What the whole text asks of the memory; None for everything else."""
    bare = unicodedata.normalize("NFKC", text).replace("’", "'").strip(" \t\n.,!?。，！？~…")
    bare = re.sub(r"\s+", " ", bare) if lang == "en" else re.sub(r"[\s,]+", "", bare)
    if len(bare) > _LONGEST:
        return None
    matchers = _MATCHERS[lang]
    if matchers["all"].fullmatch(bare):
        return Forget("")
    if matchers["show"].fullmatch(bare):
        return Show()
    if match := matchers["one"].fullmatch(bare):
        return Forget(next(group for group in match.groups() if group), _SURELY.search(bare) is not None)
    return None


LINES: Mapping[Answer, Mapping[Lang, str]] = {
    "forgotten": {
        "zh": "好的，您说过的一切我都已经忘掉了。",
        "en": "All right. I have forgotten everything you told me.",
    },
    "one": {"zh": "好的，这件事我已经忘掉了。", "en": "All right, I have forgotten that."},
    "nothing": {"zh": "关于您，我没有记住任何事情。", "en": "I do not remember anything about you."},
    "unknown": {"zh": "您还没有告诉过我。", "en": "You have not told me that yet."},
    "failed": {
        "zh": "抱歉，我现在删除不了，请稍后再说一次。",
        "en": "I am sorry, I cannot delete it at the moment. Please tell me again later.",
    },
}
