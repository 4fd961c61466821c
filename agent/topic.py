"""What a question is about, and the words that lean on what another one is about."""

import functools
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

from configs.language import Lang

_STOP = re.compile(r"[\s?？!！.。;；,，]+$")
_CONTENT = re.compile(r"[^\W_]")
_LONGEST = 40
"""Characters of a topic at most."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How one language leans on what was said before; see `configs/followups.yaml`."""

    lang: Lang
    opener: re.Pattern[str]
    asks: re.Pattern[str]
    tail: re.Pattern[str]
    light: re.Pattern[str]
    pronoun: re.Pattern[str]
    person: re.Pattern[str]
    alone: re.Pattern[str]
    unsaid: re.Pattern[str]
    fragment: re.Pattern[str]
    name: re.Pattern[str]
    slots: tuple[re.Pattern[str], ...]

    def bare(self, question: str) -> str:
        """Without what opens it politely, and without its question mark."""
        whole = _STOP.sub("", question.strip())
        return self.opener.sub("", whole) or whole

    def weightless(self, bare: str) -> bool:
        """Does it say nothing of what it is about?"""
        return not _CONTENT.search(self.light.sub("", bare))

    def lacking(self, bare: str) -> bool:
        """Is it a question that leaves out what it is about?"""
        return self.weightless(bare) or self.unsaid.search(bare) is not None

    def topic(self, question: str) -> str:
        """The phrase that says what a question is about; empty where it has none."""
        bare = self.opener.sub("", _STOP.sub("", question.strip()))
        if self.lang == "en":
            while bare != (shorter := self.asks.sub("", bare, count=1)):
                bare = shorter
            return self.tail.sub("", bare)[:_LONGEST]
        parts = [self.tail.sub("", part) for part in self.asks.split(bare) if part]
        return next((part for part in parts if not self.weightless(part) and len(part) > 1), "")[:_LONGEST]

    def placed(self, fragment: str, question: str) -> str | None:
        """A question with `fragment` in the place of its like; None where it has none."""
        for slot in self.slots:
            if (new := slot.search(fragment)) and (old := slot.search(question)) and new[0] != old[0]:
                return question[: old.start()] + new[0] + question[old.end() :]
        return None


@functools.cache
def manner(lang: Lang) -> Manner:
    content: Any = yaml.safe_load(files("configs").joinpath("followups.yaml").read_text("utf-8"))[lang]

    def pattern(expression: str) -> re.Pattern[str]:
        return re.compile("".join(expression.splitlines()), re.IGNORECASE)

    edge = r"(?<![\w'])(?:{})(?![\w'])" if lang == "en" else "{}"
    return Manner(
        lang=lang,
        **{key: pattern(content[key]) for key in ("opener", "asks", "tail", "unsaid", "fragment")},
        **{key: pattern(edge.format(content[key])) for key in ("light", "pronoun", "person", "alone")},
        name=re.compile(content["name"]),
        slots=tuple(pattern(edge.format(slot)) for slot in content["slots"]),
    )
