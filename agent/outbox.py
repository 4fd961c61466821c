"""The events a session has not yet delivered: bounded, and a turn's leftovers can be withdrawn."""

import asyncio
from collections import deque
from collections.abc import Callable

from agent.events import Event, Hearsay, Notice, TurnEnded, TurnStarted

_MOST = 1024
"""Events from which on those wait who make more: a client may ask on and take nothing."""


class Outbox:
    """One reader, any number of writers. A full outbox makes `put` wait: that is the back-pressure.

    `given` is told of each event that the reader takes.
    """

    def __init__(self, size: int, given: Callable[[Event], None] = lambda _: None) -> None:
        self._given = given
        self._events: deque[Event] = deque()
        self._size = size
        self._filled = asyncio.Event()
        self._delivered = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, event: Event) -> None:
        while len(self._events) >= self._size:
            self._room.clear()
            await self._room.wait()
        self.put_now(event)

    def put_now(self, event: Event) -> None:
        """Beyond the bound where need be: for what ends a turn, and for notices."""
        self._events.append(event)
        self._filled.set()
        self._delivered.clear()

    async def get(self) -> Event:
        while not self._events:
            self._filled.clear()
            self._delivered.set()
            await self._filled.wait()
        event = self._events.popleft()
        self._room.set()
        self._given(event)
        return event

    async def relieved(self) -> None:
        """Until the reader has taken what is beyond all measure."""
        while len(self._events) >= _MOST:
            self._room.clear()
            await self._room.wait()

    async def delivered(self) -> None:
        """Until the reader wants more than there is: what it was given before is on its way."""
        await self._delivered.wait()

    def withdraw(self, turn: int) -> bool:
        """Drop what turn `turn` has not delivered. Was there anything?

        Its beginning, its notices, what was heard, and ends of turns stay.
        """
        stays = TurnStarted | Notice | Hearsay | TurnEnded
        kept = [event for event in self._events if event.turn != turn or isinstance(event, stays)]
        withdrawn = len(kept) < len(self._events)
        self._events.clear()
        self._events.extend(kept)
        self._room.set()
        return withdrawn
