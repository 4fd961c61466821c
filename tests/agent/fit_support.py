"""Fit the weights of `agent.support` to questions with known answers, and say what they are worth.

`python -m tests.agent.fit_support --data FILE… [--index DIR]`: every question is asked of the data set's paragraphs as
it is and with its right paragraph hidden, and the visitors' questions of `tests/data` of the sample documents. Figures
are of articles and visitors' questions that the weights were not fitted on; the weights are then fitted on all.
"""

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.asked import Asked
from agent.evidence import candidates, leaves_of
from agent.support import BY_WORDS, SCALES, WITH_VECTORS, measures
from configs.engines import EngineSpec, build
from configs.home import current
from configs.language import Lang, detect
from knowledge.documents import Document, Passage, Retrieval
from knowledge.evaluation.datasets import Dataset, golden, load
from knowledge.evaluation.measures import auroc, curve, keeping
from knowledge.evaluation.refusal import half
from knowledge.ingest import digest, document_id, passages, read
from knowledge.parse import FileLimits
from knowledge.sample import sample_documents
from server.evaluation.corpora import Corpora
from server.evaluation.refusal import Base
from tests.agent.evaluate import DATA, questions

PASSAGES = 6
VISITORS = 8.0
"""What one of the visitors' questions counts for: they are few, and put in other words than the documents'."""

PENALTY = 2.0
"""Ridge, for measures of standard deviation 1."""

NOTHING = Dataset("sample documents", "en", ())
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """`half`: which half of the articles; parallel data sets have the same articles in each."""

    group: str
    lang: Lang
    weight: float
    half: int
    known: bool
    measures: Mapping[str, float]


def examples(dataset: Dataset, base: Base) -> Iterator[Example]:
    for case, gold in zip(dataset.cases, golden(dataset.cases, base.index.passages), strict=True):
        lang = detect(case.question) or dataset.lang
        for hidden in (frozenset[str](), gold):
            with base.index.without(hidden):
                found = measured(case.question, lang, base.retrieve(case.question, PASSAGES))
            yield Example(lang, lang, 1.0, half(case.group), not hidden, found)


def visitors(base: Base) -> Iterator[Example]:
    for file in sorted(DATA.glob("visitors.*.jsonl")):
        for one in questions(file):
            lang = detect(one.text) or "en"
            found = measured(one.text, lang, base.retrieve(one.text, PASSAGES))
            yield Example(f"visitors {lang}", lang, VISITORS, half(one.text), bool(one.accepted), found)


def samples() -> list[Passage]:
    """The passages of the sample documents."""
    found: list[Passage] = []
    for name, data in sample_documents():
        reading = read(name, data, FileLimits())
        document = Document(
            document_id(name), reading.title, name, reading.format, reading.lang, digest(data), reading.text
        )
        found += passages(document, reading.places)
    return found


def measured(question: str, lang: Lang, retrieval: Retrieval) -> dict[str, float]:
    asked = Asked.of(question, lang, retrieval.weights)
    leaves = leaves_of(asked, retrieval)
    ranked = candidates(asked, leaves)
    return measures(asked, leaves, ranked[0], SCALES.get(retrieval.embedder)) if ranked else {}


def fit(rows: Numbers, known: Numbers, counts: Numbers) -> Numbers:
    """Logistic regression by Newton's method; `counts`: what each row counts for."""
    scale = np.where(rows.std(0) > 0, rows.std(0), 1.0)
    scaled, ridge = rows / scale, np.eye(rows.shape[1]) * PENALTY
    ridge[0, 0] = 0.0
    weights = np.zeros(rows.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-scaled @ weights))
        slope = scaled.T @ (counts * (known - chance)) - ridge @ weights
        curvature = (scaled * (counts * chance * (1 - chance))[:, None]).T @ scaled + ridge
        weights = weights + np.linalg.solve(curvature, slope)
    return weights / scale


def report(names: Sequence[str], chosen: Sequence[Example]) -> None:
    rows = np.array([[one.measures.get(name, 0.0) for name in names] for one in chosen])
    known = np.array([float(one.known) for one in chosen])
    counts = np.array([one.weight for one in chosen])
    halves = np.array([one.half for one in chosen])
    odds = np.zeros(len(chosen))
    for side in (0, 1):
        fitting = halves != side
        odds[~fitting] = rows[~fitting] @ fit(rows[fitting], known[fitting], counts[fitting])
    for group in dict.fromkeys(one.group for one in chosen):
        of = np.array([one.group == group for one in chosen])
        answerable, others = odds[of & (known == 1)], odds[of & (known == 0)]
        print(f"{group}: AUROC {auroc(answerable.tolist(), others.tolist()):.3f}", end="")
        for share in (0.95, 0.9):
            if point := keeping(curve(answerable.tolist(), others.tolist()), share):
                chance = 1 / (1 + math.exp(-point.threshold))
                print(f"; {point.kept:.1%} kept, {point.through:.1%} let through at {chance:.2f}", end="")
        print()
    for name, weight in zip(names, fit(rows, known, counts), strict=True):
        print(f'    "{name}": {weight:.2f},')


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", nargs="+", type=Path, required=True)
    parser.add_argument("--index", type=Path)
    arguments = parser.parse_args()
    home = current()
    embedder = build("embedders", EngineSpec(engine="e5"), home)
    index = arguments.index or home.cache / "evaluation"
    corpora = Corpora(embedder, index, (), print)
    chosen = []
    for dataset in map(load, arguments.data):
        chosen += list(examples(dataset, Base(corpora.index(dataset), corpora.questions)))
    chosen += list(visitors(Base(Corpora(embedder, index, samples(), print).index(NOTHING), corpora.questions)))
    for title, weights in (("WITH_VECTORS", WITH_VECTORS), ("BY_WORDS", BY_WORDS)):
        print(f"== {title}")
        report(list(weights), chosen)


if __name__ == "__main__":
    main()
