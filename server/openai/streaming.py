"""Answers that are sent while they are made, and work that ends at once when its client hangs up."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing
from typing import TypeVar

import orjson
from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from server.openai.errors import Json

T = TypeVar("T")

EVENTS = "text/event-stream"
DONE = b"data: [DONE]\n\n"
_HUNG_UP = 499
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class Flow(Response):
    """What the generator gives, piece by piece. It is closed, and its work with it, when the client is gone."""

    def __init__(
        self, pieces: AsyncGenerator[bytes, None], media_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status_code, self.media_type, self.background = 200, media_type, None
        self._pieces = pieces
        self.init_headers({**_HEADERS, **(headers or {})})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send), name="sending an answer")
        gone = asyncio.create_task(_hung_up(receive), name="a client that may hang up")
        try:
            await asyncio.wait((sending, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, gone):
                task.cancel()
            await asyncio.gather(sending, gone, return_exceptions=True)
            await self._pieces.aclose()
        if not sending.cancelled() and (error := sending.exception()) and not isinstance(error, OSError):
            raise error

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._pieces) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def unless_gone(request: Request, work: Coroutine[object, object, Response]) -> Response:
    """The answer that `work` comes to; it is cancelled, and waited for, when the client hangs up."""
    working = asyncio.create_task(work, name="answering a request")
    gone = asyncio.create_task(_hung_up(request.receive), name="a client that may hang up")
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not working.done():
            working.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)
    return Response(status_code=_HUNG_UP) if working.cancelled() else working.result()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def framed(event: Json, *, named: bool = False) -> bytes:
    """A server-sent event. `named`: its type stands in a line of its own."""
    name = b"event: " + str(event.get("type", "error")).encode() + b"\n" if named else b""
    return name + b"data: " + orjson.dumps(event) + b"\n\n"


async def begun(items: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The same items, the first of them made already. Raises what keeps it from beginning."""
    first = await anext(items)

    async def all_of_them() -> AsyncGenerator[T, None]:
        async with aclosing(items) as rest:
            yield first
            async for item in rest:
                yield item

    return all_of_them()
