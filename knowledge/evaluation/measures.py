"""What is counted on rankings and decisions; every tie counts against us."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
DEPTH = 10
"""How far down MRR and nDCG look."""


def ranks(scores: Mapping[str, float], gold: Collection[str]) -> list[int]:
    """The ranks, from 1, of the gold passages that were found: behind every other passage that scores as much."""
    found = sorted((scores[identifier] for identifier in gold if identifier in scores), reverse=True)
    others = [score for identifier, score in scores.items() if identifier not in gold]
    return [1 + before + sum(other >= score for other in others) for before, score in enumerate(found)]


def recall(found: Sequence[int], count: int) -> float:
    """1 where a gold passage is among the first `count`."""
    return float(bool(found) and found[0] <= count)


def reciprocal_rank(found: Sequence[int]) -> float:
    return 1 / found[0] if found and found[0] <= DEPTH else 0.0


def ndcg(found: Sequence[int], gold: int) -> float:
    """Of binary relevance: the gain of the gold passages' ranks as a share of what `gold` passages can gain."""
    ideal = sum(_gain(rank) for rank in range(1, min(gold, DEPTH) + 1))
    return sum(_gain(rank) for rank in found if rank <= DEPTH) / ideal if ideal else 0.0


def _gain(rank: int) -> float:
    return 1 / math.log2(rank + 1)


def percentile(values: Sequence[float], share: float) -> float:
    return float(np.percentile(values, share * 100)) if len(values) else math.nan


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """How often a positive scores above a negative; as often as not means .5, and a tie counts as half."""
    if not len(positive) or not len(negative):
        return math.nan
    ordered = np.sort(np.asarray(negative, np.float64))
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.mean() / (2 * len(ordered)))


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold does: the share of the answerable that is kept and of the unanswerable that is let through."""

    threshold: float
    kept: float
    through: float


def curve(answerable: Sequence[float], unanswerable: Sequence[float]) -> list[Point]:
    """A point for every threshold at which an answerable question is lost, ascending."""
    thresholds = np.unique(np.asarray(answerable, np.float64))
    kept, through = np.sort(answerable), np.sort(unanswerable)
    return [
        Point(
            float(threshold),
            1 - float(np.searchsorted(kept, threshold, "left")) / max(len(kept), 1),
            1 - float(np.searchsorted(through, threshold, "left")) / len(through) if len(through) else math.nan,
        )
        for threshold in thresholds
    ]


def keeping(points: Sequence[Point], share: float) -> Point | None:
    """The strictest point that keeps this share of the answerable."""
    return max((point for point in points if point.kept >= share), key=lambda point: point.threshold, default=None)
