"""A loopback server with the OpenAI transcription endpoint, and with faults on demand."""

import asyncio
import io
import json
import re
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

ANSWERS = {
    "garbage": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n\x00<html>",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "no text": b'HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"words": []}',
    "a number": b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"text": 7}',
    "a list": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]",
    "cut off": b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"text": ',
    "401": b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 13\r\n\r\nbad key s3cret",
    "413": b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}",
    "429": b"HTTP/1.1 429 Too Many\r\nContent-Length: 2\r\n\r\n{}",
    "500": b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops",
    "503": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
    "504": b"HTTP/1.1 504 Timeout\r\nContent-Length: 0\r\n\r\n",
}


@dataclass
class TranscriptionServer:
    """`hears`: the text of a sound. `says`: a text, whatever was heard. `fault`: one of `ANSWERS`, or "endless".
    `asked`: the fields of each form, `heads`: the request lines and headers; `gone`: a client left before its answer.
    """

    hears: Callable[[bytes], str]
    says: str | None = None
    lang: str | None = None
    fault: str | None = None
    delay: float = 0.0
    asked: list[dict[str, str]] = field(default_factory=list)
    sounds: list[bytes] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        tasks: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await self._serve(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                pass
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=1 << 24)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
            fields, sound = form(head, await reader.readexactly(length))
            self.heads.append(head)
            self.asked.append(fields)
            self.sounds.append(sound)
            leaving = asyncio.create_task(reader.read(1))
            done, _ = await asyncio.wait({leaving}, timeout=self.delay)
            if done:
                self.gone.set()
                return
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            if self.fault == "endless":
                await self._endless(writer)
            if self.fault is not None:
                writer.write(ANSWERS[self.fault])
                await writer.drain()
                return
            said: dict[str, str] = {"text": self.hears(sound) if self.says is None else self.says}
            if self.lang is not None:
                said["language"] = self.lang
            body = json.dumps(said, ensure_ascii=False).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
            writer.write(body)
            await writer.drain()

    async def _endless(self, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()


def form(head: bytes, body: bytes) -> tuple[dict[str, str], bytes]:
    """The fields of a multipart form, and the PCM of the WAV file in it."""
    assert head.startswith(b"POST /v1/audio/transcriptions ")
    found = re.search(rb"(?i)content-type: multipart/form-data; boundary=(\S+)", head)
    assert found is not None
    parts = body.split(b"--" + found[1])
    assert parts[0] == b"" and parts[-1] == b"--\r\n"
    fields, sound = dict[str, str](), b""
    for part in parts[1:-1]:
        about, _, content = part[2:-2].partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', about)
        assert name is not None
        if b"filename=" in about:
            with wave.open(io.BytesIO(content)) as file:
                assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
                sound = file.readframes(file.getnframes())
        else:
            fields[name[1].decode()] = content.decode()
    return fields, sound
