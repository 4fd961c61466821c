"""One WebSocket whose client goes away at any moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import WebSocket

from agent.session import Session
from server.protocols.base import Hello, Welcome
from server.protocols.native import NativeCodec, Terms
from server.sockets import serve
from tests import virtual
from tests.doubles import presenter


@pytest.mark.parametrize("hello", [True, False], ids=["before the welcome", "before it was told to say hello"])
def test_a_client_that_vanishes_is_no_error_and_leaves_nothing(hello: bool) -> None:
    closed: list[Session] = []

    @asynccontextmanager
    async def received(_: Hello) -> AsyncIterator[tuple[Session, Welcome]]:
        session = Session(presenter())
        try:
            yield session, Welcome(session.id)
        finally:
            await session.close()
            closed.append(session)

    async def go() -> None:
        said = iter([{"type": "websocket.receive", "text": '{"type":"hello"}'}] if hello else [])

        async def receive() -> Any:
            return next(said, None) or await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] == "websocket.send":
                raise OSError("the client is gone")

        scope = {"type": "websocket", "path": "/ws", "headers": [], "subprotocols": []}
        connecting = iter([{"type": "websocket.connect"}])

        async def first() -> Any:
            return next(connecting, None) or await receive()

        socket = WebSocket(scope, first, send)
        await socket.accept()
        await serve(socket, NativeCodec(Terms("main", {}, 24_000, 50, 65_536)), received, 1.0)
        assert len(closed) == hello
        assert asyncio.all_tasks() == {asyncio.current_task()}

    virtual.run(go())
