"""edge-tts: Microsoft's online voices through the client of the Edge browser; an unofficial service, words timed."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from avatar.audio import pieces
from avatar.engines.mp3 import RATE, Mp3, Mp3Error
from avatar.speech import SpeechPart, Utterance, VoiceError, WordSpan
from avatar.spoken import shaped
from configs.engines import Options
from configs.home import Home

if TYPE_CHECKING:
    from aiohttp import TCPConnector
    from edge_tts import Communicate
    from edge_tts.typing import TTSChunk

_TICKS = 10_000_000
_NAME = r"^[a-z]{2,3}-[A-Z]{2}-[\w-]+$"


class Voices(BaseModel):
    """Names as `edge-tts --list-voices` prints them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = Field(default="zh-CN-XiaoxiaoNeural", pattern=_NAME)
    en: str = Field(default="en-US-AriaNeural", pattern=_NAME)


class EdgeOptions(Options):
    """`rate` as in "+10%". Timeouts in seconds: to connect, and of silence from the service."""

    voices: Voices = Voices()
    rate: str = Field("+0%", pattern=r"^[+-]\d+%$")
    proxy: str | None = None
    connect_timeout: int = Field(5, ge=1)
    receive_timeout: float = Field(10, gt=0)


class _Waiting:
    """Sound that has arrived, and how far its words are known. Word spans never overlap."""

    def __init__(self) -> None:
        self.sound = bytearray()
        self._until = self._taken = 0.0

    def word(self, text: str, start: float, length: float) -> WordSpan:
        start = max(start, self._until)
        self._until = max(start, start + length)
        return WordSpan(text, start, self._until)

    def known(self) -> bytes:
        """Take the sound up to the end of the last known word."""
        size = min(len(self.sound), 2 * round((self._until - self._taken) * RATE))
        known = bytes(self.sound[:size])
        del self.sound[:size]
        self._taken += size / 2 / RATE
        return known


class Edge:
    """One WebSocket to the service an utterance."""

    Options = EdgeOptions

    def __init__(self, options: EdgeOptions, home: Home) -> None:
        import aiohttp
        import edge_tts
        import miniaudio  # noqa: F401

        self._options = options
        self._service, self._http = edge_tts, aiohttp
        self._failures = (edge_tts.exceptions.EdgeTTSException, aiohttp.ClientError, TimeoutError, Mp3Error)

    @property
    def rate(self) -> int:
        return RATE

    async def warm(self) -> None:
        """Nothing is lazy."""

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        """Each word's span before its audio, held back where the audio comes first."""
        if not any(map(str.isalnum, utterance.text)):
            return
        waiting, mp3 = _Waiting(), Mp3()
        try:
            async with aclosing(self._chunks(utterance)) as chunks:
                async for chunk in chunks:
                    if chunk["type"] == "audio":
                        waiting.sound += mp3.feed(chunk["data"])
                    else:
                        yield waiting.word(chunk["text"], chunk["offset"] / _TICKS, chunk["duration"] / _TICKS)
                    for audio in pieces(waiting.known(), RATE):
                        yield audio
            for audio in pieces(bytes(waiting.sound) + mp3.end(), RATE):
                yield audio
        except self._failures as error:
            raise VoiceError(f"the edge voice failed: {error or type(error).__name__}") from error

    async def aclose(self) -> None:
        """Nothing is kept open between utterances."""

    async def _chunks(self, utterance: Utterance) -> AsyncGenerator["TTSChunk", None]:
        """What the service sends. The client has no limit for its silence, and says goodbye for up to ten seconds.

        So the limit is kept here, and the socket is cut before the client is told to stop.
        """
        connector = self._http.TCPConnector()
        stream = self._request(utterance, connector).stream()
        pending: asyncio.Future[TTSChunk | None] | None = None
        try:
            while True:
                pending = asyncio.ensure_future(anext(stream, None))
                await asyncio.wait({pending}, timeout=self._options.receive_timeout)
                if not pending.done():
                    raise TimeoutError(f"nothing for {self._options.receive_timeout} s")
                chunk = pending.result()
                if chunk is None:
                    return
                yield chunk
        finally:
            await connector.close()
            if pending is not None and not pending.done():
                pending.cancel()
                await asyncio.wait({pending})
            await stream.aclose()

    def _request(self, utterance: Utterance, connector: "TCPConnector") -> "Communicate":
        options = self._options
        voice = utterance.voice or (options.voices.zh if utterance.lang == "zh" else options.voices.en)
        if not re.fullmatch(_NAME, voice):
            raise VoiceError(f"{voice!r} is no voice of edge-tts; `edge-tts --list-voices` prints them")
        return self._service.Communicate(
            shaped(utterance.text, utterance.lang),
            voice,
            rate=options.rate,
            boundary="WordBoundary",
            connector=connector,
            proxy=options.proxy,
            connect_timeout=options.connect_timeout,
        )
