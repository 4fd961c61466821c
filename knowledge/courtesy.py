"""A question without what is said around it: greetings, thanks, "could you tell me", hesitation. No I/O."""

import functools
import re
from importlib.resources import files
from typing import Any

import yaml

from configs.language import LANGUAGES, Lang

_AROUND = " \t\r\n，,、。.;；:：！!?？~～…—-"
_HAN = re.compile(r"[\u3400-\u9fff]")
_SPEAKS = re.compile(r"\w")
_ME = re.compile(r"(?<![\w'])i(?![\w-])")


def core(text: str, name: str = "") -> str:
    """The question alone, in its own words, closed by a question mark; the whole text where it is nothing but courtesy.

    `name`: whose it is to answer, which an address may begin or end with. What is all in small letters gets its
    capitals: a question is one text, however it was typed or heard.
    """
    bare, before = _trimmed(text), ""
    patterns = [*_addresses(name), *(pattern for lang in LANGUAGES for pattern in _courtesies(lang))]
    while bare != before:
        before = bare
        for pattern in patterns:
            shorter = _trimmed(pattern.sub(" ", bare))
            bare = shorter if _SPEAKS.search(shorter) else bare
    if not _SPEAKS.search(bare):
        return text
    bare = " ".join(bare.split())
    return f"{bare}？" if _HAN.search(bare) else f"{_cased(bare)}?"


def _trimmed(text: str) -> str:
    return text.strip(_AROUND)


def _cased(text: str) -> str:
    return _ME.sub("I", text[0].upper() + text[1:]) if text.islower() or text[0].islower() else text


@functools.lru_cache(maxsize=64)
def _addresses(name: str) -> tuple[re.Pattern[str], ...]:
    """A name where it is an address: behind a greeting or before a mark at the beginning, behind a mark at the end."""
    if not name:
        return ()
    one = rf"(?:{re.escape(name)})+"
    greeting = "(?:hello|hi|hey|ok|okay)[ ,]+|[嗨嘿]|哈[喽啰罗]|[你您]好"
    greeted = rf"^(?:(?:{greeting})[，, ]*{one}(?![\w'])|{one}(?=[，,、。.！!：:…]|[你您]好))"
    return re.compile(greeted, re.IGNORECASE), re.compile(rf"[，,。.？?！!]+\s*{one}$", re.IGNORECASE)


@functools.cache
def _courtesies(lang: Lang) -> tuple[re.Pattern[str], ...]:
    """What hesitates, what opens and what closes, as `configs/courtesies.yaml` has it."""
    content: Any = yaml.safe_load(files("configs").joinpath("courtesies.yaml").read_text("utf-8"))[lang]
    opens, closes, hesitates = ("".join(content[key].splitlines()) for key in ("opens", "closes", "hesitates"))
    start, end = (r"^(?:{})(?![\w'])", r"(?<![\w'])(?:{})$") if lang == "en" else ("^(?:{})", "(?:{})$")
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in (hesitates, start.format(opens), end.format(closes)))
