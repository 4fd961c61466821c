"""What people say to each other while one of them speaks, by language: `configs/turn_taking.yaml`."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from configs.language import LANGUAGES, Lang

_JOINT = re.compile(r"[^\w'’]+|_+")


@dataclass(frozen=True, slots=True)
class Words:
    """All of them folded. A `whole` matches a text that is made of such words and nothing else."""

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
    lists = {key: [folded(one) for one in given[key]] for key in ("backchannels", "laughter", "stops")}
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
    )


def _either(listed: list[str]) -> str:
    return "(?:" + "|".join(map(re.escape, sorted(filter(None, listed), key=len, reverse=True))) + ")"


def _whole(listed: list[str], gap: str) -> re.Pattern[str]:
    return re.compile(rf"^{_either(listed)}(?:{gap}{_either(listed)})*$")
