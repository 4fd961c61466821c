"""Any server with the OpenAI transcription endpoint: the whole utterance as a WAV file, no partials."""

import asyncio
import secrets
import struct
from collections.abc import AsyncGenerator

import numpy as np
import orjson
from pydantic import Field, SecretStr

from avatar.engines.quiet import silent
from avatar.engines.whisper_guards import echoes, repeats, stock
from avatar.hearing import RATE, Expectation, Recognition, RecognizerError
from configs.engines import Options
from configs.home import Home
from configs.http import Client, HttpError, Response
from configs.language import Lang, detect

_ANYTHING = Expectation()
_ANSWER = 1_000_000
_LANGUAGES: dict[str, Lang] = {"zh": "zh", "chinese": "zh", "mandarin": "zh", "en": "en", "english": "en"}
_CODES = {408: "timeout", 504: "timeout", 429: "overloaded", 502: "unreachable", 503: "overloaded"}


class TranscriptionOptions(Options):
    """`base_url`: up to `/audio/transcriptions`. `timeout`: seconds for a whole answer. `longest`: seconds of an
    utterance; what goes beyond is not heard. `queue`: utterances under way; one more is an error."""

    base_url: str
    api_key: SecretStr | None = None
    model: str
    timeout: float = Field(20.0, gt=0)
    longest: float = Field(300.0, gt=0, le=3600)
    queue: int = Field(32, ge=1)


class Transcription:
    """One request an utterance, over connections that are kept; cancelling closes its connection."""

    Options = TranscriptionOptions

    def __init__(self, options: TranscriptionOptions, home: Home) -> None:
        self.options = options
        key = options.api_key
        headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        self._client = Client(options.base_url, headers=headers, connect_timeout=options.timeout)
        self._under_way = 0

    def hear(self, expectation: Expectation = _ANYTHING) -> "TranscriptionHearing":
        return TranscriptionHearing(self, expectation)

    async def warm(self) -> None:
        """Nothing is lazy."""

    async def aclose(self) -> None:
        await self._client.aclose()

    async def transcribe(self, pcm: bytes, expectation: Expectation) -> Recognition:
        """Raises RecognizerError."""
        if self._under_way >= self.options.queue:
            raise RecognizerError("overloaded", f"{self._under_way} utterances are being transcribed")
        boundary = secrets.token_hex(16)
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        body = _form(boundary, self._fields(expectation), wav(pcm))
        self._under_way += 1
        try:
            async with (
                asyncio.timeout(self.options.timeout),
                self._client.post("/audio/transcriptions", body, kind) as response,
            ):
                return _understood(await _checked(response), expectation)
        except TimeoutError as error:
            raise RecognizerError("timeout", f"no transcription within {self.options.timeout:g} s") from error
        except HttpError as error:
            code = "unreachable" if "cannot be reached" in str(error) else "failed"
            raise RecognizerError(code, f"the transcription server failed: {error}") from error
        finally:
            self._under_way -= 1

    def _fields(self, expectation: Expectation) -> dict[str, str]:
        fields = {"model": self.options.model, "response_format": "json"}
        if expectation.lang is not None:
            fields["language"] = expectation.lang
        if expectation.words:
            fields["prompt"] = ", ".join(expectation.words)
        return fields


class TranscriptionHearing:
    def __init__(self, engine: Transcription, expectation: Expectation) -> None:
        self._engine, self._expectation = engine, expectation
        self._most = 2 * int(engine.options.longest * RATE)
        self._sound = bytearray()
        self._ended = asyncio.Event()

    def feed(self, pcm: bytes) -> None:
        if not self._ended.is_set():
            self._sound += pcm[: max(0, self._most - len(self._sound))]

    async def partials(self) -> AsyncGenerator[Recognition, None]:
        await self._ended.wait()
        return
        yield

    async def finish(self) -> Recognition:
        self._ended.set()
        pcm = bytes(self._sound[: len(self._sound) & ~1])
        if silent(np.frombuffer(pcm, "<i2")):
            return Recognition("")
        return await self._engine.transcribe(pcm, self._expectation)

    async def aclose(self) -> None:
        self._ended.set()


def wav(pcm: bytes) -> bytes:
    """16 kHz mono 16-bit PCM in a RIFF file."""
    head = struct.pack(
        "<4sI8sIHHIIHH4sI", b"RIFF", 36 + len(pcm), b"WAVEfmt ", 16, 1, 1, RATE, RATE * 2, 2, 16, b"data", len(pcm)
    )
    return head + pcm


def _form(boundary: str, fields: dict[str, str], sound: bytes) -> bytes:
    """RFC 7578."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in fields.items()
    ]
    head = "".join(parts) + (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="speech.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    )
    return head.encode() + sound + f"\r\n--{boundary}--\r\n".encode()


async def _checked(response: Response) -> bytes:
    if response.status != 200:
        code = _CODES.get(response.status, "refused" if response.status < 500 else "failed")
        raise RecognizerError(code, f"the transcription server answered {response.status}")
    body = bytearray()
    async for chunk in response:
        body += chunk
        if len(body) > _ANSWER:
            raise RecognizerError("failed", "the transcription server's answer has no end")
    return bytes(body)


def _understood(body: bytes, expectation: Expectation) -> Recognition:
    try:
        answer = orjson.loads(body)
    except ValueError as error:
        raise RecognizerError("failed", "the transcription server did not answer with JSON") from error
    text = answer.get("text") if isinstance(answer, dict) else None
    if not isinstance(text, str):
        raise RecognizerError("failed", "the transcription server's answer has no text")
    text = text.strip()
    if not any(map(str.isalnum, text)) or repeats(text) or stock(text) or echoes(text, "", expectation.words):
        return Recognition("")
    told = _LANGUAGES.get(str(answer.get("language", "")).lower())
    return Recognition(text, told or detect(text) or expectation.lang)
