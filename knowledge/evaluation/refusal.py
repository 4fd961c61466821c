"""How well the unanswerable is told from the answerable, by the support that the documents give."""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from configs.language import Lang
from knowledge.evaluation import tables
from knowledge.evaluation.comparison import Groups
from knowledge.evaluation.measures import Point, auroc, curve, keeping

MEASURES = ("answered", "support")

KEPT = 0.95
"""Share of the answerable questions that a fitted threshold keeps."""


SHARES = (0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99, 1.0)
"""Shares of the answerable at which the curve is shown."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One question put to the judge: as asked, or with its right passages hidden.

    `known`: the passages answer it. `answered`: what the judge decided.
    """

    id: str
    group: str
    lang: Lang
    known: bool
    support: float
    answered: bool


@dataclass(frozen=True, slots=True)
class Told:
    """The whole presenter's answer to a question: `judged` is what the first stage had decided.

    `right`: it contains an accepted answer. `failed`: an engine did not answer, which says nothing about refusal.
    """

    judged: Judged
    refused: bool
    right: bool
    failed: bool
    answer: str


Half = Literal[0, 1]


def half(group: str) -> Half:
    """Which half of the articles this one belongs to: the same in every run."""
    return 0 if zlib.crc32(group.encode()) % 2 == 0 else 1


def report(judged: Sequence[Judged], split: bool) -> str:
    """Kept and let through as the judge decides, AUROC, and the threshold that keeps 95 %.

    With `split`, that threshold is fitted on one half of the articles and applied to the other, both ways.
    """
    head = ["support", "answerable", "unanswerable", "kept", "let through", "AUROC", "threshold"]
    head += ["kept there", "let through there"]
    rows = [_row(name, ones, split) for name, ones in _groups(judged)]
    fitted = "fitted on one half of the articles, applied to the other" if split else "fitted on all questions"
    note = f"kept, let through: as the judge decides; threshold: keeps {KEPT:.0%}, {fitted}"
    return f"{tables.table(head, rows)}\n{note}"


def points(judged: Sequence[Judged]) -> list[Point]:
    return curve(_support(judged, known=True), _support(judged, known=False))


def curves(judged: Sequence[Judged]) -> str:
    """The strictest thresholds that keep more and more."""
    parts = []
    for name, ones in _groups(judged):
        found = [keeping(points(ones), share) for share in SHARES]
        chosen = dict.fromkeys(point for point in found if point is not None)
        rows = [[f"{one.threshold:.3f}", tables.percent(one.kept), tables.percent(one.through)] for one in chosen]
        parts.append(tables.table([f"threshold, {name}", "kept", "let through"], rows))
    return "\n\n".join(parts)


def stages(told: Sequence[Told]) -> str:
    """What each of the two stages contributes, on the questions that were put to the whole presenter."""
    rows = []
    for name, ones in _groups([one.judged for one in told]):
        asked = set(ones)
        chosen = [one for one in told if one.judged in asked and not one.failed]
        known, unknown = ([one for one in chosen if one.judged.known is side] for side in (True, False))
        rows.append(
            [
                f"{name}: {len(known)} + {len(unknown)}",
                tables.percent(_mean([one.judged.answered for one in known])),
                tables.percent(_mean([not one.refused for one in known])),
                tables.percent(_mean([one.right for one in known])),
                tables.percent(_mean([one.judged.answered for one in unknown])),
                tables.percent(_mean([not one.refused for one in unknown])),
                str(sum(one.failed for one in told if one.judged in asked)),
            ]
        )
    head = ["answerable + unanswerable", "kept by the judge", "kept in the end", "answered right"]
    head += ["let through by the judge", "answered in the end", "failed"]
    return tables.table(head, rows)


def as_json(judged: Sequence[Judged], told: Sequence[Told]) -> dict[str, Any]:
    return {
        "kind": "refusal",
        "curves": {name: [[p.threshold, p.kept, p.through] for p in points(ones)] for name, ones in _groups(judged)},
        "questions": [
            {"id": o.id, "lang": o.lang, "known": o.known, "support": o.support, "answered": o.answered} for o in judged
        ],
        "told": [
            {"id": o.judged.id, "known": o.judged.known, "judged": o.judged.answered, "refused": o.refused}
            | {"right": o.right, "failed": o.failed, "answer": o.answer}
            for o in told
        ],
    }


def grouped(tree: Any) -> Groups:
    """What the judge decided in what `as_json` gave, the answerable and the others of each language by themselves."""
    groups: dict[str, dict[str, Sequence[float]]] = {}
    for one in tree["questions"]:
        kind = "answerable" if one["known"] else "unanswerable"
        groups.setdefault(f"{one['lang']} {kind}", {})[one["id"]] = (one["answered"], one["support"])
    return groups


def sample(judged: Sequence[Judged], count: int) -> list[Judged]:
    """`count` answerable and as many unanswerable questions, the same in every run."""
    ordered = sorted(judged, key=lambda one: zlib.crc32(one.id.encode()))
    return [one for known in (True, False) for one in [o for o in ordered if o.known is known][:count]]


def _row(name: str, ones: Sequence[Judged], split: bool) -> list[str]:
    known, unknown = ([one for one in ones if one.known is side] for side in (True, False))
    kept, through, thresholds = _fitted(ones, split)
    return [
        name,
        str(len(known)),
        str(len(unknown)),
        tables.percent(_mean([one.answered for one in known])),
        tables.percent(_mean([one.answered for one in unknown])),
        tables.share(auroc(_support(ones, known=True), _support(ones, known=False))),
        " / ".join(f"{threshold:.3f}" for threshold in thresholds) or "-",
        tables.percent(kept),
        tables.percent(through),
    ]


def _fitted(ones: Sequence[Judged], split: bool) -> tuple[float, float, list[float]]:
    """Kept and let through at the fitted thresholds."""
    halves: list[tuple[Sequence[Judged], Sequence[Judged]]] = [(ones, ones)]
    if split:
        parts = [[one for one in ones if half(one.group) == side] for side in (0, 1)]
        halves = [(parts[0], parts[1]), (parts[1], parts[0])]
    kept, through, thresholds = [], [], []
    for fitting, applied in halves:
        if (point := keeping(points(fitting), KEPT)) is None:
            continue
        thresholds.append(point.threshold)
        kept += [support >= point.threshold for support in _support(applied, known=True)]
        through += [support >= point.threshold for support in _support(applied, known=False)]
    return _mean(kept), _mean(through), thresholds


def _groups(judged: Sequence[Judged]) -> Iterator[tuple[str, list[Judged]]]:
    langs = list(dict.fromkeys(one.lang for one in judged))
    for lang in langs:
        yield lang, [one for one in judged if one.lang == lang]
    if len(langs) > 1:
        yield "all", list(judged)


def _support(judged: Sequence[Judged], known: bool) -> list[float]:
    return [one.support for one in judged if one.known is known]


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values) if values else float("nan")
