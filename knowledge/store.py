"""What a vector store is: named collections of vectors by passage id, a cache that is rebuilt from the documents."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from knowledge.embedding import Vectors


class StoreError(RuntimeError):
    """The vector store failed."""


class Gone(StoreError):
    """Another process has dropped the collection."""


class VectorCollection(Protocol):
    """Blocking: call it from a worker thread. One writer at a time."""

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace vectors of shape (len(ids), dimension)."""
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Forget these; an id that is not there is no error."""
        ...

    def ids(self) -> set[str]: ...

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of those of these ids that are there, each of shape (dimension,)."""
        ...

    def search(self, vector: Vectors, count: int, among: AbstractSet[str] | None = None) -> list[tuple[str, float]]:
        """Nearest passages as (id, cosine similarity), best first. `vector` has shape (dimension,).

        `among`: only these ids; None searches all.
        """
        ...


class VectorStore(Protocol):
    """Blocking: call it from a worker thread."""

    def collection(self, name: str) -> VectorCollection:
        """The collection of this name (any text), made empty where there is none. A collection has one dimension."""
        ...

    def holds(self, name: str) -> bool:
        """Is there such a collection? It is not made by being asked for; an empty one may be held for none."""
        ...

    def drop(self, name: str) -> None:
        """Forget a collection and what is in it, even where it cannot be read; one that is not there is no error."""
        ...

    def close(self) -> None: ...
