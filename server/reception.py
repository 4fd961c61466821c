"""How a client on a WebSocket is let in, and, when it has said hello, gets its session: its memory, its rules, and a
seat where operators can see it."""

import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from fastapi import WebSocket, WebSocketDisconnect

from agent.conduct import Conduct, used
from agent.session import Session
from knowledge.bases import UnknownBase
from server.admission import NO_BASE, Admission
from server.assemble import Service
from server.auth import Grant
from server.protocols.base import Codec, Hello, Welcome
from server.remembering import who
from server.sockets import serve

_BUSY = 1013


class Reception:
    """For the holders of one grant, who are answered from `bases`."""

    def __init__(self, service: Service, grant: Grant, bases: Sequence[str]) -> None:
        self._service, self._grant, self._bases = service, grant, tuple(bases)

    @asynccontextmanager
    async def received(self, hello: Hello) -> AsyncIterator[tuple[Session, Welcome]]:
        """A session that is live meanwhile. A user is known by the hash of the client's secret."""
        service = self._service
        persona = service.persona
        user = who(self._grant, _hashed(hello.user)) if hello.user else ""
        memory = await service.memories.open(
            id=hello.resume, user=user, persona=service.settings.persona, base=self._bases[0], lang=persona.language
        )
        minor = hello.minor or self._grant.minors
        settings = service.settings.conduct
        pause = (settings.minors if minor or settings.minors_only else settings.use).pause
        before = used([one.at for one in memory.exchanges], pause, time.time())
        session = Session(
            service.presenter_for(*self._bases),
            id=_hashed(memory.id)[:16],
            user=user or None,
            memory=memory,
            conduct=Conduct(settings, minor=minor, used=before),
            ears=service.ears_for(*self._bases),
        )
        long_term = bool(user) and service.settings.memory.long_term
        welcome = Welcome(
            memory.id,
            service.producer.label(session.id).aigc,
            long_term,
            memory.resumed,
            tuple((one.asked, one.heard) for one in memory.exchanges),
        )
        try:
            with service.desk.seating(session):
                yield session, welcome
        finally:
            await session.close()


async def entertain(
    socket: WebSocket,
    codec: Codec,
    service: Service,
    admission: Admission,
    grant: Grant,
    hello: Hello | None = None,
    *,
    lead: float | None = None,
    idle: float | None = None,
    patience: float | None = None,
) -> None:
    """Serve an accepted socket as `serve` does, or tell its client why it cannot be served now."""
    bases = admission.bases(grant)
    refusal = admission.refusal(bases)
    if refusal is None:
        with admission.admitted():
            try:
                received, seconds = Reception(service, grant, bases).received, service.settings.server.hello_seconds
                await serve(socket, codec, received, seconds, hello, lead=lead, idle=idle, patience=patience)
                return
            except UnknownBase:  # deleted since
                refusal = NO_BASE
    with suppress(WebSocketDisconnect):
        for frame in codec.encode(refusal):
            await socket.send_text(str(frame))
        await socket.close(_BUSY)


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:32]
