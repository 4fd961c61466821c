"""What people say to each other while one of them speaks, by language: `configs/turn_taking.yaml`."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from agent.listening.homophones import sound
from configs.language import LANGUAGES, Lang

_JOINT = re.compile(r"[^\w'’]+|_+")


@dataclass(frozen=True, slots=True)
class Words:
    """All of them folded. `whole` matches a text that is no unfinished one, whatever it ends with. `heard_...`: what
    they sound like, of Chinese; no text sounds like "", so that nothing is found where no reading is known."""

    backchannel: re.Pattern[str]
    laughter: re.Pattern[str]
    stops: frozenset[str]
    stop: re.Pattern[str]
    phantoms: frozenset[str]
    asides: tuple[re.Pattern[str], ...]
    called: re.Pattern[str]
    unfinished: tuple[str, ...]
    whole: tuple[re.Pattern[str], ...]
    asked: tuple[re.Pattern[str], ...]
    hanging: tuple[re.Pattern[str], ...]
    openings: re.Pattern[str]
    heard_backchannel: re.Pattern[str]
    heard_stops: frozenset[str]
    asks: frozenset[str]
    heard_asks: frozenset[str]
    heard_openings: re.Pattern[str]
    kin: dict[str, str]
    """By their sounds."""


@cache
def words(lang: Lang) -> Words:
    return _all()[lang]


def folded(text: str) -> str:
    """Without case and punctuation, words one space apart, Chinese without."""
    text = _JOINT.sub(" ", text.casefold().replace("’", "'")).strip()
    return re.sub(r"(?<=[\u3400-\u9fff])\s+|\s+(?=[\u3400-\u9fff])", "", text)


@cache
def _all() -> dict[Lang, Words]:
    content: Any = yaml.safe_load(files("configs").joinpath("turn_taking.yaml").read_text("utf-8"))
    return {lang: _read(content[lang], lang) for lang in LANGUAGES}


def _read(given: dict[str, Any], lang: Lang) -> Words:
    gap = r"\s*" if lang == "zh" else r"\s+"
    lists = {
        key: [folded(one) for one in given[key]] for key in ("backchannels", "laughter", "stops", "asks", "openings")
    }
    heard = {key: [spoken for one in those if (spoken := sound(one))] for key, those in lists.items()}
    return Words(
        _whole(lists["backchannels"] + lists["laughter"], gap),
        _whole(lists["laughter"], gap),
        frozenset(lists["stops"]),
        re.compile(rf"^(?:{_either(lists['backchannels'])}{gap})?(?:{_either(lists['stops'])})(?:\b|$)"),
        frozenset(filter(None, map(folded, given["phantoms"]))),
        tuple(re.compile(one.replace("{name}", given["called"]), re.IGNORECASE) for one in given["asides"]),
        re.compile(rf"^(?:{given['called']})$", re.IGNORECASE),
        tuple(sorted(map(folded, given["unfinished"]), key=len, reverse=True)),
        tuple(re.compile(one) for one in given["whole"]),
        tuple(re.compile(one, re.IGNORECASE) for one in given["asked"]),
        tuple(re.compile(one, re.IGNORECASE) for one in given["hanging"]),
        re.compile(rf"^{_either(lists['openings'])}(?:\b|{'' if lang == 'zh' else '$'})"),
        _whole(heard["backchannels"], r"\s"),
        frozenset(heard["stops"]),
        frozenset(lists["asks"]),
        frozenset(heard["asks"]),
        re.compile(rf"^{_either(heard['openings'])}(?:\s|$)"),
        {spoken: one for one in given["kin"] if (spoken := sound(one))},
    )


def _either(listed: list[str]) -> str:
    """Nothing is found in an empty list."""
    return "(?:" + ("|".join(map(re.escape, sorted(filter(None, listed), key=len, reverse=True))) or "(?!)") + ")"


def _whole(listed: list[str], gap: str) -> re.Pattern[str]:
    return re.compile(rf"^{_either(listed)}(?:{gap}{_either(listed)})*$")
