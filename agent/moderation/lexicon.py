"""A lexicon: terms, the longer words that are harmless, and the contexts in which a term is."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agent.moderation import spelling
from agent.moderation.findings import RISK_OF, Finding, Span
from agent.moderation.folding import Folded, bare, breaks, compact, fold
from configs.safety import Category

_HAN = re.compile(r"[\u3400-\u9fff]")
_SURE_ANYWAY = 4
"""Characters of a Chinese term that is one even where clause marks stand between its characters."""
_AROUND = 10
"""Characters before and after a term in which its context is looked for."""
_FEWEST_SYLLABLES = 3
"""Of a term that is found by its sound: shorter ones sound like too much else."""
Reading = Callable[[str], str]
"""The syllable of a Chinese character, without its tone; the empty string where there is none."""


@dataclass(frozen=True, slots=True)
class Term:
    """`text`: Chinese is found anywhere, other words at their boundaries and inflected. `exceptions`: longer words
    that have the term in them and are harmless; `contexts`: words that make it so from nearby;
    `homophones`: Chinese of three characters and more is found by its sound, too."""

    text: str
    category: Category
    risk: str = ""
    score: float = 1.0
    exceptions: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    homophones: bool = False

    def finding(self, span: Span) -> Finding:
        return Finding(self.category, self.risk or RISK_OF[self.category], self.score, span)


@dataclass(slots=True)
class _Table:
    """Words to find in a sequence of characters, of tokens or of syllables, longest first. None: harmless."""

    entries: dict[tuple[str, ...], Term | None] = field(default_factory=dict)
    lengths: dict[str, list[int]] = field(default_factory=dict)

    def add(self, key: Sequence[str], term: Term | None) -> None:
        key = tuple(key)
        if key and (term is not None or key not in self.entries):
            self.entries.setdefault(key, term)
            known = self.lengths.setdefault(key[0], [])
            if len(key) not in known:
                known.append(len(key))
                known.sort(reverse=True)

    def find(self, units: Sequence[str]) -> Iterator[tuple[int, int, Term | None]]:
        lengths, entries, end = self.lengths, self.entries, len(units)
        for start, unit in enumerate(units):
            for length in lengths.get(unit, ()):
                if start + length <= end:
                    key = tuple(units[start : start + length])
                    if key in entries:
                        yield start, start + length, entries[key]


class Lexicon:
    """`find` what a text has of the terms. `reading`: what homophones are told by; without it, none is."""

    def __init__(self, terms: Sequence[Term], reading: Reading | None = None) -> None:
        self.size = len(terms)
        self._characters, self._words, self._sounds = _Table(), _Table(), _Table()
        self._joined: dict[str, Term] = {}
        self._forms: dict[str, str] = {}
        self._reading = reading
        for term in terms:
            self._add(term)

    def _add(self, term: Term) -> None:
        for text, entry in ((term.text, term), *((word, None) for word in term.exceptions)):
            if _HAN.search(text):
                self._characters.add(bare(text), entry)
                if entry is not None and entry.homophones and self._reading is not None:
                    self._add_sound(bare(text), entry, self._reading)
            else:
                words = [word.text for word in spelling.words(fold(text).text)]
                for word in words:
                    self._forms |= dict.fromkeys(spelling.forms(word), word)
                self._words.add(words, entry)
                joined = "".join(words)
                if entry is not None and len(joined) > 3:
                    self._joined[joined] = entry

    def _add_sound(self, text: str, term: Term, reading: Reading) -> None:
        sounds = [reading(char) or char for char in text]
        if len(sounds) >= _FEWEST_SYLLABLES and all(_HAN.match(char) for char in text):
            self._sounds.add(sounds, term)

    def find(self, text: str) -> tuple[Finding, ...]:
        folded = fold(text)
        letters = compact(folded)
        found = [*self._chinese(letters, text), *self._english(folded)]
        if self._reading is not None:
            found += self._sounding(letters, self._reading)
        return tuple(term.finding(span) for span, term in found if not _harmless(term, span, folded))

    def _chinese(self, letters: Folded, text: str) -> Iterator[tuple[Span, Term]]:
        matches = list(self._characters.find(letters.text))
        for start, end, term in _standing(matches):
            parts = pairwise(letters.at[start:end])
            if end - start >= _SURE_ANYWAY or not any(breaks(text, left, right) for left, right in parts):
                yield letters.span(start, end), term

    def _english(self, folded: Folded) -> Iterator[tuple[Span, Term]]:
        words = spelling.words(folded.text)
        matches = list(self._words.find([self._forms.get(word.text, word.text) for word in words]))
        for start, end, term in _standing(matches):
            yield folded.span(words[start].start, words[end - 1].end), term
        for word in words:
            if (word.hidden or len(word.text) > 6) and (joined := self._joined.get(word.text)) is not None:
                yield folded.span(word.start, word.end), joined

    def _sounding(self, letters: Folded, reading: Reading) -> Iterator[tuple[Span, Term]]:
        """What sounds like a term without being written as one: a character of it must still be the term's own."""
        sounds = [reading(char) or char for char in letters.text]
        for start, end, term in _standing(list(self._sounds.find(sounds))):
            written = letters.text[start:end]
            own = bare(term.text)
            if written != own and any(one == other for one, other in zip(written, own, strict=True)):
                yield letters.span(start, end), term


def _standing(matches: Sequence[tuple[int, int, Term | None]]) -> Iterator[tuple[int, int, Term]]:
    """Those that no harmless longer word covers, nor a longer term of the same place."""
    clear = [(start, end) for start, end, term in matches if term is None]
    reached = -1
    for start, end, term in matches:
        if term is None or end <= reached or any(left <= start and end <= right for left, right in clear):
            continue
        reached = end
        yield start, end, term


def _harmless(term: Term, span: Span, folded: Folded) -> bool:
    if not term.contexts:
        return False
    start, end = folded.before(span[0]), folded.before(span[1])
    near = f"{folded.text[max(0, start - 2 * _AROUND) : start]} {folded.text[end : end + 2 * _AROUND]}"
    if _HAN.search(term.text):
        near = f"{folded.text[max(0, start - _AROUND) : start]} {folded.text[end : end + _AROUND]}"
    return any(context in near for context in term.contexts)
