"""An exact vector store in memory: nothing is kept over a restart, nothing is approximated."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from configs import engines
from configs.home import Home
from knowledge.embedding import Vectors
from knowledge.store import StoreError


class Memory:
    class Options(engines.Options):
        pass

    def __init__(self, options: Options, home: Home) -> None:
        self._collections: dict[str, Collection] = {}

    def collection(self, name: str) -> "Collection":
        return self._collections.setdefault(name, Collection())

    def holds(self, name: str) -> bool:
        return name in self._collections

    def drop(self, name: str) -> None:
        self._collections.pop(name, None)

    def close(self) -> None:
        self._collections.clear()


class Collection:
    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._names: list[str] = []
        self._matrix: Vectors = np.zeros((0, 0), np.float32)

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        if self._names and vectors.shape[1] != self._matrix.shape[1]:
            raise StoreError(f"vectors have {vectors.shape[1]} dimensions, those in the store {self._matrix.shape[1]}")
        self._reserve(len(self._names) + len(ids), vectors.shape[1])
        for identifier, vector in zip(ids, vectors, strict=True):
            row = self._rows.setdefault(identifier, len(self._names))
            if row == len(self._names):
                self._names.append(identifier)
            self._matrix[row] = vector

    def remove(self, ids: Sequence[str]) -> None:
        for identifier in ids:
            row = self._rows.pop(identifier, None)
            if row is None:
                continue
            last = self._names.pop()
            if last != identifier:
                self._names[row], self._rows[last] = last, row
                self._matrix[row] = self._matrix[len(self._names)]

    def ids(self) -> set[str]:
        return set(self._rows)

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        return {
            identifier: self._matrix[self._rows[identifier]].copy() for identifier in ids if identifier in self._rows
        }

    def search(self, vector: Vectors, count: int, among: AbstractSet[str] | None = None) -> list[tuple[str, float]]:
        if among is None:
            rows, matrix = np.arange(len(self._names)), self._matrix[: len(self._names)]
        else:
            rows = np.array([self._rows[identifier] for identifier in among if identifier in self._rows], np.intp)
            matrix = self._matrix[rows]
        if not len(rows):
            return []
        if vector.shape != self._matrix.shape[1:]:
            raise StoreError(f"the question has {vector.shape[0]} dimensions, the store {self._matrix.shape[1]}")
        similarities = matrix @ vector
        count = min(count, len(similarities))
        nearest = np.argpartition(-similarities, count - 1)[:count]
        ordered = nearest[np.argsort(-similarities[nearest], kind="stable")]
        return [(self._names[rows[at]], float(similarities[at])) for at in ordered]

    def _reserve(self, rows: int, dimension: int) -> None:
        if rows > len(self._matrix) or not self._names:
            larger = np.zeros((max(rows, 2 * len(self._names)), dimension), np.float32)
            larger[: len(self._names)] = self._matrix[: len(self._names), :dimension] if self._names else 0
            self._matrix = larger
