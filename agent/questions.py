"""What kind of answer a question wants, and whether a text has one of that kind to give."""

import functools
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from configs.language import Lang
from configs.numerals import BELOW_HUNDRED

Span = tuple[int, int]

_NUMBERS = sorted(
    (*BELOW_HUNDRED, "hundred", "thousand", "million", "billion", "half", "quarter", "dozen"), key=len, reverse=True
)
_FOCUS = {
    "zh": re.compile(r"的([\u3400-\u9fff]{2,6}?)(?=是|有|叫|怎|如何|多|几|吗|[？?]|$)"),
    "en": re.compile(
        r"^(?:what|which) (?!(?:is|are|was|were|do|does|did|can|will|time|happens)\b)(\w+)"
        r"|^(?:what|who)(?:'s| is| are| was| were) (?:the |its |your )?(?:[\w'-]+ )*?([\w-]+)"
        r"(?= of\b| in\b| at\b| on\b| for\b|\?|$)",
        re.IGNORECASE,
    ),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of answer in one language. `soft`: a text may have one without our seeing it."""

    name: str
    asks: re.Pattern[str]
    has: re.Pattern[str]
    soft: bool

    def found_in(self, text: str) -> bool:
        return self.has.search(text) is not None


ANY = Kind("any", re.compile(""), re.compile(""), soft=False)


def kind_of(question: str, lang: Lang) -> tuple[Kind, Span]:
    """The first kind that the question's words ask for, and the span of the words that do."""
    for kind in _kinds(lang):
        if match := kind.asks.search(question):
            return kind, match.span()
    return ANY, (0, 0)


def focus(question: str, lang: Lang) -> Span:
    """The span of the noun that is asked for: what a thing's *password* is, which *university*."""
    match = _FOCUS[lang].search(question)
    return match.span(match.lastindex or 0) if match else (0, 0)


@functools.cache
def _kinds(lang: Lang) -> tuple[Kind, ...]:
    """Those of `configs/questions.yaml`, in its order."""
    content: Any = yaml.safe_load(files("configs").joinpath("questions.yaml").read_text("utf-8"))
    words: dict[str, str] = content["words"] | {"number": f"(?:{'|'.join(_NUMBERS)})"}

    def pattern(choices: list[str]) -> re.Pattern[str]:
        whole = "|".join(choices)
        for name, word in words.items():
            whole = whole.replace(f"{{{name}}}", word)
        return re.compile(whole, re.IGNORECASE)

    return tuple(
        Kind(kind["name"], pattern(kind[lang]["asks"]), pattern(kind[lang]["has"]), kind.get("soft", False))
        for kind in content["kinds"]
    )
