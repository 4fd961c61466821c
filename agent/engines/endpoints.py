"""Model servers that hold the same model: which of them to ask, in which order, and a watch on them all."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence

from agent.engines.endpoint import Endpoint
from agent.model import ModelError


class Endpoints:
    """The watch looks at every server each `every` seconds; it begins with `watch` and ends with `aclose`."""

    def __init__(self, servers: Sequence[Endpoint], every: float) -> None:
        self.servers = tuple(servers)
        self._every = every
        self._watching: list[asyncio.Task[None]] = []

    @property
    def window(self) -> int | None:
        """What every server takes that has told."""
        return min((server.window for server in self.servers if server.window is not None), default=None)

    def to_ask(self, session: str) -> Iterator[Endpoint]:
        """The servers that may be asked, best first. Raises ModelError where there is none at all."""
        now, busy, none = asyncio.get_running_loop().time(), False, True
        for server in self._preferred(session):
            if server.busy:
                busy = True
            elif server.breaker.admits(now):
                none = False
                yield server
        if none and busy:
            raise ModelError("busy", "every model server has too much to do")
        if none:
            raise ModelError("unreachable", "every model server has been failing")

    def _preferred(self, session: str) -> list[Endpoint]:
        """Rendezvous hashing: a session keeps its server, and with it the cache of its prompts, whatever servers
        come and go beside it. Without a session the idlest comes first."""
        if not session:
            return sorted(self.servers, key=lambda server: server.running)
        return sorted(self.servers, key=lambda server: _weight(session, server.name), reverse=True)

    async def watch(self) -> None:
        """Returns once every server has been looked at for the first time."""
        if not self._watching:
            await asyncio.gather(*(server.look() for server in self.servers))
        if not self._watching:
            self._watching = [asyncio.create_task(self._keep_looking(server)) for server in self.servers]

    async def aclose(self) -> None:
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for server in self.servers:
            await server.aclose()

    async def _keep_looking(self, server: Endpoint) -> None:
        while True:
            await asyncio.sleep(self._every)
            await server.look()


def _weight(session: str, name: str) -> bytes:
    return hashlib.blake2b(f"{session}\0{name}".encode("utf-8", "replace"), digest_size=8).digest()
