"""The truth about what is known: documents and their passages in one SQLite file. All else can be rebuilt from it."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from knowledge.documents import Document, KnowledgeUnavailable, Passage, Place

_VERSION = 1
_SCHEMA = """
CREATE TABLE document (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, source TEXT NOT NULL UNIQUE, format TEXT NOT NULL, lang TEXT NOT NULL,
    sha256 TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE TABLE passage (
    id TEXT PRIMARY KEY, document TEXT NOT NULL REFERENCES document(id) ON DELETE CASCADE, ordinal INTEGER NOT NULL,
    section TEXT NOT NULL, page INTEGER, start INTEGER NOT NULL, stop INTEGER NOT NULL
) STRICT;
CREATE INDEX passage_of ON passage(document, ordinal);
CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


class Library:
    """Blocking; may be called from any thread. Raises KnowledgeUnavailable when the file cannot be used.

    One process at a time may write: `writable` tells whether this one does.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._claim = sqlite3.connect(
                folder / "writer.lock", timeout=0, isolation_level=None, check_same_thread=False
            )
            self.writable = self._claimed()
            self._db = sqlite3.connect(folder / "library.sqlite", isolation_level=None, check_same_thread=False)
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise KnowledgeUnavailable(f"the library in {folder} cannot be opened: {error}") from error

    def documents(self) -> Iterator[tuple[Document, list[Passage]]]:
        """Every document with its passages in order."""
        with self._reading() as db:
            passages: dict[str, list[tuple[str, str, int | None, int, int]]] = {}
            query = "SELECT document, id, section, page, start, stop FROM passage ORDER BY document, ordinal"
            for document, *fields in db.execute(query):
                passages.setdefault(document, []).append(tuple(fields))
            rows = db.execute(
                "SELECT id, title, source, format, lang, sha256, text FROM document ORDER BY source"
            ).fetchall()
        for row in rows:
            document = Document(*row)
            yield document, [_passage(document, *fields) for fields in passages.get(document.id, [])]

    def document(self, identifier: str) -> Document | None:
        with self._reading() as db:
            query = "SELECT id, title, source, format, lang, sha256, text FROM document WHERE id = ?"
            row = db.execute(query, (identifier,)).fetchone()
        return Document(*row) if row else None

    def put(self, document: Document, passages: Iterable[Passage]) -> None:
        """Replace the document of this id and all its passages, or nothing."""
        rows = [
            (
                p.id,
                p.document,
                ordinal,
                json.dumps(p.place.section, ensure_ascii=False),
                p.place.page,
                p.place.start,
                p.place.end,
            )
            for ordinal, p in enumerate(passages)
        ]
        with self._writing() as db:
            db.execute("DELETE FROM document WHERE id = ?", (document.id,))
            db.execute(
                "INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    document.id,
                    document.title,
                    document.source,
                    document.format,
                    document.lang,
                    document.sha256,
                    document.text,
                ),
            )
            db.executemany("INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def remove(self, identifier: str) -> None:
        with self._writing() as db:
            db.execute("DELETE FROM document WHERE id = ?", (identifier,))

    def note(self, key: str) -> str | None:
        with self._reading() as db:
            row = db.execute("SELECT value FROM note WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def set_note(self, key: str, value: str) -> None:
        with self._writing() as db:
            db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (key, value))

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._claim.close()

    def _claimed(self) -> bool:
        """Hold an exclusive lock for as long as this process lives; False when another one holds it."""
        try:
            self._claim.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            return False
        return True

    def _prepare(self) -> None:
        self._db.execute("PRAGMA foreign_keys = ON")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and self.writable:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"its layout is number {version}, this program reads number {_VERSION}")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise KnowledgeUnavailable(f"the library cannot be read: {error}") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if not self.writable:
            raise KnowledgeUnavailable("another process is using this knowledge base; stop it, or upload through it")
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                if self._in_transaction():
                    self._db.execute("ROLLBACK")
                raise KnowledgeUnavailable(f"the library cannot be written: {error}") from error

    def _in_transaction(self) -> bool:
        try:
            return self._db.in_transaction
        except sqlite3.ProgrammingError:
            return False


def _passage(document: Document, identifier: str, section: str, page: int | None, start: int, stop: int) -> Passage:
    place = Place(tuple(json.loads(section)), page, start, stop)
    return Passage(identifier, document.id, document.title, document.text[start:stop], place, document.source)
