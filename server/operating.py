"""One operator's connection: the list of sessions as it changes, the sessions watched, and what the operator does."""

import asyncio
import logging
from contextlib import ExitStack, suppress

import orjson
from fastapi import WebSocket, WebSocketDisconnect

from agent.desk import Desk, Operator
from agent.standing import Refused
from agent.watchers import Watcher
from server.protocols import operator as wire
from server.protocols.events import Json

log = logging.getLogger(__name__)

_POLICY = 1008
_BUSY = 1013
_INTERNAL = 1011
_WATCHED = 8
"""Sessions that one operator may watch at once."""
_EVERY = 0.2
"""Seconds between two lists."""


async def operate(socket: WebSocket, desk: Desk, hello_seconds: float) -> None:
    """Serve an accepted socket until it closes."""
    connection = _Connection(socket)
    try:
        async with asyncio.timeout(hello_seconds):
            hello = await connection.hello()
        with desk.attended(hello.name) as operator:
            await connection.send(wire.welcome())
            await _Console(connection, desk, operator).serve()
    except TimeoutError:
        await connection.close(_POLICY, wire.failed("hello_required", f"no hello within {hello_seconds:g} s"))
    except Refused as refused:
        await connection.close(_BUSY, wire.failed(refused.code, str(refused)))
    except WebSocketDisconnect:
        pass


class _Connection:
    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._sending = asyncio.Lock()

    async def send(self, message: Json) -> None:
        async with self._sending:
            await self._socket.send_text(orjson.dumps(message).decode())

    async def request(self) -> wire.Request:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        return wire.decode(text if text is not None else message["bytes"])

    async def hello(self) -> wire.Hello:
        while True:
            match await self.request():
                case wire.Hello() as hello:
                    return hello
                case wire.Bad(code, message, ref):
                    await self.send(wire.failed(code, message, ref))
                case _:
                    await self.send(wire.failed("hello_required", 'begin with {"type":"hello","name":"…"}'))

    async def close(self, code: int, told: Json) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):
            await self.send(told)
            await self._socket.close(code)


class _Console:
    def __init__(self, connection: _Connection, desk: Desk, operator: Operator) -> None:
        self._connection, self._desk, self._operator = connection, desk, operator
        self._watching: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        tasks = [
            asyncio.create_task(self._list(), name="list of sessions"),
            asyncio.create_task(self._read(), name="operator's requests"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks += self._watching.values()
            for task in tasks:
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, WebSocketDisconnect):
                log.error("an operator's connection failed", exc_info=end)
                await self._connection.close(_INTERNAL, wire.failed("internal", "something went wrong in the server"))

    async def _list(self) -> None:
        while True:
            await self._operator.changed.wait()
            self._operator.changed.clear()
            await self._connection.send(wire.listed(self._desk.standings(), self._desk.operators))
            await asyncio.sleep(_EVERY)

    async def _read(self) -> None:
        while True:
            request = await self._connection.request()
            try:
                await self._do(request)
            except Refused as refused:
                ref = "" if isinstance(request, wire.Hello | wire.Ping) else request.ref
                await self._connection.send(wire.failed(refused.code, str(refused), ref))

    async def _do(self, request: wire.Request) -> None:
        """Raises Refused."""
        send = self._connection.send
        match request:
            case wire.Ping():
                await send({"type": "pong"})
            case wire.Bad(code, message, ref):
                await send(wire.failed(code, message, ref))
            case wire.Direct(session, direction, ref):
                await self._desk.direct(self._operator, session, direction)
                await send(wire.done(ref))
            case wire.Watch(session, ref):
                self._watch(session)
                await send(wire.done(ref))
            case wire.Unwatch(session, ref):
                if session in self._watching:
                    self._watching.pop(session).cancel()
                await send(wire.done(ref))
            case wire.Hello():
                await send(wire.failed("bad_message", "hello was said already"))

    def _watch(self, session: str) -> None:
        if session in self._watching:
            return
        if len(self._watching) >= _WATCHED:
            raise Refused("full", f"at most {_WATCHED} sessions can be watched at once")
        looking = ExitStack()
        watcher = looking.enter_context(self._desk.watch(self._operator, session))
        task = asyncio.create_task(self._follow(session, watcher), name=f"watching {session}")
        task.add_done_callback(lambda _: looking.close())
        self._watching[session] = task

    async def _follow(self, session: str, watcher: Watcher) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                event = await watcher.event()
                await self._connection.send(wire.seen(session, event))
                if event is None:
                    self._watching.pop(session, None)
                    return
