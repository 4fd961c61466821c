"""How well the right passage is found: by words, by vectors, by both."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from configs.language import LANGUAGES, Lang
from knowledge.embedding import Vectors
from knowledge.evaluation import tables
from knowledge.evaluation.bootstrap import estimates
from knowledge.evaluation.comparison import Groups
from knowledge.evaluation.datasets import DataError, Dataset, golden
from knowledge.evaluation.index import MODES, Index, Mode
from knowledge.evaluation.measures import Numbers, ndcg, percentile, ranks, recall, reciprocal_rank

MEASURES = ("R@1", "R@5", "R@10", "MRR@10", "nDCG@10")
Cpu = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One question: how many passages are right, and at which ranks each mode found them."""

    id: str
    gold: int
    ranks: Mapping[str, Sequence[int]]

    def row(self, mode: str) -> tuple[float, ...]:
        found = self.ranks[mode]
        recalls = (recall(found, count) for count in (1, 5, 10))
        return (*recalls, reciprocal_rank(found), ndcg(found, self.gold))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One data set's questions; `cpu` has the milliseconds of each stage, "mode: stage"."""

    name: str
    lang: Lang
    passages: int
    questions: tuple[Ranked, ...]
    cpu: Cpu = field(default_factory=dict)

    def values(self, mode: Mode) -> Numbers:
        """Shape (questions, measures)."""
        return np.array([one.row(mode) for one in self.questions], np.float64).reshape(-1, len(MEASURES))


def measure(dataset: Dataset, index: Index, embed: Callable[[Sequence[str]], Vectors]) -> Outcome:
    """Ask every question whose right passages are known, in each mode."""
    cases = [case for case in dataset.cases if case.evidence and not case.unanswerable]
    gold = golden(cases, index.passages)
    lost = [case.id for case, right in zip(cases, gold, strict=True) if not right]
    if lost:
        raise DataError(f"{dataset.name}: no passage contains the evidence of question {', '.join(lost[:5])}")
    if not cases:
        raise DataError(f"{dataset.name}: no question has an evidence, so none of its passages is known to be right")
    questions, cpu = [], Cpu()
    for case, right, vector in zip(cases, gold, embed([case.question for case in cases]), strict=True):
        found: dict[str, list[int]] = {}
        for mode in MODES:
            scored = index.search(case.question, vector, mode)
            found[mode] = ranks(scored.scores, right)
            for stage, spent in scored.cpu.items():
                cpu.setdefault(f"{mode}: {stage}", []).append(spent)
        questions.append(Ranked(case.id, len(right), found))
    return Outcome(dataset.name, dataset.lang, len(index.passages), tuple(questions), cpu)


def together(outcomes: Sequence[Outcome]) -> list[tuple[str, list[Outcome]]]:
    """Each data set, then each language and all of them where that adds something."""
    groups = [(f"{one.name} ({one.lang})", [one]) for one in outcomes]
    langs = [(str(lang), [one for one in outcomes if one.lang == lang]) for lang in LANGUAGES]
    groups += [(f"all {name}", ones) for name, ones in langs if len(ones) > 1]
    return [*groups, ("all", list(outcomes))] if len(outcomes) > 1 else groups


def report(outcomes: Sequence[Outcome], embedding: Sequence[float]) -> str:
    """Measures with their intervals, what hybrid adds, and CPU milliseconds."""
    parts = []
    for name, ones in together(outcomes):
        values = {mode: _stacked(ones, mode) for mode in MODES}
        count, passages = len(values["hybrid"]), " + ".join(str(one.passages) for one in ones)
        rows = [[mode, *map(tables.interval, estimates(values[mode]))] for mode in MODES]
        head = [f"{name}: {count} questions, {passages} passages", *MEASURES]
        parts.append(tables.table(head, rows))
        gains = [[f"hybrid - {mode}", *_gains(values["hybrid"], values[mode])] for mode in MODES if mode != "hybrid"]
        parts.append(tables.table(["paired difference (* beyond chance)", *MEASURES], gains))
    parts.append(_latency(outcomes, embedding))
    return "\n\n".join(parts)


def as_json(outcomes: Sequence[Outcome], embedding: Sequence[float], embedder: str) -> dict[str, Any]:
    return {
        "kind": "retrieval",
        "embedder": embedder,
        "embedding_cpu_ms": {"p50": percentile(embedding, 0.5), "p95": percentile(embedding, 0.95)},
        "sets": [
            {
                "name": one.name,
                "lang": one.lang,
                "passages": one.passages,
                "measures": {mode: _summary(one.values(mode)) for mode in MODES},
                "cpu_ms": {
                    stage: {"p50": percentile(spent, 0.5), "p95": percentile(spent, 0.95)}
                    for stage, spent in one.cpu.items()
                },
                "questions": [{"id": q.id, "gold": q.gold, "ranks": dict(q.ranks)} for q in one.questions],
            }
            for one in outcomes
        ],
    }


def grouped(tree: Any) -> Groups:
    """The measures in what `as_json` gave: a group for each data set and mode."""
    return {
        f"{one['name']}, {mode}": {
            question["id"]: Ranked(question["id"], question["gold"], question["ranks"]).row(mode)
            for question in one["questions"]
        }
        for one in tree["sets"]
        for mode in MODES
    }


def _stacked(outcomes: Iterable[Outcome], mode: Mode) -> Numbers:
    return np.concatenate([one.values(mode) for one in outcomes])


def _gains(values: Numbers, others: Numbers) -> list[str]:
    return [tables.difference(one) for one in estimates(values - others)]


def _summary(values: Numbers) -> dict[str, list[float]]:
    found = zip(MEASURES, estimates(values), strict=True)
    return {name: [one.mean, one.low, one.high] for name, one in found}


def _latency(outcomes: Sequence[Outcome], embedding: Sequence[float]) -> str:
    rows = [["embedding the question", *_spent(embedding)]]
    for one in outcomes:
        rows += [[f"{one.name}, {stage}", *_spent(spent)] for stage, spent in one.cpu.items()]
    return tables.table(["CPU ms a question", "p50", "p95"], rows)


def _spent(values: Sequence[float]) -> tuple[str, str]:
    return tables.milliseconds(percentile(values, 0.5)), tables.milliseconds(percentile(values, 0.95))
