"""Responses that a client can go on from: in memory, for a while, each for the holder of its key alone."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from server.openai.conversation import Said
from server.openai.errors import Json


@dataclass(frozen=True, slots=True)
class Stored:
    """`said`: the conversation up to the answer, with it. `response`: the answer as it was given."""

    said: tuple[Said, ...]
    response: Json

    @property
    def size(self) -> int:
        """Bytes, about."""
        return len(orjson.dumps(self.response)) + sum(4 * len(text) for _, text in self.said)


class Store:
    """`seconds` that one is kept; `most` of them and `room` characters in all: the oldest go first."""

    def __init__(
        self,
        seconds: float = 3600,
        most: int = 2000,
        room: int = 64_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._most, self._room, self._clock = seconds, most, room, clock
        self._kept: OrderedDict[tuple[bytes, str], tuple[float, int, Stored]] = OrderedDict()
        self._size = 0

    def keep(self, holder: bytes, id: str, stored: Stored) -> None:
        size = stored.size
        self._kept[holder, id] = (self._clock() + self._seconds, size, stored)
        self._size += size
        self._let_go()

    def find(self, holder: bytes, id: str) -> Stored | None:
        self._let_go()
        _, _, stored = self._kept.get((holder, id), (0.0, 0, None))
        return stored

    def drop(self, holder: bytes, id: str) -> bool:
        _, size, stored = self._kept.pop((holder, id), (0.0, 0, None))
        self._size -= size
        return stored is not None

    def _let_go(self) -> None:
        now = self._clock()
        while self._kept:
            end, size, _ = next(iter(self._kept.values()))
            if end > now and len(self._kept) <= self._most and self._size <= self._room:
                return
            self._kept.popitem(last=False)
            self._size -= size
