"""The vectors that a store was given, by collection and id: for stores that cannot list or return what they hold."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import RLock

import numpy as np

from knowledge.embedding import Vectors
from knowledge.store import StoreError

_SCHEMA = "CREATE TABLE IF NOT EXISTS vectors (name TEXT, id TEXT, vector BLOB, PRIMARY KEY (name, id)) WITHOUT ROWID"
_BATCH = 500


class Ledger:
    """A SQLite file, or with None memory. Raises StoreError. Thread-safe."""

    def __init__(self, path: Path | None) -> None:
        self._lock = RLock()
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(path or ":memory:", check_same_thread=False)
            self._run("PRAGMA journal_mode = WAL")
            self._run(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the list of vectors {path} cannot be opened: {error}") from error

    def add(self, name: str, ids: Sequence[str], vectors: Vectors) -> None:
        rows = zip(ids, np.asarray(vectors, "<f4"), strict=True)
        self._write(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", [(name, id_, row.tobytes()) for id_, row in rows]
        )

    def remove(self, name: str, ids: Iterable[str]) -> None:
        self._write("DELETE FROM vectors WHERE name = ? AND id = ?", [(name, identifier) for identifier in ids])

    def drop(self, name: str) -> None:
        self._run("DELETE FROM vectors WHERE name = ?", (name,))

    def ids(self, name: str) -> set[str]:
        return {row[0] for row in self._run("SELECT id FROM vectors WHERE name = ?", (name,))}

    def dimension(self, name: str) -> int | None:
        rows = self._run("SELECT length(vector) / 4 FROM vectors WHERE name = ? LIMIT 1", (name,))
        return int(rows[0][0]) if rows else None

    def vectors(self, name: str, ids: Sequence[str]) -> dict[str, Vectors]:
        found: dict[str, Vectors] = {}
        for start in range(0, len(ids), _BATCH):
            part = ids[start : start + _BATCH]
            marks = ", ".join("?" * len(part))
            rows = self._run(f"SELECT id, vector FROM vectors WHERE name = ? AND id IN ({marks})", (name, *part))
            found.update((identifier, np.frombuffer(vector, "<f4").astype(np.float32)) for identifier, vector in rows)
        return found

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _write(self, statement: str, rows: list[tuple[object, ...]]) -> None:
        with self._lock:
            try:
                with self._database:
                    self._database.executemany(statement, rows)
            except sqlite3.Error as error:
                raise StoreError(f"the list of vectors failed: {error}") from error

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[str, bytes]]:
        with self._lock:
            try:
                with self._database:
                    return self._database.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"the list of vectors failed: {error}") from error
