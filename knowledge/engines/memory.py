"""An exact vector store in memory: nothing is kept over a restart, nothing is approximated."""

from collections.abc import Sequence

import numpy as np

from configs import engines
from configs.home import Home
from knowledge.embedding import Vectors
from knowledge.store import StoreError


class Memory:
    class Options(engines.Options):
        pass

    def __init__(self, options: Options, home: Home) -> None:
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

    def clear(self) -> None:
        self._rows.clear()
        self._names.clear()
        self._matrix = np.zeros((0, 0), np.float32)

    def search(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        if not self._names:
            return []
        if vector.shape != self._matrix.shape[1:]:
            raise StoreError(f"the question has {vector.shape[0]} dimensions, the store {self._matrix.shape[1]}")
        similarities = self._matrix[: len(self._names)] @ vector
        count = min(count, len(similarities))
        nearest = np.argpartition(-similarities, count - 1)[:count]
        ordered = nearest[np.argsort(-similarities[nearest], kind="stable")]
        return [(self._names[row], float(similarities[row])) for row in ordered]

    def close(self) -> None:
        self.clear()

    def _reserve(self, rows: int, dimension: int) -> None:
        if rows > len(self._matrix):
            larger = np.zeros((max(rows, 2 * len(self._matrix)), dimension), np.float32)
            if self._names:
                larger[: len(self._names)] = self._matrix[: len(self._names)]
            self._matrix = larger
