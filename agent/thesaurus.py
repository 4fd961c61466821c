"""Which words ask for the same thing, so that "几点关门" finds "闭馆" and "cost" finds "price"."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from knowledge.lexical import stem

_LATIN = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Form:
    """One word as it is looked up: Chinese as it stands, English as stems with spaces around."""

    text: str
    latin: bool

    @classmethod
    def of(cls, word: str) -> "Form":
        latin = word.isascii() or not re.search(r"[\u3400-\u9fff]", word)
        return cls(stemmed(word) if latin else word, latin)

    def within(self, text: "Searchable") -> bool:
        return self.text in (text.stems if self.latin else text.folded)


@dataclass(frozen=True, slots=True)
class Searchable:
    """A text ready to be searched for words: folded, and as stems with spaces around each."""

    folded: str
    stems: str


@dataclass(frozen=True, slots=True)
class Idea:
    """`asked`: the word as the question may say it; `found`: words of a text that mean it too."""

    asked: Form
    found: frozenset[Form]


def stemmed(text: str) -> str:
    return f" {' '.join(stem(word) for word in _LATIN.findall(text.casefold()))} "


@functools.cache
def ideas() -> tuple[Idea, ...]:
    """Those of `configs/thesaurus.txt`, longest word first."""
    lines = files("configs").joinpath("thesaurus.txt").read_text("utf-8").splitlines()
    found = [idea for line in lines if line.strip() and not line.startswith("#") for idea in _parse(line)]
    return tuple(sorted(found, key=lambda idea: len(idea.asked.text), reverse=True))


def _parse(line: str) -> Iterator[Idea]:
    words = [word.strip().casefold() for word in line.split(",") if word.strip()]
    alike = frozenset(Form.of(word) for word in words if ">" not in word)
    for form in alike:
        if len(form.text) > 1:
            yield Idea(form, alike - {form})
    for word in words:
        if ">" in word:
            narrow, _, wide = word.partition(">")
            yield Idea(Form.of(narrow.strip()), frozenset({Form.of(wide.strip())}))
