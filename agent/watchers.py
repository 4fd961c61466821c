"""Who looks on at a session: each sees every event that can be read, at its own pace and at nobody's expense."""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.events import Caption, Event, Motion, Speech

_RECENT = 200
"""Events that a new watcher is shown of what was before."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The user's words. For watchers: the user knows them."""

    turn: int
    text: str


@dataclass(frozen=True, slots=True)
class Missed:
    """The watcher was too slow for `count` events."""

    count: int


Seen = Event | Asked | Missed


class Watcher:
    """One reader. A full buffer loses its oldest event, and the next reading tells how many."""

    def __init__(self, size: int, recent: deque[Event | Asked]) -> None:
        self._events = deque(recent, maxlen=size)
        self._missed = 0
        self._filled = asyncio.Event()
        self._closed = False
        if recent:
            self._filled.set()

    async def event(self) -> Seen | None:
        """The next one; None when the session is closed and everything was read."""
        await self._filled.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return Missed(missed)
        if not self._events:
            return None
        event = self._events.popleft()
        if not self._events and not self._closed:
            self._filled.clear()
        return event

    def tell(self, event: Event | Asked) -> None:
        self._missed += len(self._events) == self._events.maxlen
        self._events.append(event)
        self._filled.set()

    def close(self) -> None:
        self._closed = True
        self._filled.set()


class Watchers:
    def __init__(self, size: int) -> None:
        self._size = size
        self._recent: deque[Event | Asked] = deque(maxlen=min(size, _RECENT))
        self._watchers: set[Watcher] = set()

    def tell(self, event: Event | Asked) -> None:
        """Never waits. Sound, motion and timed words are not for reading."""
        if isinstance(event, Speech | Motion | Caption):
            return
        self._recent.append(event)
        for watcher in self._watchers:
            watcher.tell(event)

    @contextmanager
    def watcher(self) -> Iterator[Watcher]:
        """Begins with what was before, as far as it is kept."""
        watcher = Watcher(self._size, self._recent)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def close(self) -> None:
        for watcher in self._watchers:
            watcher.close()
