"""Curated answers by their questions: the same question, or one that two signals agree is the same in other words."""

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import date

from knowledge.alike import Sense, plain
from knowledge.documents import Curated

NEAR, NEARER, AHEAD = 0.93, 0.965, 0.02
"""Cosines from which a wording of the same words may say the same, and one with words of its own; and their lead over
those of other entries. For multilingual-e5-small."""

SHARED, CLEAR = 0.6, 0.1
"""Share of the terms, weighted by idf, that the two have in common, and its lead over those of other entries."""

ADDED = 0.15
"""Share, by weight, of the words of one that the other may lack. Where each lacks some, a word was changed."""


@dataclass(frozen=True, slots=True)
class _Wording:
    text: str
    key: str
    sense: Sense


class Answers:
    """Entries are put in, replaced and taken out one by one. One thread at a time."""

    def __init__(self) -> None:
        self._entries: dict[str, Curated] = {}
        self._wordings: dict[str, _Wording] = {}
        self._owners: dict[str, dict[str, None]] = {}
        self._keys: dict[str, dict[str, None]] = {}
        self._having: dict[str, dict[str, None]] = {}

    @classmethod
    def of(cls, entries: Iterable[Curated]) -> "Answers":
        answers = cls()
        for entry in entries:
            answers.put(entry)
        return answers

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Curated]:
        return iter(self._entries.values())

    def put(self, entry: Curated) -> None:
        """Add an entry, in place of the one with its id."""
        self.remove(entry.id)
        self._entries[entry.id] = entry
        for name, text in _named(entry):
            owners = self._owners.setdefault(name, {})
            if not owners:
                wording = self._wordings[name] = _Wording(text, plain(text), Sense.of(text))
                self._keys.setdefault(wording.key, {})[name] = None
                for term in wording.sense.terms:
                    self._having.setdefault(term, {})[name] = None
            owners[entry.id] = None

    def remove(self, identifier: str) -> bool:
        entry = self._entries.pop(identifier, None)
        if entry is None:
            return False
        for name, _ in _named(entry):
            self._owners[name].pop(identifier, None)
            if not self._owners[name]:
                self._forget(name)
        return True

    def wordings(self) -> dict[str, str]:
        """What to embed, as questions: the entries' questions by ids that follow from their text alone."""
        return {name: wording.text for name, wording in self._wordings.items()}

    def exact(self, question: str, today: date) -> Curated | None:
        """The entry in force that has this question, but for spelling and politeness."""
        return self._in_force(self._keys.get(plain(question), {}), today)

    def paraphrase(self, question: str, nearest: Mapping[str, float] | None, today: date) -> Curated | None:
        """The entry in force that asks the same in other words, where words and vectors agree and nothing contradicts.

        `nearest`: cosines of the question to the wordings; one that is not in it is taken to be far.
        """
        close = {name: cosine for name, cosine in (nearest or {}).items() if name in self._wordings}
        if not close:
            return None
        best = max(close, key=lambda name: close[name])
        sense, family = Sense.of(question), self._family(best)
        if close[best] < NEAR or close[best] - _most(close, family) < AHEAD:
            return None
        shared = self._shared(sense)
        same = [name for name in family if self._agrees(sense, self._wordings[name].sense, close.get(name, 0.0))]
        words = max((shared.get(name, 0.0) for name in same), default=0.0)
        if words < SHARED or words - _most(shared, family) < CLEAR:
            return None
        return self._in_force(family, today)

    def _forget(self, name: str) -> None:
        wording = self._wordings.pop(name)
        del self._owners[name]
        for index, key in [(self._keys, wording.key), *((self._having, term) for term in wording.sense.terms)]:
            del index[key][name]
            if not index[key]:
                del index[key]

    def _family(self, name: str) -> set[str]:
        """The wordings of all entries that have this one."""
        same = self._keys[self._wordings[name].key]
        return {other for alike in same for owner in self._owners[alike] for other, _ in _named(self._entries[owner])}

    def _in_force(self, names: Set[str] | Mapping[str, None], today: date) -> Curated | None:
        """Of the entries with these wordings the one that holds today; of several the one that holds shortest, then
        the one put last."""
        order = {identifier: at for at, identifier in enumerate(self._entries)}
        owners = {owner for name in names for owner in self._owners[name]}
        holding = [self._entries[owner] for owner in owners if _holds(self._entries[owner], today)]
        return min(holding, key=lambda entry: (_days(entry), -order[entry.id]), default=None)

    def _weight(self, term: str) -> float:
        """Its idf among the wordings; a term of none of them weighs most."""
        return math.log(2 + len(self._wordings) / (1 + len(self._having.get(term, ()))))

    def _shared(self, sense: Sense) -> dict[str, float]:
        """For each wording with one of the terms: twice the weight of what is common over the weight of both."""
        common: dict[str, float] = {}
        for term in sense.terms:
            for name in self._having.get(term, ()):
                common[name] = common.get(name, 0.0) + self._weight(term)
        own = self._total(sense.terms)
        return {
            name: 2 * weight / max(own + self._total(self._wordings[name].sense.terms), 1e-9)
            for name, weight in common.items()
        }

    def _total(self, terms: Set[str]) -> float:
        return sum(map(self._weight, terms))

    def _agrees(self, one: Sense, other: Sense, cosine: float) -> bool:
        """Do they ask the same kind of thing with the same figures, days and names, no word in another's place?"""
        mine, theirs = one.words - other.words, other.words - one.words
        if one.facets != other.facets or (mine and theirs):
            return False
        added, among = (mine, one.words) if mine else (theirs, other.words)
        return not added or cosine >= NEARER and self._total(added) <= ADDED * self._total(among)


def _named(entry: Curated) -> Iterator[tuple[str, str]]:
    """The entry's wordings by id, each once."""
    for text in dict.fromkeys(entry.entry.questions):
        if text.strip():
            yield hashlib.sha256(text.encode()).hexdigest()[:20], text


def _holds(entry: Curated, today: date) -> bool:
    since, until = entry.entry.since, entry.entry.until
    return (since is None or since <= today) and (until is None or today <= until)


def _days(entry: Curated) -> int:
    return ((entry.entry.until or date.max) - (entry.entry.since or date.min)).days


def _most(scores: Mapping[str, float], family: Set[str]) -> float:
    """The best score outside a family; nothing where there is none."""
    return max((score for name, score in scores.items() if name not in family), default=0.0)
