"""A website on loopback: pages by path, and a record of what was asked."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Send = Callable[[bytes], Awaitable[None]]
Handler = Callable[[Send], Awaitable[None]]


@dataclass(slots=True)
class Website:
    """`pages`: what each path answers: bytes as they go over the wire, or what writes them."""

    port: int = 0
    pages: dict[str, bytes | Handler] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    """The host names that TLS clients asked for."""

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1]
            self.asked.append((path, {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:])}))
            page = self.pages.get(path, answer(b"", status="404 Not Found"))
            await (send(page) if isinstance(page, bytes) else page(send))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def answer(body: bytes, kind: str = "text/html", *, status: str = "200 OK", **headers: str) -> bytes:
    """`headers`: names with `_` for `-`."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *([f"Content-Type: {kind}"] if kind else [])]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return answer(b"", status=status, Location=location)


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Website]:
    website = Website()
    if context is not None:
        context.sni_callback = lambda _socket, name, _context: website.names.append(name)
    server = await asyncio.start_server(website.serve, "127.0.0.1", 0, ssl=context)
    website.port = server.sockets[0].getsockname()[1]
    async with server:
        yield website
