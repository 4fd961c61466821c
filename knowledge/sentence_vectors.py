"""The vectors of single sentences: what tells best whether a passage answers a question, looked up for candidates only.

A cache in a file of its own, made in the background after the passages' own vectors.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from configs.background import started
from knowledge.embedding import EmbedderError, Embedding, Vectors
from knowledge.sentences import sentences

T = TypeVar("T")
Needed = Callable[[], Awaitable[dict[str, str]]]
_FILE = "sentences.sqlite"
_LAYOUT = """
CREATE TABLE IF NOT EXISTS sentences (passage TEXT PRIMARY KEY, vectors BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS made (by TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_MOST = 900
"""Names in one query: SQLite's own limit was 999 for long."""

log = logging.getLogger(__name__)


class SentenceVectors:
    """`needed` tells the passages that are to have them, by id, with their text; `first` returns when the passages'
    own vectors are made. Rows are float16, a sentence each, in the order of `sentences.sentence_spans`.

    A file that cannot be used is made anew; until then there are no vectors, and nothing else is amiss.
    """

    def __init__(
        self,
        embedding: Embedding,
        folder: Path,
        writable: bool,
        needed: Needed,
        first: Callable[[], Awaitable[None]],
        retry: float,
    ) -> None:
        self._embedding = embedding
        self._path = folder / _FILE
        self._writable = writable
        self._needed, self._first, self._retry = needed, first, retry
        self._thread = ThreadPoolExecutor(1, "sentences")
        self._lock = Lock()
        self._db: sqlite3.Connection | None = None
        self._wanted: dict[str, str] = {}
        self._busy = True
        self._work = asyncio.Event()
        self._rest = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    @property
    def pending(self) -> int:
        """Passages whose sentences have no vectors yet; some, until it is open."""
        return len(self._wanted) + self._busy

    async def open(self, kept: Iterable[str]) -> None:
        """Those of passages that are neither needed nor `kept` go."""
        await self._call(self._connect)
        there = await self._call(self._names)
        needed = await self._needed()
        self._wanted |= {name: text for name, text in needed.items() if name not in there}
        stray = there - needed.keys() - set(kept)
        await self._call(lambda: self._forget(stray))
        self._busy = False
        self._work.set()
        self._worker = started(self._make(), "sentence vectors")

    def want(self, texts: Mapping[str, str]) -> None:
        self._wanted |= texts
        self._rest.clear()
        self._work.set()

    def leave(self, ids: Iterable[str]) -> None:
        """Make none for these."""
        for identifier in ids:
            self._wanted.pop(identifier, None)

    async def forget(self, ids: Iterable[str]) -> None:
        gone = list(ids)
        self.leave(gone)
        await self._call(lambda: self._forget(gone))

    async def rebuild(self) -> None:
        await self._call(self._anew)
        self._wanted = await self._needed()
        self._rest.clear()
        self._work.set()

    async def settled(self) -> None:
        """Return when every sentence has its vector, or cannot have it in this process."""
        await self._rest.wait()

    async def close(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.cancel()
            await asyncio.wait({worker})
        self._rest.set()
        self._thread.shutdown(wait=False)
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def cosines(self, vector: Vectors, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Cosine similarities of a question to the sentences of those of these passages that have vectors.

        Blocking, for about a millisecond; may be called from any thread.
        """
        rows = self._read(ids)
        if not rows:
            return {}
        dimension = len(vector)
        matrices = [np.frombuffer(blob, np.float16).reshape(-1, dimension) for _, blob in rows]
        similarities = np.concatenate(matrices).astype(np.float32) @ vector
        ends = np.cumsum([len(matrix) for matrix in matrices])
        return {name: part for (name, _), part in zip(rows, np.split(similarities, ends[:-1]), strict=True)}

    async def _make(self) -> None:
        while True:
            await self._work.wait()
            if not self._wanted or not self._writable:
                self._work.clear()
                self._rest.set()
                continue
            await self._first()
            if not self._wanted:
                continue
            name, text = self._wanted.popitem()
            self._busy = True
            try:
                await self._ensure(name, text)
            except EmbedderError:
                self._wanted.setdefault(name, text)
                await asyncio.sleep(self._retry)
            except Exception:
                log.exception("a passage's sentences have no vectors until the next start")
            finally:
                self._busy = False

    async def _ensure(self, name: str, text: str) -> None:
        if await self._call(lambda: self._read([name])):
            return
        rows = await self._embedding.indexed(sentences(text) or [text], "passage")
        await self._call(lambda: self._write(name, rows.astype(np.float16).tobytes()))

    def _connect(self) -> None:
        try:
            self._open()
            with self._lock:
                assert self._db is not None
                found = self._db.execute("SELECT by FROM made").fetchall()
            if found != [(self._embedding.identity,)]:
                self._anew()
        except sqlite3.Error:
            self._anew()

    def _open(self) -> None:
        with self._lock:
            self._db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(_LAYOUT)

    def _anew(self) -> None:
        """An empty file in place of what is there, which is used no more."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None
        if not self._writable:
            return
        try:
            for tail in ("", "-wal", "-shm"):
                self._path.with_name(_FILE + tail).unlink(missing_ok=True)
            self._open()
            self._write_all("INSERT INTO made VALUES (?)", [(self._embedding.identity,)])
        except (sqlite3.Error, OSError) as error:
            log.warning("the vectors of sentences cannot be kept: %s", error)

    def _read(self, ids: Sequence[str]) -> list[tuple[str, bytes]]:
        marks = ",".join("?" * len(ids[:_MOST]))
        with self._lock:
            if self._db is None:
                return []
            try:
                query = f"SELECT passage, vectors FROM sentences WHERE passage IN ({marks})"
                return self._db.execute(query, ids[:_MOST]).fetchall()
            except sqlite3.Error:
                return []

    def _names(self) -> set[str]:
        with self._lock, suppress(sqlite3.Error):
            if self._db is not None:
                return {row[0] for row in self._db.execute("SELECT passage FROM sentences")}
        return set()

    def _write(self, name: str, blob: bytes) -> None:
        self._write_all("INSERT OR REPLACE INTO sentences VALUES (?, ?)", [(name, blob)])

    def _forget(self, ids: Iterable[str]) -> None:
        self._write_all("DELETE FROM sentences WHERE passage = ?", [(name,) for name in ids])

    def _write_all(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """What cannot be written is made again at the next start."""
        if not rows or not self._writable:
            return
        with self._lock, suppress(sqlite3.Error):
            if self._db is not None:
                self._db.execute("BEGIN")
                with self._db:
                    self._db.executemany(statement, rows)

    async def _call(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function)
