"""Training of a classifier: logistic regression on features weighted by how much they tell (NB-SVM, Wang & Manning
2012), and thresholds from texts that a fold of it has not seen. Deterministic."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from agent.moderation.classifier import Classifier, Head, digest
from agent.moderation.features import SIZE, features
from configs.language import Lang
from configs.safety import Category

RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
FOLDS = 5
FEWEST = 50
"""Texts of each kind."""
_SMOOTHING, _PENALTY = 1.0, 0.03
_ROUNDS, _RECALLED, _SETTLED, _SHORTEST = 200, 8, 1e-5, 1e-3
Vector = NDArray[np.float64]
Labels = NDArray[np.bool_]


class TooFew(ValueError):
    """There is too little to learn from."""


def train(
    texts: Sequence[str], harmful: Sequence[bool], lang: Lang, category: Category, share: float = 1.0
) -> Classifier:
    """`harmful`: is the text of the category? Raises TooFew."""
    labels = np.array(harmful, dtype=np.bool_)
    if min(labels.sum(), (~labels).sum()) < FEWEST:
        raise TooFew(f"at least {FEWEST} harmless texts and as many others are needed")
    rows = [features(text) for text in texts]
    weights, bias = _fit(rows, labels)
    head = Head(
        lang=lang,
        category=category,
        bias=bias,
        thresholds=_thresholds(rows, labels),
        share=share,
        rows=(int((~labels).sum()), int(labels.sum())),
        data=digest(texts, harmful),
    )
    return Classifier(head, weights.astype(np.float32))


def _thresholds(rows: Sequence[NDArray[np.int64]], labels: Labels) -> dict[str, float]:
    """Cautious: as many harmless texts as the rate allows, less the spread of that number."""
    fold = np.arange(len(rows)) % FOLDS
    scores: list[float] = []
    for one in range(FOLDS):
        trained = [row for row, at in zip(rows, fold, strict=True) if at != one]
        weights, bias = _fit(trained, labels[fold != one])
        held = [row for row, at, label in zip(rows, fold, labels, strict=True) if at == one and not label]
        scores += [float(weights[row].sum() / np.sqrt(len(row)) + bias) for row in held]
    ordered = sorted(scores, reverse=True)
    allowed = {rate: int(max(0.0, rate * len(ordered) - np.sqrt(rate * len(ordered)))) for rate in RATES}
    return {f"{rate:g}": ordered[count] + 1e-6 for rate, count in allowed.items()}


def _fit(rows: Sequence[NDArray[np.int64]], labels: Labels) -> tuple[Vector, float]:
    """A weight for each place of the table, and the bias. What was never seen weighs nothing."""
    seen, places = np.unique(np.concatenate(rows), return_inverse=True)
    lengths = np.array([len(row) for row in rows])
    row, size = np.repeat(np.arange(len(rows)), lengths), len(seen)
    told = _telling(places, labels[row], size)
    values = (1 / np.sqrt(lengths))[row] * told[places]
    signs = labels.astype(np.float64)

    def loss(point: Vector) -> tuple[float, Vector]:
        weights = point[:-1]
        odds = np.bincount(row, values * weights[places], minlength=len(rows)) + point[-1]
        wrong = 1 / (1 + np.exp(-odds)) - signs
        slope = np.bincount(places, values * wrong[row], minlength=size) + _PENALTY * weights
        value = np.sum(np.logaddexp(0, odds) - signs * odds) + 0.5 * _PENALTY * weights @ weights
        return float(value), np.append(slope, wrong.sum())

    point = _least(loss, np.zeros(size + 1))
    weights = np.zeros(SIZE)
    weights[seen] = point[:-1] * told
    return weights, float(point[-1])


def _telling(places: NDArray[np.int64], marked: Labels, size: int) -> Vector:
    """Of each place the log-ratio of how often it is in harmful and in harmless texts."""
    counts = [np.bincount(places[marked == side], minlength=size) + _SMOOTHING for side in (True, False)]
    ratio: Vector = np.log(counts[0] / counts[0].sum()) - np.log(counts[1] / counts[1].sum())
    return ratio


def _least(loss: Callable[[Vector], tuple[float, Vector]], point: Vector) -> Vector:
    """Where a convex function is least, by L-BFGS (Nocedal 1980) with a halving line search."""
    value, slope = loss(point)
    steps: list[tuple[Vector, Vector]] = []
    for _ in range(_ROUNDS):
        way = _downhill(slope, steps)
        length = 1.0
        while (found := loss(point + length * way))[0] > value + 1e-4 * length * float(
            slope @ way
        ) and length > _SHORTEST:
            length /= 2
        moved, turned = length * way, found[1] - slope
        if moved @ turned > 1e-10:
            steps = [*steps, (moved, turned)][-_RECALLED:]
        settled = abs(value - found[0]) < _SETTLED * abs(value)
        point, (value, slope) = point + moved, found
        if settled:
            break
    return point


def _downhill(slope: Vector, steps: Sequence[tuple[Vector, Vector]]) -> Vector:
    way, shares = slope.copy(), []
    for moved, turned in reversed(steps):
        share = float(moved @ way / (turned @ moved))
        way -= share * turned
        shares.append(share)
    if steps:
        moved, turned = steps[-1]
        way *= moved @ turned / (turned @ turned)
    else:
        way /= max(1.0, float(np.linalg.norm(slope)))
    for (moved, turned), share in zip(steps, reversed(shares), strict=True):
        way += moved * (share - float(turned @ way / (turned @ moved)))
    return -way
