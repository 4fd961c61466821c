"""The user's words answered by the agent, in text; and which conversation they belong to."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from agent.announcements import promises_a_human
from agent.commands import Configure, Say
from agent.events import Fault, TextDelta, TurnEnded, TurnStarted
from agent.persona import Persona
from agent.session import Session
from configs.language import detect
from server.protocols.base import Hello
from server.protocols.events import parted
from server.protocols.wyoming import Ask, answers
from server.reception import Reception
from server.wyoming.wire import Reply

_CANDOUR = 2.0
"""Seconds in which the session goes on to say that nobody is there."""

Owner = tuple[str, str]
"""Where a client is, and what it calls its conversation, which are known by their names alone."""


class Conversations:
    """Ours, by their owners: the latest `most`, each until it was not spoken in for `seconds`."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float]) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._known: OrderedDict[Owner, tuple[str, float]] = OrderedDict()

    def of(self, owner: Owner) -> str | None:
        id, last = self._known.get(owner, (None, 0.0))
        return id if self._clock() - last <= self._seconds else None

    def keep(self, owner: Owner, id: str) -> None:
        self._known[owner] = id, self._clock()
        self._known.move_to_end(owner)
        while len(self._known) > self._most:
            self._known.popitem(last=False)


class Answering:
    """One question. `pieces`: the client takes an answer in pieces before the whole; `notice`: that this is an AI is
    said first in a new conversation."""

    def __init__(self, persona: Persona, ask: Ask, reply: Reply, *, pieces: bool, notice: bool) -> None:
        self._persona, self._ask, self._reply = persona, ask, reply
        self._pieces, self._notice = pieces, notice
        self._text = ""
        self._begun = self._promised = False

    async def run(self, reception: Reception, resume: str | None) -> str:
        """The id of the conversation, when the answer is told."""
        ask = self._ask
        async with reception.received(Hello(lang=ask.lang, resume=resume)) as (session, welcome):
            await session.handle(Configure(spoken=False))
            if self._notice and not welcome.resumed:
                lang = ask.lang or detect(ask.text) or self._persona.language
                self._text = self._persona.ai_notice[lang]
            await session.say(Say(ask.text, ask.lang))
            done = await self._told(session)
        await self._end(self._text.strip(), done=done)
        return welcome.session

    async def decline(self, reason: str) -> None:
        """There is no answer now; `reason` is what the user is told."""
        await self._end(reason, done=False)

    async def _told(self, session: Session) -> bool:
        """Whether it is an answer. Who is promised a human who is not there is told so, too."""
        done = await self._answered(session)
        if self._promised and not session.staffed():
            with suppress(TimeoutError):
                async with asyncio.timeout(_CANDOUR):
                    await self._answered(session)
        return done

    async def _answered(self, session: Session) -> bool:
        """One that an operator takes over goes on in the next turn."""
        failed = begun = False
        while True:
            event = await session.event()
            self._promised = self._promised or promises_a_human(event, self._persona)
            match event:
                case TurnStarted():
                    failed = begun = False
                case TextDelta(text=text):
                    await self._piece(text if begun else parted(self._text, text))
                    begun = True
                case Fault():
                    failed = True
                case TurnEnded(reason=reason, refused=refused) if reason != "interrupted":
                    return reason == "done" and not (refused or failed)
                case _:
                    pass

    async def _piece(self, text: str) -> None:
        told, self._text = self._text, self._text + text
        if self._pieces:
            text = text if self._begun else told + text
            await self._begin()
            await self._reply(answers.handled_chunk(text))

    async def _end(self, text: str, *, done: bool) -> None:
        if self._pieces:
            await self._begin()
        await self._reply(answers.handled(text, self._ask.context, done=done))
        if self._pieces:
            await self._reply(answers.handled_stop())

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._reply(answers.handled_start(self._ask.context))
