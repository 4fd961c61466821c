"""What a persona does not talk about, and how a question about it is recognised."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property

from pydantic import field_validator

from agent.lines import Both, Lists, Part
from configs.characters import simplified


class Topic(Part):
    """`name`: what the model is told to keep away from. `phrases`: a question that has one of them, in either language,
    is about it: English ones as whole words, their plural included. `instead`: what is said then."""

    name: Both
    phrases: Lists
    instead: Both

    @field_validator("phrases")
    @classmethod
    def _can_be_found(cls, phrases: Lists) -> Lists:
        for phrase in (*phrases.zh, *phrases.en):
            if len("".join(_words(phrase))) < 2:
                raise ValueError(f"{phrase!r} is too short: a phrase has two letters or characters, or more")
        return phrases

    def named(self, text: str) -> frozenset[str]:
        """The phrases that `text` has; neither case, width nor punctuation and spaces within hide one."""
        return frozenset("".join(_words(found[1])) for found in self._phrases.finditer(_folded(text)))

    @cached_property
    def _phrases(self) -> re.Pattern[str]:
        longest_first = sorted({*self.phrases.zh, *self.phrases.en}, key=len, reverse=True)
        return re.compile(f"(?=({'|'.join(map(_pattern, longest_first))}))")


def avoided(topics: Sequence[Topic], question: str, passages: Iterable[str] = ()) -> Topic | None:
    """The first topic that `question` names. `passages`: what the documents were found to say of it.

    A phrase that stands there too is the operator's own subject: a museum of the press may show an election.
    """
    found = list(passages)
    for topic in topics:
        named = topic.named(question)
        if named and not any(named & topic.named(passage) for passage in found):
            return topic
    return None


def _pattern(phrase: str) -> str:
    words = _words(phrase)
    begins = r"(?<![a-z0-9])" if words[0].isascii() else ""
    ends = r"(?=(?:e?s)?(?![a-z0-9]))" if words[-1].isascii() else ""
    return begins + r"[\W_]*".join(map(re.escape, words)) + ends


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+|[^\W_]", _folded(text))


def _folded(text: str) -> str:
    return simplified(unicodedata.normalize("NFKC", text).casefold())
