"""Any LangChain VectorStore as the vector store."""

import importlib
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from hashlib import sha256
from threading import RLock
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings
from pydantic import Field, field_validator

from configs import engines
from configs.engines import ConfigError, reason
from configs.home import Home
from knowledge.embedding import Vectors
from knowledge.engines.instance import instance
from knowledge.engines.ledger import Ledger
from knowledge.store import StoreError

_WIDER = 4
_BATCH = 1000


class LangChainStore:
    """Fits a store that offers add_texts with ids, delete by ids, and similarity_search.

    LangChain's interface can neither list ids nor return vectors: a ledger beside the store keeps both, so that
    similarities are exact whatever the store's own scores mean. The store gets the ids for texts, never a document.
    """

    class Options(engines.Options):
        """`class`: "package.module:VectorStore"; `arguments`: what its constructor is given, and besides these, under
        the names that `embedding` and `name` say, the embeddings and the collection's name (ASCII, of this instance
        alone). Without `name` a store is taken to be in memory and begins empty with each start.
        """

        store_class: str = Field(alias="class")
        arguments: dict[str, Any] = Field(default_factory=dict)
        embedding: str = "embedding"
        name: str | None = None

        @field_validator("store_class")
        @classmethod
        def _names_a_class(cls, value: str) -> str:
            module, _, name = value.partition(":")
            if not module or not name.isidentifier():
                raise ValueError("must look like langchain_chroma:Chroma")
            return value

    def __init__(self, options: Options, home: Home) -> None:
        module, _, name = options.store_class.partition(":")
        self._options = options
        try:
            self._class = getattr(importlib.import_module(module), name)
        except AttributeError as error:
            raise ConfigError(f"stores engine 'langchain', option 'class': {module} has no {name}") from error
        lasting = options.name is not None
        self._instance = instance(home.data / "instance") if lasting else ""
        self._ledger = Ledger(home.data / "langchain" / "vectors.sqlite3" if lasting else None)
        self._lock = RLock()
        self._collections: dict[str, Collection] = {}

    def collection(self, name: str) -> "Collection":
        with self._lock:
            if name not in self._collections:
                self._collections[name] = self._made(name)
            return self._collections[name]

    def holds(self, name: str) -> bool:
        return self._ledger.dimension(name) is not None

    def drop(self, name: str) -> None:
        with self._lock:
            self.collection(name).clear()
            del self._collections[name]

    def close(self) -> None:
        self._collections.clear()
        self._ledger.close()

    def _made(self, name: str) -> "Collection":
        given, options = Given(), self._options
        arguments = options.arguments | {options.embedding: given}
        if options.name is not None:
            arguments[options.name] = f"zhubo-{sha256(f'{self._instance} {name}'.encode()).hexdigest()[:24]}"
        try:
            return Collection(self._class(**arguments), given, self._ledger, name)
        except Exception as error:  # noqa: BLE001  each LangChain integration raises its own vendor's errors
            raise StoreError(f"the LangChain store cannot be made: {reason(error)}") from error


class Collection:
    def __init__(self, store: Any, given: "Given", ledger: Ledger, name: str) -> None:
        self._store, self._given, self._ledger, self._name = store, given, ledger, name

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        self._check(vectors.shape[1])
        for start in range(0, len(ids), _BATCH):
            names, rows = list(ids[start : start + _BATCH]), vectors[start : start + _BATCH]
            self.remove([name for name in names if name in self._ledger.vectors(self._name, names)])
            self._given.passages = dict(zip(names, rows.tolist(), strict=True))
            _guarded(self._store.add_texts, names, ids=names)
            self._ledger.add(self._name, names, rows)

    def remove(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _BATCH):
            there = list(self._ledger.vectors(self._name, ids[start : start + _BATCH]))
            if there:
                _guarded(self._store.delete, there)
                self._ledger.remove(self._name, there)

    def ids(self) -> set[str]:
        return self._ledger.ids(self._name)

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        return self._ledger.vectors(self._name, ids)

    def search(self, vector: Vectors, count: int, among: AbstractSet[str] | None = None) -> list[tuple[str, float]]:
        """Among a smaller part of what is there it is the ledger that is searched, without an index."""
        there = self.ids()
        wanted = there if among is None else there & among
        if not wanted:
            return []
        self._check(len(vector))
        if 2 * len(wanted) >= len(there):
            wide = count if among is None else _WIDER * count
            near = self._scored(vector, [name for name in self._nearest(vector, wide) if name in wanted])
            if len(near) >= min(count, len(wanted)) or among is None:
                return near[:count]
        return self._scored(vector, list(wanted))[:count]

    def clear(self) -> None:
        self.remove(list(self.ids()))

    def _nearest(self, vector: Vectors, count: int) -> list[str]:
        self._given.question = vector.tolist()
        found = [str(hit.page_content) for hit in _guarded(self._store.similarity_search, "", k=count)]
        if not found:
            raise StoreError("the LangChain store has lost its vectors")
        return found

    def _scored(self, vector: Vectors, ids: list[str]) -> list[tuple[str, float]]:
        vectors = self.vectors(ids)
        if not vectors:
            return []
        similarities = np.stack(list(vectors.values())) @ vector
        return sorted(zip(vectors, similarities.tolist(), strict=True), key=lambda found: -found[1])

    def _check(self, dimension: int) -> None:
        expected = self._ledger.dimension(self._name)
        if expected not in (None, dimension):
            raise StoreError(f"a vector has {dimension} dimensions, those in the store {expected}")


class Given(Embeddings):
    """The embeddings a LangChain store asks for: those that we have made already."""

    def __init__(self) -> None:
        self.passages: dict[str, list[float]] = {}
        self.question: list[float] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.passages[text] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.question


def _guarded(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    try:
        return function(*arguments, **named)
    except Exception as error:  # noqa: BLE001  each LangChain integration raises its own vendor's errors
        raise StoreError(f"the LangChain store failed: {type(error).__name__}: {error}") from error
