"""A lean HTTP/1.1 client for streamed answers: one request, the body as it arrives, connections kept alive."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast
from urllib.parse import urlsplit

import httptools

from configs.engines import ConfigError

_HIGH_WATER = 256 * 1024
_ERROR_BYTES = 64 * 1024


class HttpError(RuntimeError):
    """The server could not be reached, fell silent, broke off or did not speak HTTP."""


class _Incoming:
    """What has arrived of one response: httptools calls the `on_` methods, `Response` takes the rest."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self.buffered = 0
        self.touched = self.headed = self.complete = self.reusable = False
        self.failure: HttpError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        self.touched = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fail(HttpError(f"not an HTTP response: {error}"))
        self._wake()

    def end(self, error: Exception | None) -> None:
        """The connection is gone; that completes a body whose length was never announced."""
        open_ended = self.headed and not {"content-length", "transfer-encoding"} & self.headers.keys()
        if error is None and open_ended:
            self.complete = True
        elif not self.complete:
            self.fail(HttpError(f"the connection closed before the answer was complete ({error or 'end of stream'})"))
        self.reusable = False
        self._wake()

    def fail(self, failure: HttpError) -> None:
        self.failure, self.reusable = failure, False

    async def arrival(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def take(self) -> bytes:
        data = b"".join(self.chunks)
        self.chunks.clear()
        self.buffered = 0
        return data

    def on_message_begin(self) -> None:
        if self.complete:
            raise ValueError("a second response to one request")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.headed = self.status >= 200

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)
        self.buffered += len(body)

    def on_message_complete(self) -> None:
        if self.headed:
            self.complete, self.reusable = True, self._parser.should_keep_alive()
        else:
            self.headers.clear()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Connection(asyncio.Protocol):
    """One socket, one response at a time; a reader that falls behind pauses the sender."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.incoming: _Incoming | None = None
        self.lost = asyncio.get_running_loop().create_future()
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no asyncio.Transport by class, only by conduct
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.incoming is None or self.incoming.complete:
            self.transport.abort()
            return
        self.incoming.feed(data)
        if self.incoming.failure is not None:
            self.transport.abort()
        elif self.incoming.buffered > _HIGH_WATER and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
        if self.incoming is not None:
            self.incoming.end(exc)

    def send(self, request: bytes) -> _Incoming:
        self.incoming = _Incoming()
        self.transport.write(request)
        return self.incoming

    def drained(self) -> None:
        if self._paused and self.usable:
            self._paused = False
            self.transport.resume_reading()

    @property
    def usable(self) -> bool:
        return not self.lost.done() and not self.transport.is_closing()


class Response:
    """`status`, `headers` (names in lower case), and the body: an async iterator of bytes as they arrive."""

    def __init__(self, connection: _Connection, incoming: _Incoming, timeout: float | None) -> None:
        self._connection, self._incoming, self._timeout = connection, incoming, timeout
        self.status = incoming.status
        self.headers = incoming.headers

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        incoming = self._incoming
        while not incoming.chunks:
            if incoming.complete:
                raise StopAsyncIteration
            if incoming.failure is not None:
                raise incoming.failure
            await _arrival(incoming, self._timeout)
        data = incoming.take()
        self._connection.drained()
        return data

    async def text(self) -> str:
        """The first 64 KB of the body as text: for an answer that is an error message."""
        body = bytearray()
        async for chunk in self:
            body += chunk
            if len(body) >= _ERROR_BYTES:
                break
        return body[:_ERROR_BYTES].decode("utf-8", "replace")


class Client:
    """Requests to one server. `read_timeout`: the longest silence in seconds, None for no limit.

    httptools and a bare protocol cost a fifth of the CPU of a general HTTP library on a token stream.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        connect_timeout: float = 10.0,
        read_timeout: float | None = None,
        pool: int = 16,
    ) -> None:
        self._host, self._port, self._tls, self._prefix, authority = _origin(base_url)
        self._head = _lines({"Host": authority, **(headers or {})})
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._pool = pool
        self._context: ssl.SSLContext | None = None
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        self._closed = False

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Response]:
        """Send `body`; see `_ask`."""
        length = {"Content-Length": str(len(body))}
        return self._ask("POST", path, {**length, **(headers or {})}, body)

    def get(self, path: str) -> AbstractAsyncContextManager[Response]:
        return self._ask("GET", path, {}, b"")

    @asynccontextmanager
    async def _ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> AsyncIterator[Response]:
        """The block runs once the response's head is here. HttpError: see there.

        Leaving the block before the body's end closes the socket at once, which is how the server learns
        that nobody wants the rest. A kept-alive connection that turns out dead is replaced once.
        """
        request = f"{method} {self._prefix}{path} HTTP/1.1\r\n".encode("ascii") + self._head
        request += _lines(headers) + b"\r\n" + body
        connection, incoming = await self._answered(request)
        try:
            yield Response(connection, incoming, self._read_timeout)
        finally:
            self._release(connection)

    async def aclose(self) -> None:
        self._closed = True
        connections = [*self._idle, *self._busy]
        for connection in connections:
            connection.transport.abort()
        for connection in connections:
            await asyncio.shield(connection.lost)

    async def _answered(self, request: bytes) -> tuple[_Connection, _Incoming]:
        connection = self._kept()
        if connection is not None:
            try:
                return connection, await self._exchange(connection, request)
            except HttpError:
                if connection.incoming is None or connection.incoming.touched or not connection.lost.done():
                    raise
        connection = await self._connect()
        return connection, await self._exchange(connection, request)

    async def _exchange(self, connection: _Connection, request: bytes) -> _Incoming:
        """The response once its head is here; without one the connection is closed."""
        self._busy.add(connection)
        incoming = connection.send(request)
        try:
            while not incoming.headed:
                if incoming.failure is not None:
                    raise incoming.failure
                await _arrival(incoming, self._read_timeout)
        except BaseException:
            self._release(connection)
            raise
        return incoming

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
        return None

    async def _connect(self) -> _Connection:
        if self._closed:
            raise HttpError("the client is closed")
        if self._tls and self._context is None:
            self._context = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await loop.create_connection(_Connection, self._host, self._port, ssl=self._context)
        except (OSError, TimeoutError) as error:
            reason = str(error) or f"no answer within {self._connect_timeout:g} s"
            raise HttpError(f"{self._host}:{self._port} cannot be reached: {reason}") from error
        return connection

    def _release(self, connection: _Connection) -> None:
        self._busy.discard(connection)
        incoming = connection.incoming
        keep = incoming is not None and incoming.complete and incoming.reusable and connection.usable
        if not keep or self._closed or len(self._idle) >= self._pool:
            connection.transport.abort()
            return
        connection.drained()
        connection.incoming = None
        self._idle.append(connection)


async def _arrival(incoming: _Incoming, seconds: float | None) -> None:
    if seconds is None:
        await incoming.arrival()
        return
    try:
        async with asyncio.timeout(seconds):
            await incoming.arrival()
    except TimeoutError as error:
        raise HttpError(f"the server was silent for {seconds:g} s") from error


def _origin(base_url: str) -> tuple[str, int, bool, str, str]:
    """Host, port, TLS or not, path prefix and the Host header's value."""
    try:
        parts = urlsplit(base_url)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"base_url {base_url!r}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not base_url.isascii():
        raise ConfigError(f"base_url {base_url!r} must look like http://host:port/v1")
    tls = parts.scheme == "https"
    return parts.hostname, port or (443 if tls else 80), tls, parts.path.rstrip("/"), parts.netloc.rpartition("@")[2]


def _lines(headers: Mapping[str, str]) -> bytes:
    for name, value in headers.items():
        if not (name + value).isprintable():
            raise ConfigError(f"HTTP header {name!r} contains a control character")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1", "replace")
