"""What a vector store is: a cache of vectors by passage id, rebuildable from the documents."""

from collections.abc import Sequence
from typing import Protocol

from knowledge.embedding import Vectors


class StoreError(RuntimeError):
    """The vector store failed."""


class VectorStore(Protocol):
    """Blocking: call it from a worker thread. One writer at a time."""

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace vectors of shape (len(ids), dimension)."""
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Forget these; an id that is not there is no error."""
        ...

    def ids(self) -> set[str]: ...

    def clear(self) -> None:
        """Forget every vector; those added next may have another dimension."""
        ...

    def search(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        """Nearest passages as (id, cosine similarity), best first. `vector` has shape (dimension,)."""
        ...

    def close(self) -> None: ...
