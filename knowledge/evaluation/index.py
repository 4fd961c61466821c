"""Passages with their vectors, searched with the code that serves: exact, in memory, and any passage can be hidden."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from knowledge.documents import Entry, Passage, Retrieval
from knowledge.embedding import Vectors
from knowledge.evaluation.measures import DEPTH
from knowledge.ingest import indexed
from knowledge.lexical import counted
from knowledge.retrieve import CANDIDATES, HYBRID, VECTORS, WORDS, Mix, Nearest, Shelf, Wording

Mode = Literal["words", "vectors", "hybrid"]
MODES: tuple[Mode, ...] = get_args(Mode)

_MIXES: dict[Mode, Mix] = {"words": WORDS, "vectors": VECTORS, "hybrid": HYBRID}


@dataclass(frozen=True, slots=True)
class Scored:
    """The first passages with the score they are ranked by, and the CPU milliseconds of each stage.

    There is one more than any measure looks at: a tie at the end is seen.
    """

    scores: Mapping[str, float]
    cpu: Mapping[str, float]


class Index:
    """`vectors` has a row for each passage; `sentences` one for each sentence of each passage, where there are any.
    `embedder`: the identity of the one that made them."""

    def __init__(
        self, passages: Sequence[Passage], vectors: Vectors, sentences: Sequence[Vectors] = (), embedder: str = ""
    ) -> None:
        self._embedder = embedder
        self.passages = passages
        self._rows = {passage.id: row for row, passage in enumerate(passages)}
        self._vectors, self._sentences = vectors, sentences
        self._penalty = np.zeros(len(passages), np.float32)
        self._documents: dict[str, list[Passage]] = {}
        for passage in passages:
            self._documents.setdefault(passage.document, []).append(passage)
        self._shelf = Shelf()
        self._shelf.stock((passage, counted(indexed(passage))) for passage in passages)
        self._shelf.swap([], [(_entry(ones), ones) for ones in self._documents.values()])

    @contextmanager
    def without(self, ids: Collection[str]) -> Iterator[None]:
        """As if these passages had never been there: their words do not count either, and their siblings stay."""
        rows = [self._rows[identifier] for identifier in ids]
        gone = [self.passages[row] for row in rows]
        touched = [self._documents[document] for document in {passage.document for passage in gone}]
        left = [(_entry(ones), [passage for passage in ones if passage.id not in ids]) for ones in touched]
        self._shelf.swap([], left)
        self._shelf.discard(ids)
        self._penalty[rows] = np.inf
        try:
            yield
        finally:
            self._penalty[rows] = 0
            self._shelf.stock((passage, counted(indexed(passage))) for passage in gone)
            self._shelf.swap([], [(_entry(ones), ones) for ones in touched])

    def search(self, question: str, vector: Vectors, mode: Mode) -> Scored:
        began = time.thread_time()
        nearest = None if mode == "words" else self._nearest(vector)
        found = time.thread_time()
        hits = self._shelf.search([Wording(question, nearest)], DEPTH + 1, mix=_MIXES[mode]).hits
        stages = {"search": (time.thread_time() - found) * 1e3}
        if nearest is not None:
            stages = {"nearest": (found - began) * 1e3} | stages
        return Scored({hit.passage.id: hit.score for hit in hits}, stages)

    def retrieve(self, wordings: Sequence[str], vectors: Vectors, count: int) -> Retrieval:
        """What the knowledge base finds for a question and further wordings of it; `vectors` has a row for each."""
        asked = [Wording(text, self._nearest(vector)) for text, vector in zip(wordings, vectors, strict=True)]
        ranking = self._shelf.search(asked, count)
        return Retrieval(wordings[0], ranking.hits, ranking.timings, None, ranking.weights, embedder=self._embedder)

    def _nearest(self, vector: Vectors) -> Nearest:
        similarities = self._vectors @ vector - self._penalty
        count = min(CANDIDATES, len(similarities))
        rows = np.argpartition(-similarities, count - 1)[:count]
        ordered = rows[np.argsort(-similarities[rows], kind="stable")]
        seen = {self.passages[row].id: float(similarities[row]) for row in ordered if similarities[row] > -np.inf}
        return Nearest(seen, lambda _: False, lambda ids: self._closer(ids, vector))

    def _closer(self, ids: Sequence[str], vector: Vectors) -> dict[str, Vectors]:
        return {one: self._sentences[self._rows[one]] @ vector for one in ids} if self._sentences else {}


def _entry(passages: Sequence[Passage]) -> Entry:
    """The catalogue's line of a document of which only the passages are known."""
    one = passages[0]
    length = sum(len(passage.text) for passage in passages)
    return Entry(one.document, one.title, one.source, "text", "en", "", length, len(passages))
