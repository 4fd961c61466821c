"""The vector store of a process that only reads: another one makes the collections, fills and drops them."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from knowledge.embedding import Vectors
from knowledge.store import Gone, StoreError, VectorCollection, VectorStore


class Onlooker:
    """No collection is made by being looked at."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    def collection(self, name: str) -> VectorCollection:
        return Watched(self._store, name)

    def holds(self, name: str) -> bool:
        return self._store.holds(name)

    def drop(self, name: str) -> None:
        self._store.drop(name)

    def close(self) -> None:
        self._store.close()


class Watched:
    """Empty until the other process has made it; raises Gone where it was there and is not any more."""

    def __init__(self, store: VectorStore, name: str) -> None:
        self._store, self._name = store, name
        self._there: VectorCollection | None = None

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        raise StoreError("another process makes these vectors")

    def remove(self, ids: Sequence[str]) -> None:
        raise StoreError("another process makes these vectors")

    def ids(self) -> set[str]:
        return there.ids() if (there := self._found()) else set()

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        return there.vectors(ids) if (there := self._found()) else {}

    def search(self, vector: Vectors, count: int, among: AbstractSet[str] | None = None) -> list[tuple[str, float]]:
        if (there := self._found()) is None:
            return []
        try:
            return there.search(vector, count, among)
        except StoreError as error:
            if self._store.holds(self._name):
                raise
            raise Gone("another process has dropped these vectors") from error

    def _found(self) -> VectorCollection | None:
        if self._there is None and self._store.holds(self._name):
            self._there = self._store.collection(self._name)
        return self._there
