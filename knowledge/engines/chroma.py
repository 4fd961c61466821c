"""Chroma as the vector store: a folder of this instance, or a Chroma server."""

import hashlib
import re
import uuid
from collections.abc import Callable, Sequence
from operator import methodcaller
from pathlib import Path
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
        """Without `host` the vectors lie in the instance's own folder.

        `collection`: by default "zhubo"; on a server, which other instances may share, one of this instance alone.
        """

        host: str | None = None
        port: int = Field(default=8000, ge=1, le=65_535)
        ssl: bool = False
        collection: str | None = Field(default=None, min_length=1)

    def __init__(self, options: Options, home: Home) -> None:
        self._options = options
        self._errors = _errors()
        self._client: Any = None
        self._opened: Any = None
        if options.host is None:
            self._where = str(home.data / "chroma")
            self._name = collection_name(options.collection or "zhubo")
            self._guard(lambda collection: None)
        else:
            self._where = f"{options.host}:{options.port}"
            self._name = collection_name(options.collection or f"zhubo-{_instance(home.data / 'instance')}")

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        for start in range(0, len(ids), _BATCH):
            part = slice(start, start + _BATCH)
            self._guard(methodcaller("upsert", ids=list(ids[part]), embeddings=vectors[part]))

    def remove(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _BATCH):
            self._guard(methodcaller("delete", ids=list(ids[start : start + _BATCH])))

    def ids(self) -> set[str]:
        return set(self._guard(methodcaller("get", include=[]))["ids"])

    def clear(self) -> None:
        self._guard(lambda collection: self._client.delete_collection(self._name))
        self._opened = None
        self._guard(lambda collection: None)

    def search(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        question = np.asarray(vector)[None, :]
        query = methodcaller("query", query_embeddings=question, n_results=count, include=["distances"])
        found = self._guard(query)
        return [
            (str(identifier), 1.0 - float(distance))
            for identifier, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    def close(self) -> None:
        if self._client is not None:
            self._guard(lambda collection: self._client.close())

    def _collection(self) -> Any:
        """Opened on first use: a server that is down when the program starts may come up later."""
        if self._client is None:
            self._client = _client(self._where, self._options)
        if self._opened is None:
            self._opened = self._client.get_or_create_collection(
                self._name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        return self._opened

    def _guard(self, call: Callable[[Any], T]) -> T:
        """What `call` makes of the collection, with the vendor's errors translated."""
        try:
            return call(self._collection())
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


def _instance(path: Path) -> str:
    """A random name that stays with a data folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="ascii") as file:
            file.write(uuid.uuid4().hex)
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
    return path.read_text("ascii").strip()


def _client(where: str, options: Chroma.Options) -> Any:
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if options.host is None:
        return chromadb.PersistentClient(where, settings)
    client: Any = chromadb.HttpClient(options.host, options.port, options.ssl, settings=settings)
    client._server._session.timeout = _SECONDS  # its own default is to wait for ever
    return client
