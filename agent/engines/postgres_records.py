"""Records in a PostgreSQL database, for several servers that share their users.

What is erased leaves the tables' files (`VACUUM FULL`); the write-ahead log keeps its image until PostgreSQL reuses
those segments, and an archive of the log or a backup for as long as its owner keeps it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

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

_SECONDS = 10.0
"""For one statement, or to connect."""
_SCRUB = 600.0
_CONNECTIONS = 4
_LOCK = 0x5A687562
"""The advisory lock under which the tables are made: "Zhub"."""
_TYPES = {"real": "DOUBLE PRECISION", "blob": "BYTEA", "strict": ""}
_UNSAMPLED = {
    "exchange": ("asked", "heard"),
    "summary": ("text",),
    "fact": ("text", "key", "vector"),
}
"""Columns of which PostgreSQL's statistics, which outlive the rows, are to have no samples."""


class PostgresRecords:
    """`url`: as libpq reads it, `postgresql://user:password@host/database`. Tables are made in the default schema."""

    def __init__(self, url: str) -> None:
        import asyncpg

        self._asyncpg, self._url = asyncpg, url
        self._pool: Any = None
        self._opening = asyncio.Lock()

    async def write(self, entries: Sequence[Entry]) -> None:
        await self._transact(list(map(sql.written, entries)))

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
        await self._transact(sql.erased(erasure))
        await self._scrub()

    async def expire(self, conversations: float, facts: float) -> int:
        statement, arguments = sql.stale(conversations, facts)
        count: int = (await self._rows(statement, *arguments))[0][0]
        if count:
            await self._transact(sql.expired(conversations, facts))
            await self._scrub()
        return count

    async def aclose(self) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(_SECONDS):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    async def _rows(self, statement: str, *arguments: object) -> list[sql.Row]:
        async with self._connection() as connection:
            return [tuple(row) for row in await connection.fetch(statement, *arguments)]

    async def _transact(self, statements: Sequence[sql.Statement]) -> None:
        async with self._connection() as connection, connection.transaction():
            for statement, arguments in statements:
                await connection.execute(statement, *arguments)

    async def _scrub(self) -> None:
        async with self._connection() as connection:
            for table in sql.TABLES:
                await connection.execute(f"VACUUM (FULL) {table}", timeout=_SCRUB)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        try:
            if self._pool is None:
                await self._open()
            async with self._pool.acquire(timeout=_SECONDS) as connection:
                yield connection
        except (self._asyncpg.PostgresError, self._asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
            raise self._told(error) from error

    async def _open(self) -> None:
        async with self._opening:
            if self._pool is not None:
                return
            pool = await self._asyncpg.create_pool(
                self._url, min_size=1, max_size=_CONNECTIONS, timeout=_SECONDS, command_timeout=_SECONDS
            )
            try:
                async with pool.acquire() as connection, connection.transaction():
                    await self._prepare(connection)
            except BaseException:
                with suppress(Exception):
                    pool.terminate()
                raise
            self._pool = pool

    async def _prepare(self, connection: Any) -> None:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await connection.execute("CREATE TABLE IF NOT EXISTS layout (number INTEGER NOT NULL)")
        version = await connection.fetchval("SELECT max(number) FROM layout")
        if version is None:
            for statement in sql.SCHEMA:
                await connection.execute(statement.format_map(_TYPES))
            for table, columns in _UNSAMPLED.items():
                for column in columns:
                    await connection.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0")
            await connection.execute("INSERT INTO layout VALUES ($1)", sql.VERSION)
        elif version != sql.VERSION:
            raise RecordsError("layout", f"the records' layout is number {version}, this program reads {sql.VERSION}")

    def _told(self, error: Exception) -> RecordsError:
        """Without PostgreSQL's detail, which quotes values."""
        name = type(error).__name__
        match error:
            case self._asyncpg.DiskFullError():
                return RecordsError("full", "there is no room left for the records")
            case self._asyncpg.LockNotAvailableError() | self._asyncpg.DeadlockDetectedError():
                return RecordsError("locked", "another process is writing the records")
            case self._asyncpg.DataError() | self._asyncpg.IntegrityConstraintViolationError() | UnicodeError():
                return RecordsError("refused", f"an entry is not one that records can keep: {name}")
            case _:
                return RecordsError("unavailable", f"PostgreSQL cannot be used: {name}")
