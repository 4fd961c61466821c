"""A loopback stand-in for the two FunASR runtime servers, as read in their source (modelscope/FunASR, runtime/).

`cpp` (websocket-server-2pass.cpp): `is_final` is true of the last message alone; where nothing was heard it has no
mode. `python` (funasr_wss_server.py): `is_final` means that the client still speaks, true of all but the last
message; an end without speech is answered with "". Both stream what is new in `2pass-online` and say a whole sentence
again in `2pass-offline`. Neither closes the connection.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from ssl import SSLContext
from typing import Any, Literal

from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Kind = Literal["cpp", "python"]
Mode = Literal["ok", "refuses", "deaf", "garbage", "no object", "number", "error", "drops", "closes", "late"]

_SECOND = 32000


@dataclass
class FunAsrServer:
    """`hears`: the text of all the sound of a connection; `started`: the first messages, `ended`: the last,
    `sizes`: bytes in each frame. `mode`: deaf says nothing, drops breaks off, closes ends politely without an answer,
    late takes `delay` seconds to answer the end."""

    hears: Callable[[bytes], str]
    kind: Kind = "cpp"
    mode: Mode = "ok"
    delay: float = 0.0
    started: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    open: int = 0
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self, tls: SSLContext | None = None) -> AsyncIterator[str]:
        async with serve(
            self._connection, "127.0.0.1", 0, process_request=self._greet, subprotocols=["binary"], ssl=tls,
            ping_interval=None, close_timeout=0.1,
        ) as server:  # fmt: skip
            yield f"{'wss' if tls else 'ws'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    def _greet(self, connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "") if self.mode == "refuses" else None

    async def _connection(self, socket: ServerConnection) -> None:
        self.open += 1
        try:
            await self._converse(socket)
        except ConnectionClosed:
            pass
        finally:
            self.open -= 1
            self.gone.set()

    async def _converse(self, socket: ServerConnection) -> None:
        talk = _Talk(self, socket)
        async for message in socket:
            if isinstance(message, bytes):
                self.sizes.append(len(message))
                if self.mode == "drops":
                    socket.transport.abort()
                    return
                await talk.hear(message)
            elif (said := json.loads(message)).get("is_speaking") is not False:
                self.started.append(said)
                talk.name = said["wav_name"]
            else:
                self.ended.append(said)
                if self.mode == "closes":
                    return
                await talk.end()


class _Talk:
    """One connection. What was corrected is not said again."""

    def __init__(self, server: FunAsrServer, socket: ServerConnection) -> None:
        self._server, self._socket = server, socket
        self._sound = b""
        self._told = self._corrected = 0
        self.name = ""

    async def hear(self, sound: bytes) -> None:
        before = len(self._sound) * 10 // (6 * _SECOND)
        self._sound += sound
        if len(self._sound) * 10 // (6 * _SECOND) == before or self._server.mode != "ok":
            return
        units = _units(self._server.hears(self._sound))
        shown = min(len(units), len(self._sound) * 5 // _SECOND)
        while self._told < shown:
            end = next((at for at in range(self._told + 1, shown + 1) if units[at - 1][-1] in "。！？.!?"), shown)
            await self._tell("2pass-online", "".join(units[self._told : end]), speaking=True)
            self._told = end
            if end < len(units) and units[end - 1][-1] in "。！？.!?":
                await self._tell("2pass-offline", "".join(units[self._corrected : end]), speaking=True)
                self._corrected = end

    async def end(self) -> None:
        match self._server.mode:
            case "deaf":
                return
            case "garbage":
                await self._socket.send("\x00<html>")
            case "no object":
                await self._socket.send("[1]")
            case "number":
                await self._socket.send('{"mode":"2pass-offline","text":7,"is_final":true}')
            case "error":
                await self._socket.send('{"text":"ERROR. Real-time transcription","is_final":true}')
            case _:
                await asyncio.sleep(self._server.delay)
                rest = "".join(_units(self._server.hears(self._sound))[self._corrected :])
                heard = rest or self._server.kind == "python"
                await self._tell("2pass-offline" if heard else None, rest, speaking=False)

    async def _tell(self, mode: str | None, text: str, *, speaking: bool) -> None:
        final = speaking if self._server.kind == "python" else not speaking
        said = ({"mode": mode} if mode else {}) | {"text": text.strip(), "wav_name": self.name, "is_final": final}
        await self._socket.send(json.dumps(said, ensure_ascii=False))


def _units(text: str) -> list[str]:
    """Words with the space before them, signs with the word that they follow."""
    made: list[str] = []
    for found in re.finditer(r"\s*(?:[A-Za-z0-9]+(?:['’:.-][A-Za-z0-9]+)*|[\u4e00-\u9fff])[^\w\s]*", text):
        made.append(found.group())
    return made
