"""One client's connection, as bytes in and frames out."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from server.protocols.wyoming import Frame, encoded

_PIECE = 65_536
_PARTING = 1.0
"""Seconds that a client is given to take the last frame."""

Reply = Callable[[Frame], Awaitable[None]]
"""Sends a frame; waits where the client takes them slowly."""


class Wire:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._clock = asyncio.get_running_loop().time
        self._moved = self._clock()
        self._sending = 0

    @property
    def host(self) -> str:
        peer = self._writer.get_extra_info("peername")
        return str(peer[0]) if peer else ""

    @property
    def still(self) -> float:
        """Seconds without a byte either way."""
        return self._clock() - self._moved

    @property
    def stuck(self) -> bool:
        """The client does not take what it is sent."""
        return self._sending > 0

    def touch(self) -> None:
        self._moved = self._clock()

    async def read(self) -> bytes:
        """b"" where the client has gone. Raises OSError."""
        data = await self._reader.read(_PIECE)
        self.touch()
        return data

    async def send(self, frame: Frame) -> None:
        """Raises OSError."""
        if self._writer.is_closing():
            raise ConnectionResetError("the client has gone")
        self._sending += 1
        try:
            self._writer.write(encoded(frame))
            await self._writer.drain()
        finally:
            self._sending -= 1
        self.touch()

    async def part(self, last: Frame) -> None:
        """Says this, and gives the client time to take it: an unread byte from it would have it lost."""
        with suppress(OSError, TimeoutError, RuntimeError):
            async with asyncio.timeout(_PARTING):
                self._writer.write(encoded(last))
                await self._writer.drain()
                self._writer.write_eof()
                while await self._reader.read(_PIECE):
                    pass

    async def close(self) -> None:
        """What was not taken by now is lost."""
        self._writer.transport.abort()
        with suppress(OSError):
            await self._writer.wait_closed()
