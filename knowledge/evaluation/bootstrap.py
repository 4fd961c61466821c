"""Intervals of means over questions: percentile bootstrap (Efron, 1979), with a fixed seed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from knowledge.evaluation.measures import Numbers

SAMPLES = 2000
_SLICE = 100


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and the interval that holds 95 % of the resampled means."""

    mean: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Is the mean's sign beyond chance?"""
        return self.low > 0 or self.high < 0


def estimates(values: Numbers) -> list[Estimate]:
    """One for each column of `values`, of shape (questions, measures), all on the same resampled questions.

    The interval of a difference between two systems is that of the column of differences: a paired bootstrap.
    """
    if len(values) == 0:
        return [Estimate(np.nan, np.nan, np.nan)] * values.shape[1]
    means = np.concatenate([weights @ values for weights in _resampled(len(values))])
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return [Estimate(*map(float, row)) for row in zip(values.mean(axis=0), low, high, strict=True)]


def _resampled(count: int) -> Iterator[Numbers]:
    """Shares with which each question is drawn, a slice of samples at a time."""
    chance = np.random.default_rng(20_260_101)
    for _ in range(0, SAMPLES, _SLICE):
        yield chance.multinomial(count, np.full(count, 1 / count), _SLICE) / count
