"""What is kept of conversations, and what a place to keep it must do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from configs.language import Lang


class RecordsError(RuntimeError):
    """The records cannot be used. `code`: locked, full, layout, refused (this one entry), unavailable."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Conversation:
    """`key`: what its secret id is kept as. `user`: "" where nobody said who it is. Times are seconds since 1970."""

    key: str
    user: str
    persona: str
    base: str
    lang: Lang
    started: float
    last: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and what was heard of its answer. A later one of the same turn takes its place."""

    conversation: str
    turn: int
    asked: str
    heard: str
    lang: Lang
    at: float


@dataclass(frozen=True, slots=True)
class Heard:
    """Less was heard of a turn than was written down."""

    conversation: str
    turn: int
    heard: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What the exchanges up to turn `upto` came to."""

    conversation: str
    upto: int
    text: str
    lang: Lang
    at: float


@dataclass(frozen=True, slots=True)
class Fact:
    """Something a user said of themselves, in their own words.

    `key`: what it is about; a user has one fact of a key, the last said. `said`: when; `conversation`, `turn`: where.
    """

    id: str
    user: str
    key: str
    text: str
    lang: Lang
    said: float
    conversation: str
    turn: int
    vector: bytes = b""
    embedder: str = ""


@dataclass(frozen=True, slots=True)
class Vector:
    """The vector of a fact that is still there, float32, and the embedder it is of."""

    fact: str
    vector: bytes
    embedder: str


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether a user agreed to be remembered from one conversation to the next."""

    user: str
    given: bool
    at: float


Entry = Conversation | Exchange | Heard | Summary | Fact | Vector | Consent


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is to be gone: all there is of a user; conversations by key, whole; facts by id; exchanges by conversation
    and turn; the summaries of conversations."""

    users: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    exchanges: tuple[tuple[str, int], ...] = ()
    summaries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """How much there is of one user."""

    user: str
    conversations: int
    facts: int
    consent: bool
    last: float


class Records(Protocol):
    """Nothing is done before the first call; each one connects where there is no connection. All raise RecordsError."""

    async def write(self, entries: Sequence[Entry]) -> None:
        """All of them or none, in order; on the disk when it returns."""
        ...

    async def conversation(self, key: str) -> Conversation | None: ...

    async def conversations(self, user: str) -> tuple[Conversation, ...]:
        """The latest first."""
        ...

    async def exchanges(self, key: str, after: int = 0) -> tuple[Exchange, ...]:
        """Those of later turns than `after`, in order."""
        ...

    async def summary(self, key: str) -> Summary | None: ...

    async def facts(self, user: str) -> tuple[Fact, ...]:
        """The latest first."""
        ...

    async def consent(self, user: str) -> Consent | None: ...

    async def users(self) -> tuple[Tally, ...]: ...

    async def erase(self, erasure: Erasure) -> None:
        """When it returns no file of the records has a trace of it."""
        ...

    async def expire(self, conversations: float, facts: float) -> int:
        """Erase what was last used, or said, before these times; how many."""
        ...

    async def aclose(self) -> None: ...
