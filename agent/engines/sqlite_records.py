"""Records in one SQLite file, written by a thread of their own: WAL, every commit synced, what is deleted zeroed."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

from agent.engines import records_sql as sql
from agent.memory.records import (
    Consent,
    Conversation,
    Entry,
    Erasure,
    Exchange,
    Fact,
    RecordsError,
    Summary,
    Tally,
)

T = TypeVar("T")

_SCRUB = 5.0
"""Seconds that another process's reading may keep the log from being emptied."""
_TYPES = {"real": "REAL", "blob": "BLOB", "strict": "STRICT"}


class SqliteRecords:
    """Several processes may use the file at once. `patience`: seconds that another one's write is waited for."""

    def __init__(self, path: Path, patience: float = 0.25) -> None:
        self._path, self._patience = path, patience
        self._thread = ThreadPoolExecutor(1, "records")
        self._db: sqlite3.Connection | None = None

    async def write(self, entries: Sequence[Entry]) -> None:
        statements = list(map(sql.written, entries))
        await self._call(lambda db: _transact(db, statements))

    async def conversation(self, key: str) -> Conversation | None:
        rows = await self._rows(sql.ONE_CONVERSATION, key)
        return sql.conversation(rows[0]) if rows else None

    async def conversations(self, user: str) -> tuple[Conversation, ...]:
        return tuple(map(sql.conversation, await self._rows(sql.CONVERSATIONS, user)))

    async def exchanges(self, key: str, after: int = 0) -> tuple[Exchange, ...]:
        return tuple(map(sql.exchange, await self._rows(sql.EXCHANGES, key, after)))

    async def summary(self, key: str) -> Summary | None:
        rows = await self._rows(sql.SUMMARY, key)
        return sql.summary(rows[0]) if rows else None

    async def facts(self, user: str) -> tuple[Fact, ...]:
        return tuple(map(sql.fact, await self._rows(sql.FACTS, user)))

    async def consent(self, user: str) -> Consent | None:
        rows = await self._rows(sql.CONSENT, user)
        return sql.consent(rows[0]) if rows else None

    async def users(self) -> tuple[Tally, ...]:
        return tuple(map(sql.tally, await self._rows(sql.USERS)))

    async def erase(self, erasure: Erasure) -> None:
        def erase(db: sqlite3.Connection) -> None:
            _transact(db, sql.erased(erasure))
            _scrub(db)

        await self._call(erase)

    async def expire(self, conversations: float, facts: float) -> int:
        def expire(db: sqlite3.Connection) -> int:
            count: int = _select(db, *sql.stale(conversations, facts))[0][0]
            if count:
                _transact(db, sql.expired(conversations, facts))
                _scrub(db)
            return count

        return await self._call(expire)

    async def aclose(self) -> None:
        def close() -> None:
            if self._db is not None:
                self._db.close()
                self._db = None

        await asyncio.get_running_loop().run_in_executor(self._thread, close)
        self._thread.shutdown(wait=False)

    async def _rows(self, statement: str, *arguments: object) -> list[sql.Row]:
        return await self._call(lambda db: _select(db, statement, arguments))

    async def _call(self, does: Callable[[sqlite3.Connection], T]) -> T:
        def call() -> T:
            try:
                if self._db is None:
                    self._db = _opened(self._path, self._patience)
                return does(self._db)
            except (sqlite3.Error, OSError, UnicodeError) as error:
                raise _told(error) from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def _opened(path: Path, patience: float) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # SQLite gives its other files the permissions of this one
    db = sqlite3.connect(path, patience, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        _log_ahead(db, patience)
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _log_ahead(db: sqlite3.Connection, patience: float) -> None:
    """WAL. For this change SQLite does not wait itself while another process makes it."""
    until = time.monotonic() + patience
    while db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.005)


def _prepare(db: sqlite3.Connection) -> None:
    """Closing the connection undoes what is half done."""
    if _version(db) == 0:
        db.execute("BEGIN IMMEDIATE")
        if _version(db) == 0:  # no other process has been quicker
            for statement in sql.SCHEMA:
                db.execute(statement.format_map(_TYPES))
            db.execute(f"PRAGMA user_version = {sql.VERSION}")
        db.execute("COMMIT")
    if (version := _version(db)) != sql.VERSION:
        raise RecordsError("layout", f"the records' layout is number {version}, this program reads {sql.VERSION}")


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def _transact(db: sqlite3.Connection, statements: Sequence[sql.Statement]) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        for statement, arguments in statements:
            db.execute(_ours(statement), arguments)
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            if db.in_transaction:
                db.execute("ROLLBACK")
        raise


def _select(db: sqlite3.Connection, statement: str, arguments: Sequence[object]) -> list[sql.Row]:
    with closing(db.execute(_ours(statement), arguments)) as cursor:
        return list(cursor.fetchall())


def _ours(statement: str) -> str:
    return statement.replace("$", "?")


def _scrub(db: sqlite3.Connection) -> None:
    """Write the file anew, for pages that were rearranged may hold old copies, and empty the log."""
    deadline = time.monotonic() + _SCRUB
    db.execute("VACUUM")
    while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > deadline:
            raise RecordsError("locked", "deleted, but another process keeps the log of the records from being emptied")
        time.sleep(0.02)


def _told(error: Exception) -> RecordsError:
    """Without the values of the statement, which SQLite does not name."""
    match error:
        case sqlite3.OperationalError() if "locked" in str(error) or "busy" in str(error):
            return RecordsError("locked", "another process is writing the records")
        case sqlite3.OperationalError() if "full" in str(error):
            return RecordsError("full", "there is no room left for the records")
        case UnicodeError() | sqlite3.IntegrityError() | sqlite3.InterfaceError() | sqlite3.DataError():
            return RecordsError("refused", f"an entry is not one that records can keep: {type(error).__name__}")
        case _:
            return RecordsError("unavailable", f"the records cannot be used: {error}")
