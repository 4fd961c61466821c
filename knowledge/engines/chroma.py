"""Chroma as the vector store: a folder of this instance, or a Chroma server."""

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import numpy as np
from pydantic import Field

from configs import engines
from configs.home import Home
from knowledge.embedding import Vectors
from knowledge.store import StoreError

T = TypeVar("T")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]")
_BATCH = 1000
_SECONDS = 10.0


class Chroma:
    class Options(engines.Options):
        """Without `host` the vectors lie in the instance's own folder."""

        host: str | None = None
        port: int = Field(default=8000, ge=1, le=65_535)
        ssl: bool = False
        collection: str = Field(default="zhubo", min_length=1)

    def __init__(self, options: Options, home: Home) -> None:
        import chromadb
        from chromadb.config import Settings

        self._errors = _errors()
        self._name = collection_name(options.collection)
        quiet = Settings(anonymized_telemetry=False)
        if options.host is None:
            self._where = str(home.data / "chroma")
            self._client: Any = self._guard(lambda: chromadb.PersistentClient(self._where, quiet))
        else:
            self._where = f"{options.host}:{options.port}"
            self._client = self._guard(lambda: _server(chromadb, quiet, options))
        self._collection: Any = self._guard(self._open)

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        for start in range(0, len(ids), _BATCH):
            part = slice(start, start + _BATCH)
            self._guard(partial(self._collection.upsert, ids=list(ids[part]), embeddings=vectors[part]))

    def remove(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _BATCH):
            self._guard(partial(self._collection.delete, ids=list(ids[start : start + _BATCH])))

    def ids(self) -> set[str]:
        return set(self._guard(lambda: self._collection.get(include=[]))["ids"])

    def clear(self) -> None:
        self._guard(lambda: self._client.delete_collection(self._name))
        self._collection = self._guard(self._open)

    def search(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        found = self._guard(
            lambda: self._collection.query(
                query_embeddings=np.asarray(vector)[None, :], n_results=count, include=["distances"]
            )
        )
        return [
            (str(identifier), 1.0 - float(distance))
            for identifier, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    def close(self) -> None:
        self._guard(self._client.close)

    def _open(self) -> Any:
        return self._client.get_or_create_collection(
            self._name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
        )

    def _guard(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except self._errors as error:
            raise StoreError(f"the vector store Chroma ({self._where}) failed: {error}") from error


def collection_name(name: str) -> str:
    """Chroma allows only some ASCII names; any other is told apart by its hash."""
    if _NAME.fullmatch(name):
        return name
    return f"kb-{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def _errors() -> tuple[type[Exception], ...]:
    import httpx
    from chromadb.errors import ChromaError

    return (ChromaError, httpx.HTTPError, ValueError, RuntimeError, OSError)


def _server(chromadb: Any, settings: Any, options: Chroma.Options) -> Any:
    client = chromadb.HttpClient(options.host, options.port, options.ssl, settings=settings)
    client._server._session.timeout = _SECONDS  # its own default is to wait for ever
    return client
