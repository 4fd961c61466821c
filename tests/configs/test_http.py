"""The HTTP client against real loopback servers: framing, reuse, faults, closing early, back-pressure."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.engines import ConfigError
from configs.http import Client, HttpError

Handler = Callable[["Peer"], Awaitable[None]]
PEM = Path(__file__).with_name("loopback.pem")


class Peer:
    """The server's side of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader, self.writer, self.number = reader, writer, number

    async def request(self) -> tuple[bytes, bytes]:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return head, await self.reader.readexactly(length)

    async def send(self, data: bytes, cuts: list[int] | None = None) -> None:
        edges = [0, *sorted(cuts or []), len(data)]
        for start, end in zip(edges, edges[1:], strict=False):
            self.writer.write(data[start:end])
            await self.writer.drain()
            for _ in range(3):
                await asyncio.sleep(0)


@asynccontextmanager
async def served(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A loopback server that runs `handler` on each connection and closes it; yields `host:port`."""
    tasks: set[asyncio.Task[None]] = set()
    count = 0

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(Peer(reader, writer, count))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def body_of(client: Client, path: str = "/speech", body: bytes = b"{}") -> tuple[int, bytes]:
    async with client.post(path, body) as response:
        return response.status, b"".join([chunk async for chunk in response])


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"6\r\n\xe4\xbd\xa0\xe5\xa5\xbd\r\n5;x=1\r\nhello\r\n0\r\nTrailer: t\r\n\r\n"
)
SIZED = b"HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n" + "你好hello".encode()
CONTINUED = b"HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n" + CHUNKED
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + "你好hello".encode()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([CHUNKED, SIZED, CONTINUED, UNTIL_CLOSE]), st.data())
def test_any_split_of_the_bytes_gives_the_same_answer(wire: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(wire)), max_size=12))

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(wire, cuts)

    async def main() -> None:
        async with served(handler) as authority:
            client = Client(f"http://{authority}")
            async with client.post("/", b"{}") as response:
                assert "x-early" not in response.headers
                body = b"".join([chunk async for chunk in response])
            assert body.decode() == "你好hello"
            await client.aclose()

    asyncio.run(main())


async def test_the_request_carries_prefix_headers_and_body_and_the_connection_is_kept() -> None:
    heads: list[bytes] = []

    async def handler(peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            heads.append(head)
            answer = f"{peer.number}:".encode() + body
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)

    async with served(handler) as authority:
        client = Client(f"http://{authority}/v1/", headers={"Authorization": "Bearer k"})
        answers = [await body_of(client, "/audio/speech", text.encode()) for text in ("你好", "hello")]
        await client.aclose()
    assert answers == [(200, "1:你好".encode()), (200, b"1:hello")]
    assert heads[0].startswith(b"POST /v1/audio/speech HTTP/1.1\r\n")
    assert f"Host: {authority}\r\n".encode() in heads[0]
    assert b"Authorization: Bearer k\r\n" in heads[0]


async def test_requests_at_once_use_connections_of_their_own() -> None:
    gate = asyncio.Barrier(3)

    async def handler(peer: Peer) -> None:
        await peer.request()
        await gate.wait()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % peer.number)

    async with served(handler) as authority:
        client = Client(f"http://{authority}")
        answers = await asyncio.gather(*[body_of(client) for _ in range(3)])
        await client.aclose()
    assert sorted(body for _, body in answers) == [b"1", b"2", b"3"]


async def test_a_kept_connection_that_died_is_replaced_once() -> None:
    closed = asyncio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % peer.number)
        if peer.number == 1:
            await peer.request()
            closed.set()

    async with served(handler) as authority:
        client = Client(f"http://{authority}")
        first, second = await body_of(client), await body_of(client)
        await client.aclose()
    assert closed.is_set() and (first[1], second[1]) == (b"1", b"2")


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    ],
)
async def test_no_proper_head_is_an_error_before_the_block(wire: bytes) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(wire)

    async with served(handler) as authority:
        client = Client(f"http://{authority}")
        with pytest.raises(HttpError):
            await body_of(client)
        await client.aclose()


@pytest.mark.parametrize(
    "wire",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ],
)
async def test_a_broken_body_gives_what_came_and_then_the_error(wire: bytes) -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(wire, [wire.index(b"half") + 4])

    got = b""
    async with served(handler) as authority:
        client = Client(f"http://{authority}")
        async with client.post("/", b"") as response:
            with pytest.raises(HttpError):
                async for chunk in response:
                    got += chunk
        await client.aclose()
    assert got == b"half"


async def test_leaving_early_closes_the_socket_at_once() -> None:
    gone = asyncio.Event()

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx")
        assert await peer.reader.read() == b""
        gone.set()

    async with served(handler) as authority:
        client = Client(f"http://{authority}")
        async with client.post("/", b"") as response:
            assert await anext(aiter(response)) == b"x"
        await asyncio.wait_for(gone.wait(), 60)
        await client.aclose()


async def test_a_silent_server_and_a_refused_connection_are_errors() -> None:
    async def handler(peer: Peer) -> None:
        await peer.reader.read()

    async with served(handler) as authority:
        client = Client(f"http://{authority}", read_timeout=0.02)
        with pytest.raises(HttpError, match="silent"):
            await body_of(client)
        await client.aclose()
    nobody = Client(f"http://{authority}")
    with pytest.raises(HttpError, match="cannot be reached"):
        await body_of(nobody)


async def test_a_reader_that_stops_holds_the_sender_back() -> None:
    sent = 0

    async def handler(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 64:
            await peer.send(bytes(1 << 20))
            sent += 1

    async with served(handler) as authority:
        client = Client(f"http://{authority}")
        async with client.post("/", b"") as response:
            for _ in range(2000):
                await asyncio.sleep(0)
            stalled = sent
            total = sum([len(chunk) async for chunk in response])
        await client.aclose()
    assert stalled < 32 and total == 64 << 20


async def test_closing_the_client_ends_what_is_under_way() -> None:
    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await peer.reader.read()

    async with served(handler) as authority:
        client = Client(f"http://{authority}")
        async with client.post("/", b"") as response:
            await client.aclose()
            with pytest.raises(HttpError):
                [chunk async for chunk in response]
        with pytest.raises(HttpError, match="closed"):
            await body_of(client)


async def test_https_verifies_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)

    async def handler(peer: Peer) -> None:
        await peer.request()
        await peer.send(CHUNKED)

    async with served(handler, context) as authority:
        stranger = Client(f"https://{authority}")
        with pytest.raises(HttpError, match="certificate"):
            await body_of(stranger)
        monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
        client = Client(f"https://{authority}")
        assert await body_of(client) == (200, "你好hello".encode())
        await client.aclose()


@pytest.mark.parametrize("base_url", ["localhost:8000", "ftp://host", "http://", "http://host:none", "http://主机"])
def test_a_bad_address_is_a_setting_error(base_url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        Client(base_url)


def test_a_line_break_in_a_header_is_refused() -> None:
    with pytest.raises(ConfigError, match="Authorization"):
        Client("http://host", headers={"Authorization": "Bearer a\r\nX: y"})
