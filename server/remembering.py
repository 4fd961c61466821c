"""Memories as the settings want them: where they are kept, and whose they are."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.memory.memories import Memories
from agent.memory.records import Records
from agent.model import ChatModel
from configs.engines import ConfigError
from configs.home import Home
from configs.settings import Settings
from knowledge.embedding import Embedding
from server.auth import Grant

FILE = "memory.sqlite"
USER = 200
"""Characters of a user's id."""


@asynccontextmanager
async def remembering(
    settings: Settings, home: Home, model: ChatModel | None = None, embedding: Embedding | None = None
) -> AsyncIterator[Memories]:
    """Looked after while it is entered: what is too old is erased daily. Does not wait for the database.

    Raises ConfigError where its driver is not installed.
    """
    records = records_of(settings, home)
    memories = Memories(records, settings.memory, settings.limits.history_exchanges, model, embedding)
    try:
        async with memories.retaining():
            yield memories
    finally:
        await memories.aclose()


def records_of(settings: Settings, home: Home, patience: float = 0.25) -> Records:
    """`patience`: seconds that another process's write to the file is waited for."""
    url = settings.memory.url
    if url is None:
        from agent.engines.sqlite_records import SqliteRecords

        return SqliteRecords(Path(home.data) / FILE, patience)
    from agent.engines.postgres_records import PostgresRecords

    try:
        return PostgresRecords(url.get_secret_value())
    except ImportError as error:
        raise ConfigError("memory.url: PostgreSQL needs the extra: pip install 'zhubo[postgres]'") from error


def who(grant: Grant, user: str) -> str:
    """A user's id in the records. What holders of one base's key call "alice" is nobody that others call so."""
    return f"{grant.base}:{user}" if user and grant.base is not None else user
