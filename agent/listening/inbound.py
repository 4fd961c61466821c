"""What a client sends its session's ear, in order: bounded by bytes of sound."""

import asyncio
from collections import deque

from agent.commands import Audible, Microphone

_MOST = 1 << 20
"""Bytes of sound that wait at most; one command may be larger."""
_COMMANDS = 512
_PATIENCE = 2.0
"""Seconds that sound waits for room before it is lost."""


class Inbound:
    """One reader."""

    def __init__(self) -> None:
        self._commands: deque[Audible] = deque()
        self._bytes = 0
        self._filled, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()

    async def put(self, command: Audible) -> bool:
        """False for sound, or anything beyond measure, that there was no room for."""
        sound = isinstance(command, Microphone)
        if self._full(sound):
            self._room.clear()
            try:
                async with asyncio.timeout(_PATIENCE):
                    while self._full(sound):
                        self._room.clear()
                        await self._room.wait()
            except TimeoutError:
                return False
        self._commands.append(command)
        self._bytes += _size(command)
        self._filled.set()
        return True

    async def next(self, seconds: float | None) -> Audible | None:
        """None where nothing came for `seconds`."""
        if not self._commands:
            self._filled.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._filled.wait()
            except TimeoutError:
                return None
        command = self._commands.popleft()
        self._bytes -= _size(command)
        self._room.set()
        return command

    def _full(self, sound: bool) -> bool:
        return (sound and self._bytes >= _MOST) or len(self._commands) >= _COMMANDS


def _size(command: Audible) -> int:
    return len(command.data) if isinstance(command, Microphone) else 0
