"""A loopback stand-in for the service that edge-tts talks to: the same WebSocket frames around an MP3 of ffmpeg's."""

import json
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import formatdate
from html import unescape
from http import HTTPStatus
from typing import Literal

from websockets.asyncio.server import Request, Response, ServerConnection, serve

Mode = Literal[
    *("ok", "silent", "stalls", "stalls midway", "refuses", "forbids", "forbids once", "garbled", "breaks off"),
    *(
        "cut short",
        "miscounts",
        "other path",
        "other type",
        "odd metadata",
        "no metadata",
        "tiny frame",
        "hangs up once",
    ),
]

_TICKS = 10_000_000
_WORD = re.compile(r"[A-Za-z0-9']+|[\u4e00-\u9fff]")


def mp3(seconds: float) -> bytes:
    """A 440 Hz tone in the service's own format: 24 kHz mono, 48 kbit/s, no tags."""
    command = f"ffmpeg -v error -f lavfi -i sine=frequency=440:duration={seconds}:sample_rate=24000"
    command += " -ac 1 -c:a libmp3lame -b:a 48k -write_xing 0 -id3v2_version 0 -f mp3 -"
    return subprocess.run(command.split(), check=True, capture_output=True).stdout


class Service:
    """Speaks a third of a second a word; `heard` collects the texts it was sent, `voices` the voices they are for,
    `prosody` how fast, high and loud. `greeted`: connections asked for.

    What it does wrong by `mode`: "miscounts" is the trap of the framing, a length that leaves out the headers' last
    CRLF; "breaks off" ends the connection in the middle of words that were announced, "cut short" before they were."""

    def __init__(self, mode: Mode = "ok") -> None:
        self.mode, self.heard, self.voices = mode, list[str](), list[str]()
        self.prosody: list[str] = []
        self.greeted = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        async with serve(self._connection, "127.0.0.1", 0, process_request=self._greet, close_timeout=0.1) as server:
            yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/edge/v1?TrustedClientToken=test"

    def _greet(self, connection: ServerConnection, request: Request) -> Response | None:
        self.greeted += 1
        if self.mode == "refuses":
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        if self.mode == "forbids" or (self.mode == "forbids once" and self.greeted == 1):
            response = connection.respond(HTTPStatus.FORBIDDEN, "")
            response.headers["Date"] = formatdate(usegmt=True)
            return response
        return None

    async def _connection(self, socket: ServerConnection) -> None:
        async for message in socket:
            assert isinstance(message, str)
            head, _, body = message.partition("\r\n\r\n")
            if "Path:ssml" in head:
                self.voices += re.findall("<voice name='([^']*)'", body)
                self.prosody += re.findall("<prosody ([^>]*)>", body)
                await self._answer(socket, unescape(re.sub("<[^>]*>", "", body)))

    async def _answer(self, socket: ServerConnection, text: str) -> None:
        self.heard.append(text)
        await socket.send(_text("turn.start", {}))
        await socket.send(_text("response", {}))
        words = _WORD.findall(text)
        if self.mode == "hangs up once" and len(self.heard) == 1:
            await self._words(socket, words[:1], 0)
            await socket.close()
            return
        if self.mode == "stalls":
            socket.transport.pause_reading()
            await socket.wait_closed()
        elif (strange := self._strange()) is not None:
            await socket.send(strange)
        elif self.mode != "silent" and not await self._speak(socket, words):
            return
        await socket.send(_text("turn.end", {}))

    def _strange(self) -> str | bytes | None:
        """The one message that is not as the client expects it."""
        match self.mode:
            case "garbled":
                return _audio(b"this is not an MP3 frame at all")
            case "miscounts":
                whole = _audio(mp3(0.2)[:720])
                return (int.from_bytes(whole[:2], "big") - 2).to_bytes(2, "big") + whole[2:]
            case "other path":
                return _text("other", {})
            case "other type":
                return _frame("Content-Type:audio/ogg\r\nPath:audio\r\n", b"OggS")
            case "odd metadata":
                return _text("audio.metadata", {"Metadata": [{"Type": "Viseme", "Data": {}}]})
            case "no metadata":
                return _text("audio.metadata", {"Words": []})
            case "tiny frame":
                return b"\x00"
        return None

    async def _speak(self, socket: ServerConnection, words: list[str]) -> bool:
        """Whether all was said."""
        sound = mp3(len(words) / 3 + 0.2)
        first, rest = words[:1], words[1:]
        await self._words(socket, first, 0)
        half = len(sound) // 1440 * 720
        for start in range(0, len(sound), 720):
            if start == half and self.mode in ("breaks off", "cut short"):
                await socket.close()
                return False
            if start == half and self.mode == "stalls midway":
                socket.transport.pause_reading()
                await socket.wait_closed()
                return False
            await socket.send(_audio(sound[start : start + 720]))
            if start == 0 and self.mode != "cut short":
                await self._words(socket, rest, 1)
        await socket.send(_frame("Path:audio\r\n", b""))
        return True

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
