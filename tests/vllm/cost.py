"""What a streamed token costs our client: CPU of this process, the server in another one.

    .venv/bin/python -m tests.vllm.cost [--tokens 10000] [--rate 1000] [--streams 20]

Events are of vLLM's shape, one to a segment; the loop is the product's, uvloop. The bare cost is that of a protocol
that throws the same bytes away: what the kernel and the loop take to wake up for them, whatever the client.
"""

import argparse
import asyncio
import json
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

import uvloop

from agent.engines.openai import OpenAI
from agent.model import Message
from configs.home import current

_REST = {"logprobs": None, "token_ids": None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=1000, help="tokens a second, all streams together")
    parser.add_argument("--streams", type=int, default=20)
    arguments = parser.parse_args()
    print(costs(arguments.tokens, arguments.rate, arguments.streams))


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds of CPU a token."""

    whole: float
    bare: float
    hot: float

    def __str__(self) -> str:
        return (
            f"CPU a streamed token: {self.hot:.1f} us as fast as they come; at the given rate {self.whole:.1f} us, of "
            f"which {self.bare:.1f} us wake the loop and {self.whole - self.bare:.1f} us are the client's"
        )


def costs(tokens: int, rate: float, streams: int) -> Costs:
    """`hot`: one stream as fast as it goes, so that wake-ups and cold caches do not count."""
    return Costs(
        _measured(_read, tokens, rate, streams),
        _measured(_discard, tokens, rate, streams),
        _measured(_read, tokens, 1e6, 1),
    )


def _measured(reading: Callable[[int], Awaitable[None]], tokens: int, rate: float, streams: int) -> float:
    each = tokens // streams
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, each, rate / streams))
    process.start()

    async def all_of_them() -> float:
        began = time.process_time()
        await asyncio.gather(*(reading(port) for _ in range(streams)))
        return time.process_time() - began

    try:
        port = ours.recv()
        return uvloop.run(all_of_them()) / each / streams * 1e6
    finally:
        process.terminate()
        process.join()
        ours.close()
        theirs.close()


async def _read(port: int) -> None:
    options = {"base_url": f"http://127.0.0.1:{port}/v1", "model": "qwen"}
    model = OpenAI(OpenAI.Options.model_validate(options), current())
    async for _ in model.stream([Message("user", "几点开门？")]):
        pass
    await model.aclose()


class _Discarding(asyncio.Protocol):
    def __init__(self) -> None:
        self.over, self.closed = asyncio.Event(), asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(b"POST / HTTP/1.1\r\n\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"0\r\n\r\n"):
            self.over.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


async def _discard(port: int) -> None:
    transport, protocol = await asyncio.get_running_loop().create_connection(_Discarding, "127.0.0.1", port)
    await protocol.over.wait()
    transport.close()
    await protocol.closed.wait()


def _serve(ready: Connection, tokens: int, rate: float) -> None:
    asyncio.run(_served(ready, tokens, rate))


async def _served(ready: Connection, tokens: int, rate: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        began = time.monotonic()
        for number in range(tokens):
            writer.write(_chunk(_event({"content": "门票 "}, None)))
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        writer.write(_chunk(_event({}, "stop")) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        await writer.drain()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **_REST}
    event = {
        "id": "chatcmpl-9b2c",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "qwen",
        "choices": [choice],
    }
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


if __name__ == "__main__":
    main()
