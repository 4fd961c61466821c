"""Hybrid search: BM25 and vectors, each standardised over the candidates of one question and added."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from knowledge import lexical_cache
from knowledge.documents import ANYTHING, Entry, Filter, Hit, Passage
from knowledge.lexical import Counts, LexicalIndex, question_terms
from knowledge.likeness import Likeness

CANDIDATES = 64
"""Passages that each of the two searches puts forward."""

Scores = NDArray[np.float64]
Mask = NDArray[np.bool_]
_NONE = np.zeros(0, np.float32)


@dataclass(frozen=True, slots=True)
class Mix:
    """What the words and the vectors weigh; without weight a search takes no part at all."""

    words: float
    vectors: float


HYBRID, WORDS, VECTORS = Mix(0.5, 0.5), Mix(1.0, 0.0), Mix(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Nearest:
    """Cosine similarities of the nearest passages. `absent` tells which passages have no vector yet; `closer`, asked
    for some passages, the similarities of the sentences of those of them whose sentences have vectors."""

    similarities: Mapping[str, float]
    absent: Callable[[str], bool]
    closer: Callable[[Sequence[str]], Mapping[str, NDArray[np.float32]]] = lambda _: {}

    @property
    def floor(self) -> float:
        """What a passage that has a vector but is not among the nearest reaches at most."""
        return min(self.similarities.values(), default=0.0)


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to ask a question. Without `nearest` the words alone decide."""

    text: str
    nearest: Nearest | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Hits, best first; the question's terms with their idf; milliseconds per stage."""

    hits: tuple[Hit, ...]
    weights: dict[str, float]
    timings: dict[str, float]


class Shelf:
    """The passages in memory with their lexical index. One thread at a time.

    Passages are put in hidden and come out in one step, `swap`: a search finds all of a change or nothing of it.
    """

    def __init__(self, index: LexicalIndex | None = None, ids: Sequence[str] = ()) -> None:
        """`index` may hold passages already: `ids` by slot, empty where one is free. They are hidden."""
        self._index = LexicalIndex() if index is None else index
        self._slots = {identifier: slot for slot, identifier in enumerate(ids) if identifier}
        self._passages: dict[int, Passage] = {}
        self._shown: Mask = np.zeros(max(256, self._index.capacity), np.bool_)
        self._hidden = len(self._slots)
        self._entries: dict[str, Entry] = {}
        self._of: dict[str, list[int]] = {}

    def __len__(self) -> int:
        """Passages that can be found."""
        return len(self._slots) - self._hidden

    def stock(self, new: Iterable[tuple[Passage, Counts]]) -> None:
        """Put passages in, hidden, with their counted terms; one whose id is there already keeps its place."""
        for passage, counts in new:
            if passage.id in self._slots:
                continue
            slot = self._index.add(counts)
            if slot >= len(self._shown):
                self._shown = np.concatenate([self._shown, np.zeros_like(self._shown)])
            self._slots[passage.id], self._passages[slot] = slot, passage
            self._shown[slot] = False
            self._hidden += 1

    def swap(self, removed: Iterable[str], volumes: Iterable[tuple[Entry, Sequence[Passage]]]) -> None:
        """Hide what the removed documents show, and show these passages, stocked before, in place of what their
        documents showed."""
        for document in removed:
            self._hide(document)
        for entry, passages in volumes:
            self._hide(entry.id)
            slots = [self._slots[passage.id] for passage in passages]
            for slot, passage in zip(slots, passages, strict=True):
                self._passages[slot] = passage
            self._shown[slots] = True
            self._hidden -= len(slots)
            self._entries[entry.id], self._of[entry.id] = entry, slots

    def relabel(self, entry: Entry) -> None:
        """Take note of a document's new labels."""
        if entry.id in self._entries:
            self._entries[entry.id] = entry

    def discard(self, ids: Iterable[str] | None = None) -> None:
        """Take out those of these passages that are hidden; without `ids`, all that are."""
        for identifier in list(self._slots) if ids is None else ids:
            slot = self._slots.get(identifier)
            if slot is not None and not self._shown[slot]:
                del self._slots[identifier]
                self._passages.pop(slot, None)
                self._index.remove(slot)
                self._hidden -= 1

    def unknown(self, passages: Iterable[Passage]) -> list[Passage]:
        """Those of the passages that are still to be stocked."""
        return [passage for passage in passages if passage.id not in self._slots]

    def keep(self, path: Path) -> None:
        """Write the lexical index for the next start; where that fails, it is made anew then."""
        ids = [""] * self._index.capacity
        for identifier, slot in self._slots.items():
            ids[slot] = identifier
        lexical_cache.save(path, self._index, ids)

    def passages(self) -> list[Passage]:
        """Those that can be found."""
        return [passage for slot, passage in self._passages.items() if self._shown[slot]]

    def allowed(self, only: Filter) -> set[str]:
        """The ids of the passages that a filter lets through."""
        mask = self._mask(only)
        if mask is None:
            return set(self._slots)
        return {self._passages[int(slot)].id for slot in np.flatnonzero(mask)}

    def search(self, wordings: Sequence[Wording], count: int, only: Filter = ANYTHING, mix: Mix = HYBRID) -> Ranking:
        """The best `count` passages for a question; of several wordings the one counts that suits a passage best."""
        began = perf_counter()
        mask = self._mask(only)
        best: dict[int, Hit] = {}
        weights: dict[str, float] = {}
        for wording in wordings:
            wanted = question_terms(wording.text)
            weights |= self._index.idfs(wanted)
            for slot, hit in self._ranked(wanted, wording.nearest, mask, mix):
                if slot not in best or hit.score > best[slot].score:
                    best[slot] = hit
        matched = perf_counter()
        hits = _distinct(sorted(best.values(), key=lambda hit: -hit.score), count)
        timings = {"lexical": (matched - began) * 1e3, "fusion": (perf_counter() - matched) * 1e3}
        return Ranking(hits, weights, timings)

    def _ranked(
        self, wanted: set[str], nearest: Nearest | None, mask: Mask | None, mix: Mix
    ) -> Iterable[tuple[int, Hit]]:
        use_words = mix.words > 0 or nearest is None
        slots = self._index.search(wanted, CANDIDATES, mask).slots.tolist() if use_words else []
        if nearest is not None and mix.vectors > 0:
            known = set(slots)
            found = (self._slots.get(identifier) for identifier in nearest.similarities)
            slots += [s for s in found if s is not None and s not in known and self._shown[s] and _in(mask, s)]
        measures = self._index.measure(wanted, slots)
        dense, sentences = self._similarities(slots, nearest)
        fused = fuse(measures.scores, dense, mix)
        for at, slot in enumerate(slots):
            similarity = None if np.isnan(dense[at]) else float(dense[at])
            coverage = min(float(measures.coverages[at]), 1.0)
            passage = self._passages[slot]
            told = tuple(sentences.get(passage.id, _NONE).tolist())
            yield slot, Hit(passage, float(fused[at]), float(measures.scores[at]), coverage, similarity, None, told)

    def _hide(self, document: str) -> None:
        slots = self._of.pop(document, [])
        self._shown[slots] = False
        self._hidden += len(slots)
        self._entries.pop(document, None)

    def _mask(self, only: Filter) -> Mask | None:
        """Which slots may be found, by slot; None where all of them may."""
        if only == ANYTHING:
            return self._shown[: self._index.capacity] if self._hidden else None
        mask: Mask = np.zeros(self._index.capacity, np.bool_)
        for document, entry in self._entries.items():
            if admits(only, entry):
                mask[self._of[document]] = True
        mask[[self._slots[identifier] for identifier in only.without if identifier in self._slots]] = False
        return mask

    def _similarities(
        self, slots: list[int], nearest: Nearest | None
    ) -> tuple[Scores, Mapping[str, NDArray[np.float32]]]:
        """One for each slot, not a number where the passage has no vector; and those of the sentences.

        A passage is as near as its nearest sentence; but where some lack theirs, as near as the whole of it.
        """
        if nearest is None:
            return np.full(len(slots), np.nan), {}
        floor = nearest.floor
        values = []
        for slot in slots:
            identifier = self._passages[slot].id
            missing = np.nan if nearest.absent(identifier) else floor
            values.append(nearest.similarities.get(identifier, missing))
        whole = np.array(values, np.float64)
        sentences = nearest.closer([self._passages[slot].id for slot in slots])
        if len(sentences) < len(slots):
            return whole, sentences
        return np.array([sentences[self._passages[slot].id].max() for slot in slots], np.float64), sentences


def admits(only: Filter, entry: Entry) -> bool:
    """Does a filter let a document through?"""
    return (
        (not only.langs or entry.lang in only.langs)
        and (not only.formats or entry.format in only.formats)
        and only.tags <= set(entry.tags)
        and (not only.documents or entry.id in only.documents)
        and (only.since is None or (entry.dated is not None and entry.dated >= only.since))
        and (only.until is None or (entry.dated is not None and entry.dated <= only.until))
    )


def fuse(lexical: Scores, dense: Scores, mix: Mix = HYBRID) -> Scores:
    """The weighted sum of the z-scores; a passage without a vector is taken to be as near as its words say."""
    words, vectors = standardised(lexical), standardised(dense)
    return mix.words * words + mix.vectors * np.where(np.isnan(vectors), words, vectors)


def standardised(values: Scores) -> Scores:
    """Z-scores of the numbers among the values; zeros where they are all the same."""
    numbers = values[~np.isnan(values)]
    if len(numbers) == 0:
        return values
    deviation = numbers.std()
    return (values - numbers.mean()) / deviation if deviation > 1e-9 else values * 0.0


def _in(mask: Mask | None, slot: int) -> bool:
    return mask is None or bool(mask[slot])


def _distinct(hits: Iterable[Hit], count: int) -> tuple[Hit, ...]:
    """The first `count` hits, without those that say what one before them says."""
    kept: list[Hit] = []
    likenesses: list[Likeness] = []
    for hit in hits:
        if len(kept) == count:
            break
        likeness = Likeness.of(hit.passage.text)
        if not any(likeness.repeats(other) for other in likenesses):
            kept.append(hit)
            likenesses.append(likeness)
    return tuple(kept)
