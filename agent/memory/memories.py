"""All conversations and all users of one process: opened, resumed, looked after in the background, forgotten."""

import asyncio
import contextlib
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from weakref import WeakSet

import numpy as np

from agent.memory import noticing, summary
from agent.memory.conversation import Memory, speaks_of
from agent.memory.journal import Journal, State
from agent.memory.records import (
    Consent,
    Conversation,
    Entry,
    Erasure,
    Exchange,
    Fact,
    Heard,
    Records,
    RecordsError,
    Summary,
    Tally,
    Vector,
)
from agent.memory.relevance import Ranked, ranked
from agent.memory.telling import Told
from agent.model import ChatModel
from configs.language import Lang
from configs.memory import MemorySettings
from knowledge.embedding import EmbedderError, Embedding

log = logging.getLogger(__name__)

DAY = 86400.0
_PATIENCE = 0.5
"""Seconds that a turn waits for the records, and for a question's vector."""
_OPENING = 2.0
"""Seconds that a client waits for the records of its conversation."""
_ENDING = 5.0
_MOST_WORK = 64
"""Pieces of work in the background beyond which the model is not asked for statements: the rules have found theirs."""
_ID_BYTES = 18


@dataclass(frozen=True, slots=True)
class Kept:
    """A conversation as it is kept."""

    conversation: Conversation
    exchanges: tuple[Exchange, ...]
    summary: Summary | None


@dataclass(frozen=True, slots=True)
class Dossier:
    """All there is of one user."""

    user: str
    consent: Consent | None
    facts: tuple[Fact, ...]
    conversations: tuple[Kept, ...]


class Memories:
    """`size`: exchanges that `Memory.messages` gives. `model` summarises; `embedding` helps to find facts."""

    def __init__(
        self,
        records: Records,
        settings: MemorySettings,
        size: int,
        model: ChatModel | None = None,
        embedding: Embedding | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records, self._settings, self._size = records, settings, size
        self._model, self._embedding, self._clock = model, embedding, clock
        self._journal = Journal(records)
        self._open: WeakSet[Memory] = WeakSet()
        self._work: set[asyncio.Task[None]] = set()
        self._one = asyncio.Semaphore(1)
        self.most_tokens, self.most_facts = settings.summarise_after, settings.recalled

    async def open(
        self, *, id: str | None = None, user: str = "", persona: str = "", base: str = "", lang: Lang = "zh"
    ) -> Memory:
        """The conversation of this id, if it is one of the same user with the same base; else a new one, with an id of
        its own. Also where the records cannot be used: then the conversation is in memory, and is written when it can
        be."""
        remembers = False
        try:
            async with asyncio.timeout(_OPENING):
                remembers = bool(user) and await self._agreed(user)
                kept = await self._resumable(id) if id else None
        except (RecordsError, TimeoutError) as error:
            log.warning("a conversation begins without the records: %s", _reason(error))
            kept = None
        if id and kept and kept.conversation.user == user and kept.conversation.base == base:
            for earlier in list(self._open):
                if earlier.key == kept.conversation.key:
                    earlier.retired()
            memory = Memory(
                self._size,
                self,
                kept.conversation,
                id=id,
                exchanges=kept.exchanges,
                summary=kept.summary,
                remembers=remembers,
            )
        else:
            id, now = secrets.token_urlsafe(_ID_BYTES), self._clock()
            conversation = Conversation(key_of(id), user, persona, base, lang, now, now)
            memory = Memory(self._size, self, conversation, id=id, remembers=remembers)
        self._open.add(memory)
        return memory

    async def conversation(self, id: str) -> Conversation | None:
        """The one of this secret id. Raises RecordsError."""
        key = key_of(id)
        here = next((memory.conversation for memory in self._open if memory.key == key), None)
        return here or await self._records.conversation(key)

    async def users(self) -> tuple[Tally, ...]:
        await self._written()
        return await self._records.users()

    async def dossier(self, user: str) -> Dossier:
        """Raises RecordsError."""
        await self._written()
        conversations = await self._records.conversations(user)
        kept = [found for one in conversations if (found := await self._kept(one.key, whole=True))]
        return Dossier(user, await self._records.consent(user), await self._records.facts(user), tuple(kept))

    async def agree(self, user: str, given: bool) -> bool:
        """Consent to be remembered; where it is withdrawn, the user's facts are forgotten. Is it given now? Not where
        the operator has not turned long-term memory on. Raises RecordsError."""
        given = given and self._settings.long_term
        if not given:
            for memory in self._of(user):
                memory.remembers = False
            await self._written()
            facts = await self._records.facts(user)
            await self._erase(
                user, Erasure(facts=tuple(fact.id for fact in facts)), lambda entry: isinstance(entry, Fact)
            )
        await self._records.write([Consent(user, given, self._clock())])
        for memory in self._of(user):
            memory.remembers = given
        return given

    async def forget(self, user: str, conversation: str = "") -> None:
        """All there is of the user, consent too; of nobody in particular (""), only the conversation of this key.

        Raises RecordsError where it cannot be deleted now.
        """
        for memory in self._of(user):
            if user or memory.key == conversation:
                memory.remembers = False
                memory.forgotten()
        if user:
            await self._erase(user, Erasure(users=(user,)), lambda _: True)
        else:
            await self._erase("", Erasure(conversations=(conversation,)), lambda entry: _part_of(entry, conversation))

    async def forget_facts(self, user: str, conversation: str, facts: Sequence[Fact]) -> None:
        await self._written()
        keys = [one.key for one in await self._records.conversations(user)] if user else [conversation]
        told = {(fact.conversation, fact.turn) for fact in facts}
        spoken = []
        for key in keys:
            for exchange in await self._records.exchanges(key):
                if speaks_of(exchange, facts) or (key, exchange.turn) in told:
                    spoken.append((key, exchange.turn))
        erasure = Erasure(
            facts=tuple(fact.id for fact in facts),
            exchanges=tuple(spoken),
            summaries=tuple(sorted({key for key, _ in spoken})),
        )
        for memory in self._of(user):
            if user or memory.key == conversation:
                memory.forgotten_facts(facts)
        ids = set(erasure.facts)
        await self._erase(user, erasure, lambda entry: isinstance(entry, Fact) and entry.id in ids)

    async def forget_fact(self, user: str, id: str) -> bool:
        """One of the user's facts, with the exchanges that speak of it; False where there is none of this id. Raises
        RecordsError."""
        await self._written()
        facts = [fact for fact in await self._records.facts(user) if fact.id == id]
        if facts:
            await self.forget_facts(user, "", facts)
        return bool(facts)

    async def retain(self) -> int:
        """Erase what is older than the settings allow; how many conversations and facts. Raises RecordsError."""
        now, settings = self._clock(), self._settings
        count = 0

        async def expire() -> None:
            nonlocal count
            count = await self._records.expire(now - settings.days * DAY, now - settings.facts_days * DAY)

        await self._journal.alone(expire, lambda *_: False)
        return count

    def state(self) -> State:
        return self._journal.state()

    @asynccontextmanager
    async def retaining(self, every: float = DAY) -> AsyncIterator[None]:
        """`retain` now and daily while it is entered."""
        task = asyncio.create_task(self._retain(every), name="retention of memories")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def aclose(self) -> None:
        """What is being made in the background is left; what is made is written, if it can be soon."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await self._journal.aclose(_ENDING)
        await self._records.aclose()

    def write(self, user: str, *entries: Entry) -> None:
        self._journal.put(user, *entries)
        if self._embedding is not None:
            for entry in entries:
                if isinstance(entry, Fact):
                    self.behind(self._embed(entry))

    async def settled(self) -> None:
        await self._journal.settled()

    def behind(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="memory")
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def facts(self, user: str) -> tuple[Fact, ...]:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._records.facts(user)
        except (RecordsError, TimeoutError) as error:
            log.warning("facts are left out: %s", _reason(error))
            return ()

    async def ranked(self, question: str, lang: Lang, facts: Sequence[Fact]) -> list[Ranked]:
        """Of another embedder than the present one no vector counts."""
        vector, embedding = None, self._embedding
        if embedding is not None and any(fact.embedder == embedding.identity for fact in facts):
            facts = [fact if fact.embedder == embedding.identity else replace(fact, vector=b"") for fact in facts]
            with contextlib.suppress(EmbedderError):
                vector = await embedding.question(question, _PATIENCE)
        return ranked(question, lang, facts, self._clock(), vector)

    async def summarised(self, before: str, exchanges: Sequence[Exchange], lang: Lang, session: str) -> str:
        if self._model is None or self._settings.summaries == "rules":
            return summary.extracted(before, exchanges, lang)
        async with self._one:
            return await summary.modelled(self._model, before, exchanges, lang, session)

    async def found(self, text: str, lang: Lang) -> tuple[Told, ...]:
        if self._model is None or self._settings.facts == "rules" or len(self._work) > _MOST_WORK:
            return ()
        async with self._one:
            return await noticing.noticed(self._model, text, lang)

    async def _resumable(self, id: str) -> Kept | None:
        """With what a connection that is not over yet, or just was, has to write."""
        await self._written()
        return await self._kept(key_of(id))

    async def _agreed(self, user: str) -> bool:
        consent = await self._records.consent(user) if self._settings.long_term else None
        return consent is not None and consent.given

    async def _kept(self, key: str, *, whole: bool = False) -> Kept | None:
        """A conversation with its exchanges: those after the summary, or all."""
        conversation = await self._records.conversation(key)
        if conversation is None:
            return None
        summed = await self._records.summary(key)
        after = summed.upto if summed and not whole else 0
        return Kept(conversation, await self._records.exchanges(key, after), summed)

    async def _erase(self, user: str, erasure: Erasure, gone: Callable[[Entry], bool]) -> None:
        """From the records, and from what of this user's waits to be written."""
        await self._journal.alone(
            lambda: self._records.erase(erasure), lambda whose, entry: whose == user and gone(entry)
        )

    async def _written(self) -> None:
        try:
            async with asyncio.timeout(_OPENING):
                await self._journal.settled()
        except TimeoutError as error:
            raise RecordsError("unavailable", self.state().trouble or "the records are too slow") from error

    async def _embed(self, fact: Fact) -> None:
        assert self._embedding is not None
        try:
            rows = await self._embedding.indexed([fact.text], "passage")
        except EmbedderError as error:
            log.warning("a fact has no vector: %s", error)
            return
        vector = np.asarray(rows[0], np.float32).tobytes()
        self._journal.put(fact.user, Vector(fact.id, vector, self._embedding.identity))

    async def _retain(self, every: float) -> None:
        while True:
            try:
                if count := await self.retain():
                    log.info("retention: %d conversations and facts erased", count)
            except RecordsError as error:
                log.warning("retention: %s", _reason(error))
            await asyncio.sleep(every)

    def _of(self, user: str) -> Iterator[Memory]:
        return (memory for memory in list(self._open) if memory.user == user)


def key_of(id: str) -> str:
    """What a conversation's secret id is kept as: whoever reads the records cannot go on with the conversation."""
    return hashlib.sha256(id.encode()).hexdigest()[:32]


def _part_of(entry: Entry, conversation: str) -> bool:
    match entry:
        case Conversation(key=key):
            return key == conversation
        case Exchange(conversation=key) | Heard(conversation=key) | Summary(conversation=key) | Fact(conversation=key):
            return key == conversation
        case _:
            return False


def _reason(error: Exception) -> str:
    return f"{error.code}: {error}" if isinstance(error, RecordsError) else "out of time"
