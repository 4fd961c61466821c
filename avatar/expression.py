"""What the face and hands do where the model marks nothing: what the words and the tone of a phrase call for."""

import re
from dataclasses import dataclass
from typing import Literal

from avatar.markup import EmotionTag
from avatar.motion import Emotion, Gesture
from avatar.script import Mark
from configs.language import Lang

Tone = Literal["greeting", "answer", "refusal", "apology"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `gestures` for the word at character `at`, where the hands have rested for `patience` seconds."""

    at: int
    gestures: tuple[Gesture, ...]
    patience: float = 4.0


_CALM = 10.0
"""Seconds after which plain words are accompanied too."""
_ANY: tuple[Gesture, ...] = ("present", "welcome")


@dataclass(frozen=True, slots=True)
class _Rule:
    zh: re.Pattern[str]
    en: re.Pattern[str]
    feeling: EmotionTag | None = None
    gestures: tuple[Gesture, ...] = ()

    def search(self, text: str, lang: Lang) -> re.Match[str] | None:
        return (self.zh if lang == "zh" else self.en).search(text)


def _rule(zh: str, en: str, emotion: Emotion | None, intensity: float, *gestures: Gesture) -> _Rule:
    feeling = EmotionTag(emotion, intensity) if emotion else None
    return _Rule(re.compile(zh), re.compile(en, re.IGNORECASE), feeling, gestures)


_RULES = (
    _rule(
        "抱歉|对不起|不好意思|遗憾",
        r"\b(?:sorry|apolog(?:y|ies|i[sz]e)|unfortunately|regret(?:fully|tably)?)\b",
        *("sad", 0.6),
    ),
    _rule(
        "去世|逝世|遇难|伤亡|死亡|丧生|受伤|失踪|地震|火灾|洪水|事故|爆炸|坠毁|袭击|疫情",
        r"\b(?:died|dead|deaths?|killed|injur(?:ed|ies)|missing|earthquakes?|floods?|wildfires?|accidents?|explosions?"
        r"|crash(?:ed)?|attack(?:ed|s)?|victims?|disasters?)\b",
        *("sad", 0.7),
    ),
    _rule(
        "取消|停运|暂停|停业|闭馆|售罄",
        r"\b(?:cancell?ed|suspended|postponed|closed|closure|sold out)\b",
        *("sad", 0.35),
    ),
    _rule(
        "谢谢|感谢|多谢|不客气",
        r"\b(?:thanks?|thank you|grateful|you(?:'|’)re (?:very |most )?welcome|my pleasure)\b",
        *("happy", 0.8, "welcome", "present"),
    ),
    _rule("再见|回头见|下次见|下次再|拜拜", r"\b(?:goodbye|bye|farewell|see you)\b", *("happy", 0.8, "wave")),
    _rule(
        "[您你]好|大家好|欢迎|早上好|上午好|下午好|晚上好",
        r"\b(?:hello|hi|welcome|good (?:morning|afternoon|evening))\b",
        *("happy", 0.9, "wave", "welcome"),
    ),
    _rule(
        "恭喜|祝贺|太好了|太棒|好消息|没问题|当然可以",
        r"\b(?:congratulations|well done|good news|excellent|wonderful|no problem|of course)\b",
        *("happy", 1.0, "thumbs_up"),
    ),
    _rule(
        "首先|其次|再次|最后|此外|另外|第[一二三四五六七八九十]|一是|二是|三是",
        r"\b(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|finally|lastly|in addition|also|step \w+)\b",
        *(None, 0, "point_up", "present", "welcome"),
    ),
    _rule(
        r"\d|[一二两三四五六七八九十百千万]{1,12}(?:元|块|点|个|号|层|楼|岁|年|月|天|分钟|小时|公里|米)",
        r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|hundred|thousand|million|half)\b",
        *(None, 0, "present", "point_up", "welcome"),
    ),
    _rule(r"[？?]\W{0,9}$", r"[?？]\W{0,9}$", *("happy", 0.4, "welcome", "present")),
    _rule(r"[！!]\W{0,9}$", r"[!！]\W{0,9}$", *("happy", 0.9)),
)
"""In this order; the first that names a feeling gives it, the first that names gestures gives them."""

_FIRST: dict[Tone, tuple[EmotionTag, tuple[Gesture, ...]]] = {
    "greeting": (EmotionTag("happy", 0.9), ("wave", "welcome")),
    "answer": (EmotionTag("happy", 0.6), _ANY),
    "refusal": (EmotionTag("thinking", 0.8), ("think",)),
    "apology": (EmotionTag("sad", 0.7), ()),
}


def feeling(text: str, tone: Tone, lang: Lang, first: bool) -> Mark | None:
    """`first`: the turn begins with `text`. A refusal or an apology is one whatever its words are."""
    opening = _FIRST[tone][0] if first else None
    if opening is not None and tone in ("refusal", "apology"):
        return Mark(0, opening)
    for rule in _RULES:
        if rule.feeling is not None and (match := rule.search(text, lang)):
            return Mark(0 if match[0][0] in "!！?？" else match.start(), rule.feeling)
    return None if opening is None else Mark(0, opening)


def gesture(text: str, tone: Tone, lang: Lang, first: bool) -> Choice | None:
    if first and tone != "answer":
        gestures = _FIRST[tone][1]
        return Choice(0, gestures) if gestures else None
    for rule in _RULES:
        if match := rule.search(text, lang):
            if rule.gestures:
                return Choice(0 if match[0][0] in "?？" else match.start(), rule.gestures)
            if rule.feeling is not None and rule.feeling.emotion == "sad":
                return None
    return Choice(0, _ANY) if first else Choice(0, _ANY, _CALM)
