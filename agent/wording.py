"""How much of what a question asks about a text speaks of, word by word, in both languages."""

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agent.facts import Figure, figures, spellings, telling
from agent.thesaurus import Form, Searchable, meanings, stemmed
from configs.characters import simplified
from knowledge.lexical import question_terms, stem

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]")
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?:[.,:]\d+)*|[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f]")
_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_LATIN_WORD = re.compile(r"[a-z0-9']+")
_NEARLY = 0.5
"""Share of their trigrams that two words have in common before they count as nearly the same."""
_ALONE = 0.4
"""Credit for a Chinese character whose neighbours in the question are not its neighbours in the text."""
_SMALL, _TELLING = 0.3, 1.5
"""Weights of a number below 100 and of any other figure: "two days" need not find 2, a year or a time must be found."""
_FOCUS = 2.0
Span = tuple[int, int]
Credits = tuple[float, ...]
_LIGHT = re.compile(
    "东西|专门|一下|一共|一座|这座|那座|这家|你们|平时|平常|通常|一般|对外|具体|大概|大约|到底|究竟|能|给|到|要|会|用|做|里|当|拿|每个人|个人"
    "|(?<![a-z])(?:on an? (?:normal|usual|regular|typical|ordinary|average) day|per|must|go|goes|going|still|take|takes"
    "|taken|make|use|used|happen|exactly|please|right|really|want|like|there|here|there's|when's|who's|anything|something"
    "|someone|somebody|kind|sort|normal|normally|usual|usually|regular|typical|until|each|every|everyone|ever|just"
    "|actually|currently|thing|things|lot|different|various)(?![a-z])"
)
"""Words that a text need not have to answer a question that has them."""


def fold(text: str) -> str:
    """Full-width forms narrowed, case and traditional characters folded, accents dropped."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    if text.isascii():
        return text
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return simplified(plain)


@functools.lru_cache(maxsize=4096)
def searchable(text: str) -> Searchable:
    """Remembered, since the same sentences are searched for one question after another."""
    folded = fold(text)
    return Searchable(folded, stemmed(folded))


@dataclass(frozen=True, slots=True)
class _Part:
    """One English word, figure or Chinese character of a question.

    `forms`: what means the same; `pairs`: a character with its neighbours; `weight`: how much it says; `at`: where
    the question has it; `word`: an English one as it stands there; `wanted`: it belongs to the noun asked for.
    """

    form: Form
    weight: float
    pairs: tuple[str, ...]
    forms: frozenset[Form]
    at: int = -1
    word: str = ""
    wanted: bool = False

    def credit(self, text: Searchable) -> float:
        if any(pair in text.folded for pair in self.pairs):
            return 1.0
        if (found := self.form.within(text)) and not self.pairs:
            return 1.0
        if any(form.within(text) for form in self.forms):
            return 1.0
        return _ALONE if found else 0.0


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure of a question, in any spelling."""

    figure: Figure
    weight: float

    def credit(self, text: Searchable) -> float:
        return float(bool(self.figure & spellings(text.folded)))


class Wording:
    """The words of a question that say what it is about, each with its weight.

    `weights`: the idf of each of the question's terms; without them all weigh the same. `asking`: the span of
    the words that only say what kind of answer is wanted; `focus`: of the noun asked for, which weighs double.
    """

    def __init__(
        self, question: str, weights: Mapping[str, float], asking: Span = (0, 0), focus: Span = (0, 0)
    ) -> None:
        folded = fold(question)
        terms = weights or dict.fromkeys(question_terms(question), 1.0)
        about = folded if len(folded) == len(question) else question.casefold()
        kept = about[: asking[0]] + " " * (asking[1] - asking[0]) + about[asking[1] :]
        kept = kept if any(_term(token) in terms for token in _TOKEN.findall(kept)) else about
        self.parts = tuple(_parts(kept, terms, focus))
        self._total = sum(part.weight for part in self.parts)
        self._folded = about

    def credits(self, text: str) -> Credits:
        """How far `text` speaks of each of the question's words, 0 to 1."""
        sought = searchable(text)
        return tuple(part.credit(sought) for part in self.parts)

    def share(self, *texts: Credits) -> float:
        """The share of the question that several texts together speak of, by weight, 0 to 1."""
        if not self._total:
            return 0.0
        total = 0.0
        for part, credits in zip(self.parts, zip(*texts, strict=True), strict=True):
            total += part.weight * max(credits)
        return total / self._total

    def wanted(self, *texts: Credits) -> float:
        """How far several texts together speak of the noun that is asked for; 1 where there is none."""
        credits = [
            max(credits)
            for part, credits in zip(self.parts, zip(*texts, strict=True), strict=True)
            if isinstance(part, _Part) and part.wanted
        ]
        return sum(credits) / len(credits) if credits else 1.0

    def resemblance(self, text: str) -> float:
        """The share of the question that one text has nearly as it stands, or in words that mean the same.

        A Chinese character counts by the length of the run that the text has of it and its neighbours, alone not at
        all; an English word by the letters that it shares with the most similar one.
        """
        sought = searchable(text)
        runs, words = _runs(self._folded, sought.folded), _words_of(sought.folded)
        found = 0.0
        for part in self.parts:
            match part:
                case _Part(forms=forms) if any(form.within(sought) for form in forms):
                    found += part.weight
                case _Part(pairs=()) if part.word:
                    found += part.weight * _closest(part.word, words)
                case _Part(at=at) if at >= 0:
                    found += part.weight * (1 - 1 / (1.5 * runs[at]) if runs[at] > 1 else 0.0)
                case _:
                    found += part.weight * part.credit(sought)
        return found / self._total if self._total else 0.0

    def coverage(self, text: str) -> float:
        """The share of the question that one text speaks of."""
        return self.share(self.credits(text))


def _runs(question: str, text: str) -> list[int]:
    """For each character of the question, the length of the run of Chinese characters around it that the text has."""
    lengths = [0] * len(question)
    for run in _HAN_RUN.finditer(question):
        at = run.start()
        while at < run.end():
            length = 0
            while at + length < run.end() and question[at : at + length + 1] in text:
                length += 1
            lengths[at : at + length] = [length] * length
            at += max(length, 1)
    return lengths


Trigrams = frozenset[str]


@functools.lru_cache(maxsize=256)
def _words_of(text: str) -> tuple[frozenset[str], tuple[Trigrams, ...]]:
    """The stems of a text, and the trigrams of its longer words."""
    words = set(_LATIN_WORD.findall(text))
    return frozenset(map(stem, words)), tuple(_trigrams(word) for word in words if len(word) > 3)


def _trigrams(word: str) -> Trigrams:
    marked = f"^{word}$"
    return frozenset(marked[at : at + 3] for at in range(len(marked) - 2))


def _closest(word: str, pool: tuple[frozenset[str], tuple[Trigrams, ...]]) -> float:
    stems, others = pool
    if _term(word) in stems:
        return 1.0
    own = _trigrams(word)
    most = max((2 * len(own & other) / (len(own) + len(other)) for other in others), default=0.0)
    return most if most >= _NEARLY else 0.0


def _parts(folded: str, terms: Mapping[str, float], focus: Span) -> Iterator[_Part | _Figure]:
    light = {at for match in _LIGHT.finditer(folded) for at in range(*match.span())}
    tokens = [match for match in _TOKEN.finditer(folded) if _term(match[0]) in terms and match.start() not in light]
    usual = sum(terms.values()) / max(len(terms), 1)
    known = list(meanings(folded))
    said = {match.start() for match in tokens}
    for span, forms in known:
        if " " in folded[slice(*span)] and said.isdisjoint(range(*span)):
            yield _Part(Form(stemmed(folded[slice(*span)]), True), usual, (), forms)
    for figure in figures(folded):
        yield _Figure(figure, usual * (_TELLING if telling(figure) else _SMALL))
    han = {match.start() for match in tokens if _HAN.match(match[0])}
    for match in tokens:
        at, word = match.start(), match[0]
        forms = frozenset().union(*(forms for span, forms in known if span[0] <= at < span[1]))
        wanted = focus[0] <= at < focus[1]
        weight = terms[_term(word)] * (_FOCUS if wanted else 1.0)
        if at in han:
            pairs = tuple(folded[i : i + 2] for i in (at - 1, at) if i in han and i + 1 in han)
            yield _Part(Form(word, False), weight, pairs, forms, at, wanted=wanted)
        elif not word[0].isdigit():
            yield _Part(Form(f" {_term(word)} ", True), weight, (), forms, at, word, wanted)


def _term(token: str) -> str:
    return token.replace(",", "") if token[0].isdigit() else token if _HAN.match(token) else stem(token)
