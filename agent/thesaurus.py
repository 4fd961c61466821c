"""Which words ask for the same thing, so that "几点关门" finds "闭馆" and "cost" finds "price"."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

from knowledge.lexical import stem

_LONGEST_HAN, _MOST_WORDS = 8, 4
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


def stemmed(text: str) -> str:
    return f" {' '.join(stem(word) for word in _LATIN.findall(text.casefold()))} "


def meanings(folded: str) -> Iterator[tuple[tuple[int, int], frozenset[Form]]]:
    """Spans of a folded question whose words the thesaurus knows, each with the forms that mean the same."""
    known = _known()
    for start in (at for at, char in enumerate(folded) if char > "\u2e7f"):
        for end in range(start + 1, min(start + _LONGEST_HAN, len(folded)) + 1):
            if forms := known.get(folded[start:end]):
                yield (start, end), forms
    words = list(_LATIN.finditer(folded))
    stems = [stem(word[0]) for word in words]
    for first in range(len(words)):
        for last in range(first, min(first + _MOST_WORDS, len(words))):
            if forms := known.get(f" {' '.join(stems[first : last + 1])} "):
                yield (words[first].start(), words[last].end()), forms


@functools.cache
def _known() -> dict[str, frozenset[Form]]:
    """The text of each form of `configs/thesaurus.txt` that a question may have, with the forms a text may have."""
    known: dict[str, frozenset[Form]] = {}
    for line in files("configs").joinpath("thesaurus.txt").read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            for asked, found in _parse(line):
                known[asked.text] = known.get(asked.text, frozenset()) | found
    return known


def _parse(line: str) -> Iterator[tuple[Form, frozenset[Form]]]:
    words = [word.strip().casefold() for word in line.split(",") if word.strip()]
    alike = frozenset(Form.of(word) for word in words if ">" not in word)
    for form in alike:
        if len(form.text) > 1:
            yield form, alike - {form}
    for word in words:
        if ">" in word:
            narrow, _, wide = word.partition(">")
            yield Form.of(narrow.strip()), frozenset({Form.of(wide.strip())})
