"""The SQLite file of one knowledge base: opened, claimed by one writing process, brought to the present layout."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Lock

from knowledge.documents import KnowledgeUnavailable

FILE = "library.sqlite"
_VERSION = 2
SCHEMA = """
CREATE TABLE edition (number INTEGER PRIMARY KEY, created TEXT NOT NULL, note TEXT NOT NULL) STRICT;
CREATE TABLE revision (
    number INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL, title TEXT NOT NULL, source TEXT NOT NULL,
    format TEXT NOT NULL, lang TEXT NOT NULL, sha256 TEXT NOT NULL, text TEXT NOT NULL,
    dated TEXT, tags TEXT NOT NULL, summary TEXT NOT NULL
) STRICT;
CREATE INDEX revision_of ON revision(document);
CREATE TABLE shelved (
    revision INTEGER NOT NULL REFERENCES revision(number) ON DELETE CASCADE, since INTEGER NOT NULL, until INTEGER,
    PRIMARY KEY (revision, since)
) STRICT, WITHOUT ROWID;
CREATE TABLE passage (
    revision INTEGER NOT NULL REFERENCES revision(number) ON DELETE CASCADE, ordinal INTEGER NOT NULL,
    id TEXT NOT NULL, section TEXT NOT NULL, page INTEGER, at REAL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
    parent_start INTEGER, parent_stop INTEGER, PRIMARY KEY (revision, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX passage_named ON passage(id);
CREATE TABLE curated (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, revision INTEGER REFERENCES revision(number) ON DELETE CASCADE,
    lang TEXT NOT NULL, content TEXT NOT NULL, since INTEGER, until INTEGER
) STRICT;
CREATE INDEX curated_of ON curated(revision);
CREATE TABLE job (
    id TEXT PRIMARY KEY, source TEXT NOT NULL, request TEXT NOT NULL, data BLOB, state TEXT NOT NULL,
    created TEXT NOT NULL, code TEXT, message TEXT, document TEXT
) STRICT;
CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""
"""`shelved`: from which edition on, and up to which one, a revision of a document is part of the base.
`curated`: with a `revision` it came from that FAQ sheet; without one an editor wrote it, and it has editions itself."""

_FROM_1 = f"""
ALTER TABLE document RENAME TO old_document;
ALTER TABLE passage RENAME TO old_passage;
ALTER TABLE note RENAME TO old_note;
DROP INDEX passage_of;
{SCHEMA}
INSERT INTO edition VALUES (1, datetime('now') || 'Z', '');
INSERT INTO revision (document, title, source, format, lang, sha256, text, tags, summary)
    SELECT id, title, source, format, lang, sha256, text, '[]', '' FROM old_document;
INSERT INTO shelved SELECT number, 1, NULL FROM revision;
INSERT INTO passage SELECT number, ordinal, id, section, page, NULL, start, stop, NULL, NULL
    FROM old_passage JOIN revision ON revision.document = old_passage.document;
DROP TABLE old_passage; DROP TABLE old_document; DROP TABLE old_note;
"""


class Database:
    """Blocking; may be called from any thread. Raises KnowledgeUnavailable when the file cannot be used.

    One process at a time may write: `writable` tells whether this one does. What is written is on the disk when
    `writing` ends.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = Lock()
        with ExitStack() as undo:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._claim = undo.enter_context(closing(_connected(folder / "writer.lock", timeout=0)))
                self.writable = self._claimed()
                self._db = undo.enter_context(closing(_connected(folder / FILE)))
                self._prepare()
            except (sqlite3.Error, OSError) as error:
                raise KnowledgeUnavailable(f"the library in {folder} cannot be opened: {error}") from error
            undo.pop_all()

    def note(self, key: str) -> str | None:
        with self.reading() as db:
            row = db.execute("SELECT value FROM note WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None

    def set_note(self, key: str, value: str) -> None:
        with self.writing() as db:
            db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (key, value))

    def copy(self, path: Path) -> None:
        """A consistent copy of the whole file, while it is in use."""
        with self.reading() as db:
            db.execute("VACUUM INTO ?", (str(path),))

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._claim.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise KnowledgeUnavailable(f"the library cannot be read: {error}") from error

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of what is done in it, or, when anything is raised, nothing."""
        if not self.writable:
            raise KnowledgeUnavailable("another process is using this knowledge base; stop it, or upload through it")
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                self._db.execute("COMMIT")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    if self._db.in_transaction:
                        self._db.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise KnowledgeUnavailable(f"the library cannot be written: {error}") from error
                raise

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
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")
        if self.writable:
            self._db.execute("PRAGMA journal_mode = WAL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version < _VERSION and self.writable:
            script = SCHEMA if version == 0 else _FROM_1
            self._db.executescript(f"BEGIN; {script} PRAGMA user_version = {_VERSION}; COMMIT;")
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"its layout is number {version}, this program reads number {_VERSION}")


def _connected(path: Path, timeout: float = 5.0) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout, isolation_level=None, check_same_thread=False)


def examine(path: Path) -> None:
    """Raises KnowledgeUnavailable for a file that is not a sound library of the present layout and nothing else."""
    try:
        with closing(sqlite3.connect(":memory:")) as ours:
            ours.executescript(SCHEMA)
            expected = _layout(ours)
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as theirs:
            theirs.execute("PRAGMA trusted_schema = OFF")
            version = theirs.execute("PRAGMA user_version").fetchone()[0]
            found = _layout(theirs)
            sound = found == expected and theirs.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except sqlite3.Error as error:
        raise KnowledgeUnavailable(f"the library in the archive is damaged: {error}") from error
    if version != _VERSION:
        raise KnowledgeUnavailable(f"the archive's layout is number {version}, this program reads number {_VERSION}")
    if not sound:
        raise KnowledgeUnavailable("the library in the archive is damaged, or not one of Zhubo's")


def _layout(db: sqlite3.Connection) -> set[tuple[str, ...]]:
    return set(db.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))
