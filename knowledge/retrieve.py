"""Hybrid search: BM25 and vectors, each standardised over the candidates of one question and added."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from knowledge.documents import Hit, Passage
from knowledge.ingest import indexed
from knowledge.lexical import Counts, LexicalIndex, counted, question_terms

CANDIDATES = 64
"""Passages that each of the two searches puts forward."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Nearest:
    """Cosine similarities of the nearest passages. `absent` tells which passages have no vector yet."""

    similarities: Mapping[str, float]
    absent: Callable[[str], bool]

    @property
    def floor(self) -> float:
        """What a passage that has a vector but is not among the nearest reaches at most."""
        return min(self.similarities.values(), default=0.0)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Hits, best first; the question's terms with their idf; milliseconds per stage."""

    hits: tuple[Hit, ...]
    weights: dict[str, float]
    timings: dict[str, float]


class Shelf:
    """The passages in memory with their lexical index. One thread at a time."""

    def __init__(self) -> None:
        self._index = LexicalIndex()
        self._slots: dict[str, int] = {}
        self._passages: dict[int, Passage] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def replace(self, old: Iterable[str], new: Iterable[tuple[Passage, Counts]]) -> None:
        """Take passages off by id and put others on, with their counted terms; a passage of the same id is replaced."""
        for identifier in old:
            self._take(identifier)
        for passage, counts in new:
            if passage.id in self._slots:
                self._take(passage.id)
            slot = self._index.add(counts)
            self._slots[passage.id] = slot
            self._passages[slot] = passage

    def search(self, question: str, count: int, nearest: Nearest | None) -> Ranking:
        """The best `count` passages; by words alone where `nearest` is None."""
        began = perf_counter()
        wanted = question_terms(question)
        scores = self._index.score(wanted)
        slots = scores.best(CANDIDATES)
        matched = perf_counter()
        if nearest is not None:
            known = set(slots)
            slots += [s for i in nearest.similarities if (s := self._slots.get(i)) is not None and s not in known]
        lexical = scores.slots[slots].astype(np.float64)
        dense = self._similarities(slots, nearest)
        fused = fuse(lexical, dense)
        hits = tuple(
            Hit(
                passage=self._passages[slots[at]],
                score=float(fused[at]),
                lexical=float(lexical[at]),
                coverage=min(float(scores.shares[slots[at]]), 1.0),
                dense=None if np.isnan(dense[at]) else float(dense[at]),
            )
            for at in np.argsort(-fused, kind="stable")[:count]
        )
        weights = {term: self._index.idf(term) for term in wanted}
        timings = {"lexical": (matched - began) * 1e3, "fusion": (perf_counter() - matched) * 1e3}
        return Ranking(hits, weights, timings)

    def _take(self, identifier: str) -> None:
        slot = self._slots.pop(identifier)
        del self._passages[slot]
        self._index.remove(slot)

    def _similarities(self, slots: list[int], nearest: Nearest | None) -> Scores:
        """One for each slot; not a number where the passage has no vector."""
        if nearest is None:
            return np.full(len(slots), np.nan)
        floor = nearest.floor
        values = []
        for slot in slots:
            identifier = self._passages[slot].id
            missing = np.nan if nearest.absent(identifier) else floor
            values.append(nearest.similarities.get(identifier, missing))
        return np.array(values, np.float64)


def prepared(passages: Iterable[Passage]) -> list[tuple[Passage, Counts]]:
    """Passages with the terms of what is indexed for them: the costly half of putting them on the shelf."""
    return [(passage, counted(indexed(passage))) for passage in passages]


def fuse(lexical: Scores, dense: Scores) -> Scores:
    """Half the z-score of each; a passage without a vector is taken to be as near as its words say."""
    words, vectors = standardised(lexical), standardised(dense)
    return 0.5 * words + 0.5 * np.where(np.isnan(vectors), words, vectors)


def standardised(values: Scores) -> Scores:
    """Z-scores of the numbers among the values; zeros where they are all the same."""
    numbers = values[~np.isnan(values)]
    if len(numbers) == 0:
        return values
    deviation = numbers.std()
    return (values - numbers.mean()) / deviation if deviation > 1e-9 else values * 0.0
