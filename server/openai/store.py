"""Responses that a client can go on from: in memory, for a while, each for the holder of its key alone."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from server.openai.conversation import Said
from server.openai.errors import Json


@dataclass(frozen=True, slots=True)
class Stored:
    """`said`: the conversation up to the answer, with it. `response`: the answer as it was given."""

    said: tuple[Said, ...]
    response: Json

    @property
    def size(self) -> int:
        """Characters, about."""
        return 2000 + sum(len(text) for _, text in self.said)


class Store:
    """`seconds` that one is kept; `most` of them and `room` characters in all: the oldest go first."""

    def __init__(
        self,
        seconds: float = 3600,
        most: int = 2000,
        room: int = 16_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._most, self._room, self._clock = seconds, most, room, clock
        self._kept: OrderedDict[tuple[bytes, str], tuple[float, Stored]] = OrderedDict()
        self._size = 0

    def keep(self, holder: bytes, id: str, stored: Stored) -> None:
        self._kept[holder, id] = (self._clock() + self._seconds, stored)
        self._size += stored.size
        self._let_go()

    def find(self, holder: bytes, id: str) -> Stored | None:
        self._let_go()
        _, stored = self._kept.get((holder, id), (0.0, None))
        return stored

    def drop(self, holder: bytes, id: str) -> bool:
        end, stored = self._kept.pop((holder, id), (0.0, None))
        self._size -= stored.size if stored else 0
        return stored is not None

    def _let_go(self) -> None:
        now = self._clock()
        while self._kept:
            end, oldest = next(iter(self._kept.values()))
            if end > now and len(self._kept) <= self._most and self._size <= self._room:
                return
            self._kept.popitem(last=False)
            self._size -= oldest.size
