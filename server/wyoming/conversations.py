"""Conversations of clients that are there only while they ask: each is one session, live between its questions, too, so
that operators see it and can take it over."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from agent.commands import Configure
from agent.completion import completed
from agent.events import TextDelta
from agent.session import Session
from configs.language import Lang
from server.protocols.base import Hello, Welcome
from server.reception import Reception

Owner = tuple[str, str]
"""Where a client is, and what it calls its conversation, which are known by their names alone."""
_MEANWHILE = 4
"""Turns between two questions that the user is told of: the latest."""


class Conversation:
    """`id`: of what is remembered of it. `told`: its user was given an answer. `over`: nothing more is asked in it."""

    def __init__(
        self,
        session: Session,
        welcome: Welcome,
        life: AsyncExitStack,
        seconds: float,
        forget: Callable[[], None],
    ) -> None:
        self.session, self.id = session, welcome.session
        self.told, self.over = welcome.resumed, False
        self.asking = asyncio.Lock()
        self._life, self._seconds, self._forget = life, seconds, forget
        self._meanwhile: deque[tuple[int, str]] = deque(maxlen=_MEANWHILE)
        self._waiting: asyncio.Task[None] | None = None
        session.reached = self.asking.locked

    def meanwhile(self) -> list[str]:
        """What was said while nobody asked, for the user to be told now."""
        said = [text for _, text in self._meanwhile]
        self._meanwhile.clear()
        return said

    async def attend(self) -> None:
        """Its user asks: what it says is theirs to take."""
        if self._waiting is not None:
            self._waiting.cancel()
            await asyncio.gather(self._waiting, return_exceptions=True)

    def rest(self) -> None:
        """Its user has gone, and may come back within `seconds`."""
        self._waiting = asyncio.create_task(self._wait(), name="wyoming conversation")
        self.session.changed()

    async def end(self) -> None:
        self.over = True
        if self._waiting is not None and self._waiting is not asyncio.current_task():
            await self.attend()
        await self._life.aclose()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._listen()
        except TimeoutError:
            self._forget()
            await self.end()

    async def _listen(self) -> None:
        while True:
            match await self.session.event():
                case TextDelta(turn=turn, text=text) if self._meanwhile and self._meanwhile[-1][0] == turn:
                    self._meanwhile[-1] = turn, self._meanwhile[-1][1] + text
                case TextDelta(turn=turn, text=text):
                    self._meanwhile.append((turn, text))
                case _:
                    pass


class Conversations:
    """By their owners: the latest `most`, each until it was not spoken in for `seconds`."""

    def __init__(self, reception: Reception, most: int, seconds: float) -> None:
        self._reception, self._most, self._seconds = reception, most, seconds
        self._known: OrderedDict[Owner, Conversation] = OrderedDict()
        self._beginning = asyncio.Lock()

    @asynccontextmanager
    async def asked(self, owner: Owner, lang: Lang | None) -> AsyncIterator[Conversation]:
        """While one question is answered; another in the same conversation waits. An answer that is not taken to its
        end is stopped. Raises UnknownBase."""
        while True:
            one = await self._found(owner, lang)
            async with one.asking:
                if one.over:
                    continue
                try:
                    await one.attend()
                    yield one
                except BaseException:
                    await completed(one.session.interrupt)
                    raise
                finally:
                    one.rest()
                return

    async def end(self, owner: Owner) -> None:
        """Nobody goes on with it any more."""
        one = self._known.pop(owner, None)
        if one is not None:
            await one.end()

    async def aclose(self) -> None:
        for owner in list(self._known):
            await self.end(owner)

    async def _found(self, owner: Owner, lang: Lang | None) -> Conversation:
        async with self._beginning:
            known = self._known.get(owner)
            if known is None:
                self._known[owner] = await self._begun(owner, lang)
            self._known.move_to_end(owner)
            await self._bound()
            return self._known[owner]

    async def _begun(self, owner: Owner, lang: Lang | None) -> Conversation:
        async with AsyncExitStack() as undo:
            session, welcome = await undo.enter_async_context(self._reception.received(Hello(lang=lang)))
            await session.handle(Configure(spoken=False))
            life = undo.pop_all()
        return Conversation(session, welcome, life, self._seconds, lambda: self._drop(owner))

    def _drop(self, owner: Owner) -> None:
        self._known.pop(owner, None)

    async def _bound(self) -> None:
        """Those that are asked just now stay."""
        spare = [owner for owner, one in self._known.items() if not one.asking.locked()][:-1]
        for owner in spare[: max(0, len(self._known) - self._most)]:
            await self.end(owner)
