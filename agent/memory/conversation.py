"""The memory of one conversation: what was asked and heard, what it came to, and what the user told of themselves."""

import hashlib
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from agent.memory import about
from agent.memory.records import Conversation, Entry, Exchange, Fact, Heard, RecordsError, Summary
from agent.memory.relevance import Ranked, ranked
from agent.memory.requests import LINES, Answer, Forget, requested
from agent.memory.telling import Told, second_person, told
from agent.memory.transcript import Transcript
from agent.model import Message
from agent.tokens import estimate
from configs.language import Lang, detect

_MOST = 200
"""Exchanges that are kept in full while no summary comes of them."""
_LATE = 8
"""Answers of which a client may still say how much was heard."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """What a prompt may be given besides the documents. `history`: the latest exchanges, those that `summary` does not
    speak of; `facts`: what the user told of themselves that the question touches on. All of it is data."""

    history: tuple[Message, ...]
    summary: str = ""
    facts: tuple[Fact, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The facts for a prompt, each with the day it was said on."""
        return tuple(f"{time.strftime('%Y-%m-%d', time.localtime(fact.said))} {fact.text}" for fact in self.facts)


class Keeper(Protocol):
    """Where a conversation is kept, and whoever looks after it; shared by all of them."""

    @property
    def most_tokens(self) -> int:
        """From which on a conversation is summarised."""
        ...

    @property
    def most_facts(self) -> int: ...

    def write(self, user: str, *entries: Entry) -> None: ...
    async def settled(self) -> None: ...
    def behind(self, work: Coroutine[None, None, None]) -> None:
        """Have it done in the background."""
        ...

    async def facts(self, user: str) -> tuple[Fact, ...]:
        """None where they cannot be read."""
        ...

    async def ranked(self, question: str, lang: Lang, facts: Sequence[Fact]) -> list[Ranked]: ...
    async def summarised(self, before: str, exchanges: Sequence[Exchange], lang: Lang, session: str) -> str: ...
    async def found(self, text: str, lang: Lang) -> tuple[Told, ...]:
        """Statements of the user's that the rules do not see."""
        ...

    async def agree(self, user: str, given: bool) -> bool: ...
    async def forget(self, user: str, conversation: str) -> None:
        """All there is of the user, or, of nobody in particular, the conversation."""
        ...

    async def forget_facts(self, user: str, conversation: str, facts: Sequence[Fact]) -> None:
        """These facts, and the exchanges that they were told in or told back: of all the user's conversations, or, of
        nobody in particular, of this one."""
        ...


class Memory:
    """The conversation so far, as questions and answers heard. `size`: exchanges that `messages` gives.

    Without a `keeper` it is gone with the session.
    """

    def __init__(
        self,
        size: int,
        keeper: Keeper | None = None,
        conversation: Conversation | None = None,
        *,
        id: str = "",
        exchanges: Sequence[Exchange] = (),
        summary: Summary | None = None,
        remembers: bool = False,
    ) -> None:
        now = time.time()
        self.id, self.resumed = id, bool(exchanges or summary)
        self.remembers = remembers
        """What the user tells of themselves is kept for later conversations."""
        self._size, self._keeper = size, keeper
        self._conversation = conversation or Conversation("", "", "", "", "zh", now, now)
        self._exchanges = deque(exchanges, maxlen=_MOST if keeper else max(size, 1))
        self._summary = summary.text if summary else ""
        self._before = exchanges[-1].turn if exchanges else summary.upto if summary else 0
        self._told: dict[str, Fact] = {}
        self._delivered: dict[int, Transcript] = {}
        """The latest answers, by their turns."""
        self._summarising = False
        self._age = 0
        for exchange in exchanges:
            self._note(told(exchange.asked), exchange)

    @property
    def conversation(self) -> Conversation:
        return self._conversation

    @property
    def user(self) -> str:
        return self._conversation.user

    @property
    def key(self) -> str:
        return self._conversation.key

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        return tuple(self._exchanges)

    def messages(self) -> tuple[Message, ...]:
        """The last exchanges for a prompt, oldest first; a question whose answer nobody heard is left out."""
        return _messages(list(self._exchanges)[-self._size :] if self._size else [])

    def answered(self, turn: int, question: str, transcript: Transcript) -> None:
        """Turn `turn` has ended. Never waits: `settled` tells when it is on the disk."""
        now = time.time()
        lang = detect(question) or self._conversation.lang
        exchange = Exchange(self.key, self._before + turn, _plain(question), _plain(transcript.text), lang, now)
        self._conversation = replace(self._conversation, lang=lang, last=now)
        self._exchanges.append(exchange)
        self._delivered = dict([*self._delivered.items(), (turn, transcript)][-_LATE:])
        self._write(self._conversation, exchange)
        facts = self._note(told(exchange.asked), exchange)
        if self._keeper is None:
            return
        if self.remembers:
            self._write(*facts)
            self._keeper.behind(self._find(exchange, self._age))
        if not self._summarising and len(self._exchanges) > 1 and self._tokens() > self._keeper.most_tokens:
            self._summarising = True
            self._keeper.behind(self._summarise(self._age))

    def cut(self, turn: int, seconds: float) -> None:
        """Playback of turn `turn`, one of the latest, stopped after `seconds`: keep what was heard."""
        transcript, number = self._delivered.get(turn), self._before + turn
        at = next((at for at, one in enumerate(self._exchanges) if one.turn == number), None)
        if transcript is not None and at is not None:
            heard = _plain(transcript.heard(seconds))
            self._exchanges[at] = replace(self._exchanges[at], heard=heard)
            self._write(Heard(self.key, number, heard))

    async def recall(self, question: str, lang: Lang) -> Recalled:
        """What is known when `question` is asked: never waits long, and leaves out what cannot be read."""
        history = _messages(self._exchanges)
        if self._keeper is None:
            return Recalled(history)
        facts = await self._facts() if self.remembers else ()
        found = [one.fact for one in await self._keeper.ranked(question, lang, facts)] if facts else []
        name = [fact for fact in facts if fact.key == "self: name" and fact not in found]
        most = self._keeper.most_facts
        return Recalled(history, self._summary, tuple(found[: most - len(name)] + name))

    async def reply(self, text: str, lang: Lang) -> str | None:
        """What to say, word for word, to a request to forget, which is then done, or to a question about the user that
        what they told answers; None for everything else."""
        request = requested(text, lang)
        if request is None and not about.asks(text, lang):
            return None
        facts = await self._facts()
        match request:
            case None:
                return about.answer(text, lang, await self._ranked(text, lang, facts))
            case Forget(what, surely):
                done = await self._forget(what, lang, facts)
                return LINES[done][lang] if surely or done != "unknown" else None
            case _:
                return about.listed([(fact.text, fact.lang) for fact in facts], lang)

    async def consent(self, given: bool) -> bool:
        """The user agrees, or no longer agrees, to be remembered; without it what was kept is forgotten.

        Is it so now? Not where nobody said who the user is, nor where the operator has not allowed it. Raises
        RecordsError.
        """
        if self._keeper is not None and self.user:
            await self._keeper.agree(self.user, given)
        return self.remembers

    async def settled(self) -> None:
        """Until everything up to now is on the disk. Raises RecordsError for what was given up."""
        if self._keeper is not None:
            await self._keeper.settled()

    def retired(self) -> None:
        """Another connection goes on with the conversation: what is said on this one is no longer kept."""
        self._keeper, self.remembers = None, False
        self._age += 1

    def forgotten(self) -> None:
        """Everything is forgotten, here too, and what is being made of it in the background comes to nothing."""
        self._exchanges.clear()
        self._told.clear()
        self._summary, self._delivered = "", {}
        self._age += 1

    def forgotten_facts(self, facts: Sequence[Fact]) -> None:
        """These facts, and the exchanges of this conversation that speak of them."""
        kept = [exchange for exchange in self._exchanges if not speaks_of(exchange, facts)]
        self._exchanges = deque(kept, maxlen=self._exchanges.maxlen)
        for fact in facts:
            self._told.pop(fact.key, None)
        self._summary = ""
        self._age += 1

    def _write(self, *entries: Entry) -> None:
        if self._keeper is not None:
            self._keeper.write(self.user, *entries)

    def _note(self, statements: Sequence[Told], exchange: Exchange) -> list[Fact]:
        facts = [fact_of(statement, self.user, exchange) for statement in statements]
        self._told |= {fact.key: fact for fact in facts}
        return facts

    async def _facts(self) -> tuple[Fact, ...]:
        """What was told in this conversation and, where it is allowed, earlier; the latest first."""
        kept = await self._keeper.facts(self.user) if self._keeper and self.remembers else ()
        facts = {fact.key: fact for fact in kept} | self._told
        return tuple(sorted(facts.values(), key=lambda fact: -fact.said))

    async def _ranked(self, question: str, lang: Lang, facts: Sequence[Fact]) -> list[Ranked]:
        if self._keeper is None:
            return ranked(question, lang, facts, time.time())
        return await self._keeper.ranked(question, lang, facts)

    async def _forget(self, what: str, lang: Lang, facts: Sequence[Fact]) -> Answer:
        try:
            if not what:
                self.forgotten()
                if self._keeper is not None:
                    await self._keeper.forget(self.user, self.key)
                return "forgotten"
            meant = about.meant(await self._ranked(what, lang, facts))
            if not meant:
                return "unknown"
            self.forgotten_facts(meant)
            if self._keeper is not None:
                await self._keeper.forget_facts(self.user, self.key, meant)
            return "one"
        except RecordsError:
            return "failed"

    async def _find(self, exchange: Exchange, age: int) -> None:
        assert self._keeper is not None
        statements = await self._keeper.found(exchange.asked, exchange.lang)
        if age == self._age and self.remembers:
            self._write(*self._note([one for one in statements if one.key not in self._told], exchange))

    def _tokens(self) -> int:
        return sum(estimate(exchange.asked) + estimate(exchange.heard) for exchange in self._exchanges)

    async def _summarise(self, age: int) -> None:
        """The older half, by tokens, becomes part of the summary."""
        assert self._keeper is not None
        try:
            older: list[Exchange] = []
            rest = self._tokens()
            for exchange in list(self._exchanges)[:-1]:
                if rest <= self._keeper.most_tokens / 2:
                    break
                rest -= estimate(exchange.asked) + estimate(exchange.heard)
                older.append(exchange)
            lang = self._conversation.lang
            text = _plain(await self._keeper.summarised(self._summary, older, lang, self.id))
            if age == self._age and older:
                while self._exchanges and self._exchanges[0].turn <= older[-1].turn:
                    self._exchanges.popleft()
                self._summary = text
                self._write(Summary(self.key, older[-1].turn, text, lang, time.time()))
        finally:
            self._summarising = False


def fact_of(statement: Told, user: str, exchange: Exchange) -> Fact:
    return Fact(
        identity(user, statement.key),
        user,
        statement.key,
        statement.text,
        statement.lang,
        exchange.at,
        exchange.conversation,
        exchange.turn,
    )


def identity(user: str, key: str) -> str:
    """The id of a user's fact of this key; the same whenever it is told."""
    return hashlib.sha256(f"{user}\0{key}".encode()).hexdigest()[:16]


def speaks_of(exchange: Exchange, facts: Sequence[Fact]) -> bool:
    """Was one of these facts told in it, or told back?"""
    keys = {fact.key for fact in facts}
    if any(statement.key in keys for statement in told(exchange.asked)):
        return True
    said = f"{exchange.asked}\n{exchange.heard}".casefold()
    wordings = {words.casefold() for fact in facts for words in (fact.text, second_person(fact.text, fact.lang))}
    return any(words in said for words in wordings)


def _messages(exchanges: Sequence[Exchange] | deque[Exchange]) -> tuple[Message, ...]:
    """User and assistant by turns: what was said unasked goes with the answer before it."""
    messages: list[Message] = []
    for exchange in exchanges:
        if exchange.heard and exchange.asked:
            messages += Message("user", exchange.asked), Message("assistant", exchange.heard)
        elif exchange.heard and messages:
            messages[-1] = Message("assistant", f"{messages[-1].text} {exchange.heard}")
    return tuple(messages)


def _plain(text: str) -> str:
    """Text that every database can keep."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
