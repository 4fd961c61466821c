"""Where Wyoming clients connect: a port of its own, for the protocol has no HTTP."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from configs.engines import ConfigError
from configs.wyoming import WyomingSettings
from server.admission import Admission
from server.assemble import Service
from server.auth import require_open
from server.protocols.wyoming import answers, encoded
from server.wyoming.connection import Connection
from server.wyoming.provider import Provider
from server.wyoming.wire import Wire

log = logging.getLogger(__name__)

_BUSY = "too many connections, try again later / 连接太多，请稍后再试"


def listening_on(wyoming: WyomingSettings) -> socket.socket | None:
    """None where it is not served. Raises ConfigError."""
    require_open(wyoming)
    if wyoming.port is None:
        return None
    listener = socket.socket(socket.AF_INET6 if ":" in wyoming.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((wyoming.host, wyoming.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        place = f"{wyoming.host}:{wyoming.port}"
        raise ConfigError(f"cannot serve Wyoming on {place} ({error.strerror}); set wyoming.port to another") from error
    listener.setblocking(False)
    return listener


@asynccontextmanager
async def wyoming_served(service: Service, admission: Admission, listener: socket.socket | None) -> AsyncIterator[None]:
    """While it is entered, clients are served on `listener`, which is closed at the end with all of them."""
    if listener is None:
        yield
        return
    provider = Provider(service, admission)
    clients: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(clients) >= provider.settings.connections:
            writer.write(encoded(answers.error("busy", _BUSY)))
            writer.close()
            return
        client = asyncio.create_task(_serve(Wire(reader, writer), provider), name="wyoming client")
        clients.add(client)
        client.add_done_callback(clients.discard)

    server = await asyncio.start_server(accept, sock=listener)
    try:
        yield
    finally:
        server.close()
        for client in list(clients):
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await provider.aclose()


async def _serve(wire: Wire, provider: Provider) -> None:
    try:
        await Connection(wire, provider).run()
    finally:
        await wire.close()
