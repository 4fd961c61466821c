"""A loopback stand-in for the service that edge-tts talks to: the same WebSocket frames around an MP3 of ffmpeg's."""

import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Literal

from websockets.asyncio.server import Request, Response, ServerConnection, serve

Mode = Literal["ok", "silent", "stalls", "refuses", "garbled"]

_TICKS = 10_000_000
_WORD = re.compile(r"[A-Za-z0-9']+|[\u4e00-\u9fff]")


def mp3(seconds: float) -> bytes:
    """A 440 Hz tone in the service's own format: 24 kHz mono, 48 kbit/s, no tags."""
    command = f"ffmpeg -v error -f lavfi -i sine=frequency=440:duration={seconds}:sample_rate=24000"
    command += " -ac 1 -c:a libmp3lame -b:a 48k -write_xing 0 -id3v2_version 0 -f mp3 -"
    return subprocess.run(command.split(), check=True, capture_output=True).stdout


class Service:
    """Speaks a third of a second a word; `heard` collects the texts it was sent, `voices` the voices they are for."""

    def __init__(self, mode: Mode = "ok") -> None:
        self.mode, self.heard, self.voices = mode, list[str](), list[str]()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        async with serve(self._connection, "127.0.0.1", 0, process_request=self._greet, close_timeout=0.1) as server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/edge/v1?TrustedClientToken=test"

    def _greet(self, connection: ServerConnection, request: Request) -> Response | None:
        return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "") if self.mode == "refuses" else None

    async def _connection(self, socket: ServerConnection) -> None:
        async for message in socket:
            assert isinstance(message, str)
            head, _, body = message.partition("\r\n\r\n")
            if "Path:ssml" in head:
                self.voices += re.findall("<voice name='([^']*)'", body)
                await self._answer(socket, re.sub("<[^>]*>", "", body))

    async def _answer(self, socket: ServerConnection, text: str) -> None:
        self.heard.append(text)
        await socket.send(_text("turn.start", {}))
        await socket.send(_text("response", {}))
        words = _WORD.findall(text)
        if self.mode == "stalls":
            socket.transport.pause_reading()
            await socket.wait_closed()
        if self.mode == "garbled":
            await socket.send(_audio(b"this is not an MP3 frame at all"))
        if self.mode == "ok":
            sound = mp3(len(words) / 3 + 0.2)
            first, rest = words[:1], words[1:]
            await self._words(socket, first, 0)
            for start in range(0, len(sound), 720):
                await socket.send(_audio(sound[start : start + 720]))
                if start == 0:
                    await self._words(socket, rest, 1)
            await socket.send(_frame("Path:audio\r\n", b""))
        await socket.send(_text("turn.end", {}))

    async def _words(self, socket: ServerConnection, words: list[str], place: int) -> None:
        for index, word in enumerate(words, place):
            data = {
                "Offset": int(index / 3 * _TICKS),
                "Duration": int(0.3 * _TICKS),
                "text": {"Text": word, "Length": len(word), "BoundaryType": "WordBoundary"},
            }
            await socket.send(_text("audio.metadata", {"Metadata": [{"Type": "WordBoundary", "Data": data}]}))


def _text(path: str, body: object) -> str:
    return f"X-RequestId:0\r\nContent-Type:application/json; charset=utf-8\r\nPath:{path}\r\n\r\n{json.dumps(body)}"


def _audio(data: bytes) -> bytes:
    return _frame("Content-Type:audio/mpeg\r\nPath:audio\r\n", data)


def _frame(headers: str, data: bytes) -> bytes:
    """The two length bytes count the headers with their last line's end."""
    head = b"X-RequestId:0\r\n" + headers.encode()
    return len(head).to_bytes(2, "big") + head + data
