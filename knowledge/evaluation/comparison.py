"""The same questions in two runs: what changed, each with its paired interval."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from knowledge.evaluation import tables
from knowledge.evaluation.bootstrap import estimates
from knowledge.evaluation.datasets import DataError

Groups = Mapping[str, Mapping[str, Sequence[float]]]
"""Measures of each question by its id, in groups that are compared by themselves."""


def earlier(path: Path, kind: str, grouped: Callable[[Any], Groups]) -> Groups:
    """The groups of a run whose JSON is in this file. Raises DataError."""
    try:
        tree = orjson.loads(path.read_bytes())
        if tree["kind"] == kind:
            return grouped(tree)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: not the --json of an earlier `zhubo eval {kind}`") from error
    raise DataError(f"{path}: the --json of another command; `zhubo eval {kind}` is needed")


def report(measures: Sequence[str], now: Groups, before: Groups) -> str:
    """Raises DataError where no question is in both."""
    rows = []
    for name, questions in now.items():
        known = before.get(name, {})
        pairs = [(row, known[identifier]) for identifier, row in questions.items() if identifier in known]
        if pairs:
            one, other = (np.array(side, np.float64) for side in zip(*pairs, strict=True))
            rows.append([f"{name}: {len(pairs)}", *map(tables.difference, estimates(one - other))])
    if not rows:
        raise DataError("the earlier run has none of these questions; compare runs of the same files")
    return tables.table(["now - earlier (* beyond chance)", *measures], rows)
