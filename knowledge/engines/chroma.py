"""Chroma as the vector store: a folder of this instance, or a Chroma server."""

import hashlib
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import numpy as np
from pydantic import Field

from configs import engines
from configs.home import Home
from knowledge.embedding import Vectors
from knowledge.engines.chroma_trial import survived
from knowledge.engines.generations import Generations
from knowledge.engines.instance import instance
from knowledge.engines.seal import Seal
from knowledge.store import StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,510}[a-zA-Z0-9]")
_BATCH = 1000
_SECONDS = 10.0
_WIDER = 4
_PASSING = ("(code: 5)", "(code: 13)")
_INDEX = "*/*.bin"
_HNSW = {"space": "cosine", "ef_search": 400}
"""Chroma's own ef_search of 100 misses 6 % of the 64 nearest of 10,000 passages; 400 costs 1 ms more."""


class Chroma:
    class Options(engines.Options):
        """Without `host` the vectors lie in the instance's own folder.

        `collection`: what the names of the collections begin with; by default, on a server, which other instances
        may share, a name of this instance alone.
        """

        host: str | None = None
        port: int = Field(default=8000, ge=1, le=65_535)
        ssl: bool = False
        collection: str | None = Field(default=None, min_length=1)

    def __init__(self, options: Options, home: Home) -> None:
        import chromadb  # noqa: F401  a package that is not installed is told at the start

        self._options = options
        self._lock = RLock()
        self._client: Any = None
        self._folder = Generations(home.data / "chroma", "chroma.sqlite3") if options.host is None else None
        self._prefix = options.collection
        if options.host is not None and options.collection is None:
            self._prefix = f"zhubo-{instance(home.data / 'instance')}"

    @property
    def generation(self) -> int:
        """Which folder is in use: a collection belongs to the one it was opened in."""
        return 0 if self._folder is None else self._folder.number

    def collection(self, name: str) -> "Collection":
        return Collection(self, self._mapped(name))

    def holds(self, name: str) -> bool:
        return self.call(partial(_held, self._mapped(name)))

    def drop(self, name: str) -> None:
        """A folder that cannot be read is left for a new one, and every collection in it is lost."""
        with self._lock:
            try:
                self.call(partial(_delete, self._mapped(name)))
                if self._folder is not None:
                    self._folder.examine()
            except StoreError as error:
                if self._folder is None or any(code in str(error) for code in _PASSING):
                    raise
                with suppress(StoreError):
                    self._disconnect()
                self._folder.renew()

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def call(self, function: Callable[[Any], T]) -> T:
        """What `function` makes of the client, with the vendor's errors translated."""
        try:
            return function(self._connect())
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001  Chroma raises bare Exceptions for answers it cannot read
            raise StoreError(f"the vector store Chroma ({self._where}) failed: {error}") from error

    @property
    def _where(self) -> str:
        return f"{self._options.host}:{self._options.port}" if self._folder is None else str(self._folder.path)

    def _mapped(self, name: str) -> str:
        return collection_name(name if self._prefix is None else f"{self._prefix}-{name}")

    def _connect(self) -> Any:
        """On first use: a server that is down when the program starts may come up later."""
        with self._lock:
            if self._client is None:
                self._client = _server(self._options) if self._folder is None else self._embedded(self._folder)
            elif self._folder is not None:
                self._folder.check()
            return self._client

    def _embedded(self, folder: Generations) -> Any:
        """What a process that was killed left behind, or somebody else changed, is read by another process first; where
        that dies of it, all vectors are made anew."""
        if not Seal(folder.path, _INDEX).take() and not survived(folder.path):
            log.error("the vectors in %s are damaged and made anew: reading them ends a process", folder.path)
            folder.renew()
        client = _embedded(folder.path)
        folder.opened()
        return client

    def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                client.close()
                if self._folder is not None:
                    Seal(self._folder.path, _INDEX).put()
                else:  # which Chroma leaves open
                    client._server._session.close()
                    client._admin_client._server._session.close()
            except Exception as error:  # noqa: BLE001  see call
                raise StoreError(f"the vector store Chroma ({self._where}) cannot be closed: {error}") from error


class Collection:
    """Opened on first use. It is lost with the folder that it was opened in."""

    def __init__(self, store: Chroma, name: str) -> None:
        self._store, self._name = store, name
        self._opened: Any = None
        self._generation = 0

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        for part in _parts(len(ids)):
            self._call("upsert", ids=list(ids[part]), embeddings=np.asarray(vectors[part], np.float32))

    def remove(self, ids: Sequence[str]) -> None:
        for part in _parts(len(ids)):
            self._call("delete", ids=list(ids[part]))

    def ids(self) -> set[str]:
        return set(self._call("get", include=[])["ids"])

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        wanted, found = list(dict.fromkeys(ids)), dict[str, Vectors]()
        for part in _parts(len(wanted)):
            got = self._call("get", ids=wanted[part], include=["embeddings"])
            found.update(zip(got["ids"], np.asarray(got["embeddings"], np.float32), strict=True))
        return found

    def search(self, vector: Vectors, count: int, among: AbstractSet[str] | None = None) -> list[tuple[str, float]]:
        """Where `among` is most of what is there, a wider search that leaves out the others is the cheaper one."""
        if among is None:
            return self._query(vector, count)
        if not among:
            return []
        total = int(self._call("count"))
        if 2 * len(among) >= total:
            near = [found for found in self._query(vector, _WIDER * count) if found[0] in among]
            if len(near) >= count or total <= _WIDER * count:
                return near[:count]
        return self._query(vector, count, self._present(list(among)))

    def _query(self, vector: Vectors, count: int, ids: list[str] | None = None) -> list[tuple[str, float]]:
        question = np.asarray(vector, np.float32)[None, :]
        found = self._call("query", query_embeddings=question, n_results=count, ids=ids, include=["distances"])
        return [
            (str(identifier), 1.0 - float(distance))
            for identifier, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    def _present(self, ids: list[str]) -> list[str]:
        """To search among an id that is not there is an error to Chroma."""
        return [found for part in _parts(len(ids)) for found in self._call("get", ids=ids[part], include=[])["ids"]]

    def _call(self, method: str, **arguments: Any) -> Any:
        return self._store.call(lambda client: getattr(self._open(client), method)(**arguments))

    def _open(self, client: Any) -> Any:
        if self._opened is not None and self._generation != self._store.generation:
            raise StoreError("the vectors were lost with the folder that they were in")
        if self._opened is None:
            opened = client.get_or_create_collection(self._name, embedding_function=None, configuration={"hnsw": _HNSW})
            opened.get(limit=1, include=["embeddings"])  # an index that is gone is told of here, not by bad results
            self._opened, self._generation = opened, self._store.generation
        return self._opened


def collection_name(name: str) -> str:
    """Chroma allows only some ASCII names; any other is told apart by its hash."""
    if _NAME.fullmatch(name):
        return name
    return f"kb-{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def _parts(length: int) -> Iterator[slice]:
    return (slice(start, start + _BATCH) for start in range(0, length, _BATCH))


def _delete(name: str, client: Any) -> None:
    from chromadb.errors import NotFoundError

    with suppress(NotFoundError):
        client.delete_collection(name)


def _held(name: str, client: Any) -> bool:
    from chromadb.errors import NotFoundError

    try:
        client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return False
    return True


def _embedded(path: Path) -> Any:
    import chromadb
    from chromadb.api.shared_system_client import SharedSystemClient
    from chromadb.config import Settings

    try:
        return chromadb.PersistentClient(str(path), Settings(anonymized_telemetry=False))
    except BaseException:
        SharedSystemClient._identifier_to_system.pop(
            str(path), None
        )  # else it would be handed out, half made, for ever
        raise


def _server(options: Chroma.Options) -> Any:
    """Chroma's client waits for ever by default, in its constructor too: so ask first whether anybody answers."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    scheme = "https" if options.ssl else "http"
    httpx.get(f"{scheme}://{options.host}:{options.port}/api/v2/heartbeat", timeout=_SECONDS).raise_for_status()
    settings = Settings(anonymized_telemetry=False)
    client: Any = chromadb.HttpClient(str(options.host), options.port, options.ssl, settings=settings)
    client._server._session.timeout = _SECONDS
    return client
