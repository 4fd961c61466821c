"""Conversations of clients that are there only while they ask: each is one session, live between its questions, too, so
that operators see it and can take it over."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from agent.commands import Configure
from agent.completion import completed
from agent.events import TextDelta
from agent.session import Session
from configs.background import started
from configs.language import Lang
from server.protocols.base import Hello, Welcome
from server.reception import Reception
from server.wyoming.failure import Failure

Owner = tuple[str, str]
"""Where a client is, and what it calls its conversation, which are known by their names alone."""
_HELD = (
    "every conversation here is with a human, or waits for one: try again in a few minutes"
    " / 这里的对话都由人工接手，或在等人工，请过几分钟再试"
)
_MEANWHILE = 4
"""Turns between two questions that the user is told of: the latest."""


class Conversation:
    """`id`: of what is remembered of it. `told`: its user was given an answer. `over`: nothing more is asked in it.
    `forget` is called when its user has not come back in time."""

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

    @property
    def held(self) -> bool:
        """An operator has it, or its user waits for one."""
        standing = self.session.standing()
        return standing.operator is not None or standing.wanted is not None

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
        if not self.over:
            self._waiting = started(self._wait(), "wyoming conversation")
            self.session.changed()

    async def end(self) -> None:
        """Whole, also where whoever waits for it is cancelled."""
        self.over = True
        await completed(self.attend, self._life.aclose)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._listen()
        except TimeoutError:
            if not self.over:
                self._forget()

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
        self._beginning: WeakValueDictionary[Owner, asyncio.Lock] = WeakValueDictionary()
        self._begun = 0
        """Places of those that are not known yet."""
        self._endings: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def asked(self, owner: Owner, lang: Lang | None) -> AsyncIterator[Conversation]:
        """While one question is answered; another in the same conversation waits. An answer that is not taken to its
        end is stopped. Raises UnknownBase, and Failure where every place is held."""
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
        if owner in self._known:
            await asyncio.wait([self._parted(owner)])

    async def aclose(self) -> None:
        for owner in list(self._known):
            self._parted(owner)
        while self._endings:
            await asyncio.wait(self._endings)

    async def _found(self, owner: Owner, lang: Lang | None) -> Conversation:
        """One that two ask for at once begins once; nobody else waits for it."""
        async with self._beginning.setdefault(owner, asyncio.Lock()):
            if owner not in self._known:
                async with self._place():
                    one = await self._received(owner, lang)
                    one.rest()
                    self._known[owner] = one
            self._known.move_to_end(owner)
            return self._known[owner]

    async def _received(self, owner: Owner, lang: Lang | None) -> Conversation:
        async with AsyncExitStack() as undo:
            session, welcome = await undo.enter_async_context(self._reception.received(Hello(lang=lang)))
            await session.handle(Configure(spoken=False))
            life = undo.pop_all()
        return Conversation(session, welcome, life, self._seconds, lambda: self._drop(owner))

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """For one more, for which the oldest ends. Those that are asked just now stay, and those that are held. Raises
        Failure."""
        held = {owner for owner, one in self._known.items() if one.held}
        if len(held) >= self._most:
            raise Failure("held", _HELD)
        spare = [owner for owner, one in self._known.items() if not (owner in held or one.asking.locked())]
        more = len(self._known) + self._begun + 1 - self._most
        endings = [self._parted(owner) for owner in spare[: max(0, more)]]
        self._begun += 1
        try:
            if endings:
                await asyncio.wait(endings)
            yield
        finally:
            self._begun -= 1

    def _drop(self, owner: Owner) -> None:
        self._parted(owner)

    def _parted(self, owner: Owner) -> asyncio.Task[None]:
        """Its ending, which goes on whoever waits for it; how it fails is logged."""
        one = self._known.pop(owner)
        one.over = True
        ending = started(one.end(), "wyoming conversation's end")
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        return ending
