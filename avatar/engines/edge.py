"""edge-tts: Microsoft's online voices through the client of the Edge browser; an unofficial service, words timed."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from avatar.audio import pieces
from avatar.engines.mp3 import RATE, Mp3, Mp3Error
from avatar.lips import prepare
from avatar.speech import Audio, SpeechPart, UnknownVoice, Utterance, VoiceError, WordSpan
from avatar.spoken import shaped
from configs.engines import Options
from configs.home import Home

if TYPE_CHECKING:
    from aiohttp import TCPConnector
    from edge_tts import Communicate
    from edge_tts.typing import TTSChunk

log = logging.getLogger(__name__)

_TICKS = 10_000_000
_PITCH = {"zh": 220, "en": 200}
"""Hz of the usual voices of each language, against which a change in semitones is told: the service takes Hz."""
_MISSING = 0.3
"""Seconds of sound that may lack at the end of the last word; the encoder rounds, and trims silence."""
_AGAIN = 0.2
"""Seconds before a request is sent again."""
_NAME = r"^[a-z]{2,3}-[A-Z]{2}-[\w-]+$"


class Voices(BaseModel):
    """Names as `edge-tts --list-voices` prints them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = Field(default="zh-CN-XiaoxiaoNeural", pattern=_NAME)
    en: str = Field(default="en-US-AriaNeural", pattern=_NAME)


class EdgeOptions(Options):
    """`rate` as in "+10%". Timeouts in seconds: to connect, and of silence from the service. `attempts`: how often a
    request is sent, as long as none of its sound was heard."""

    voices: Voices = Voices()
    rate: str = Field("+0%", pattern=r"^[+-]\d+%$")
    proxy: str | None = None
    connect_timeout: int = Field(5, ge=1)
    receive_timeout: float = Field(10, gt=0)
    attempts: int = Field(2, ge=1, le=5)


class _Waiting:
    """Sound that has arrived, and how far its words are known. Word spans never overlap."""

    def __init__(self) -> None:
        self.sound = bytearray()
        self._until = self._taken = 0.0

    def word(self, text: str, start: float, length: float) -> WordSpan:
        start = max(start, self._until)
        self._until = max(start, start + length)
        return WordSpan(text, start, self._until)

    def lacking(self, decoded: int) -> float:
        """Seconds of the last word that never came, of `decoded` bytes in all."""
        return self._until - decoded / 2 / RATE

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
        # The client's own errors; the network's; and what a message that it cannot read makes it raise.
        self._failures = (
            *(edge_tts.exceptions.EdgeTTSException, aiohttp.ClientError, TimeoutError, OSError, Mp3Error),
            *(ValueError, KeyError, TypeError),
        )

    @property
    def rate(self) -> int:
        return RATE

    async def warm(self) -> None:
        """The dictionary by which the mouth makes its words; of the service, nothing is lazy."""
        await asyncio.to_thread(prepare)

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        """Each word's span before its audio, held back where the audio comes first. Of an attempt that fails before its
        first sound nothing is told."""
        if not any(map(str.isalnum, utterance.text)):
            return
        for attempt in range(self._options.attempts):
            given, waiting = False, list[SpeechPart]()
            try:
                async with aclosing(self._attempt(utterance)) as parts:
                    async for part in parts:
                        waiting.append(part)
                        given = given or isinstance(part, Audio)
                        while given and waiting:
                            yield waiting.pop(0)
                return
            except self._failures as error:
                told = str(error) or type(error).__name__
                if given or attempt + 1 == self._options.attempts:
                    raise VoiceError(f"the edge voice failed: {told}") from error
                log.warning("the edge voice is asked again: %s", told)
            await asyncio.sleep(_AGAIN)

    async def _attempt(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        waiting, mp3, decoded = _Waiting(), Mp3(), 0
        async with aclosing(self._chunks(utterance)) as chunks:
            async for chunk in chunks:
                if chunk["type"] == "audio":
                    sound = mp3.feed(chunk["data"])
                    decoded += len(sound)
                    waiting.sound += sound
                else:
                    yield waiting.word(chunk["text"], chunk["offset"] / _TICKS, chunk["duration"] / _TICKS)
                for audio in pieces(waiting.known(), RATE):
                    yield audio
        rest = mp3.end()
        for audio in pieces(bytes(waiting.sound) + rest, RATE):
            yield audio
        if waiting.lacking(decoded + len(rest)) > _MISSING:
            raise ConnectionError("the service broke off in the middle")

    async def aclose(self) -> None:
        """Nothing is kept open between utterances."""

    async def _chunks(self, utterance: Utterance) -> AsyncGenerator["TTSChunk", None]:
        """What the service sends. The client has no limit for its silence, and says goodbye for up to ten seconds.

        So the limit is kept here, and the socket is cut before the client is told to stop.
        """
        connector = self._lasting()
        request = self._request(utterance, connector)
        stream = request.stream()
        pending: asyncio.Future[TTSChunk | None] | None = None
        try:
            while True:
                pending = asyncio.ensure_future(anext(stream, None))
                await asyncio.wait({pending}, timeout=self._options.receive_timeout)
                if not pending.done():
                    raise TimeoutError(f"nothing for {self._options.receive_timeout} s")
                chunk = pending.result()
                if chunk is None:
                    break
                yield chunk
            if request.state.get("chunk_audio_bytes"):  # the client counts from zero again at the service's "turn.end"
                raise ConnectionError("the service broke off in the middle")
        finally:
            await connector.cut()
            if pending is not None and not pending.done():
                pending.cancel()
                await asyncio.wait({pending})
            await stream.aclose()

    def _lasting(self) -> Any:
        """A connector that outlives a session: the client opens a second one where the service answered 403, which it
        does when our clock is wrong. `cut` closes it."""

        class Lasting(self._http.TCPConnector):  # type: ignore[misc, name-defined]
            def close(self, *, abort_ssl: bool = False) -> Awaitable[None]:
                return asyncio.sleep(0)

            def cut(self) -> Awaitable[None]:
                closing: Awaitable[None] = super().close()
                return closing

        return Lasting()

    def _request(self, utterance: Utterance, connector: "TCPConnector") -> "Communicate":
        options = self._options
        voice = utterance.voice or (options.voices.zh if utterance.lang == "zh" else options.voices.en)
        if not re.fullmatch(_NAME, voice):
            raise UnknownVoice(f"{voice!r} is no voice of edge-tts; `edge-tts --list-voices` prints them")
        speed = (1 + int(options.rate.rstrip("%")) / 100) * utterance.speed
        hertz = _PITCH[utterance.lang] * (2 ** (utterance.pitch / 12) - 1)
        return self._service.Communicate(
            shaped(utterance.text, utterance.lang),
            voice,
            rate=f"{round(100 * (min(max(speed, 0.5), 2) - 1)):+d}%",
            pitch=f"{round(hertz):+d}Hz",
            boundary="WordBoundary",
            connector=connector,
            proxy=options.proxy,
            connect_timeout=options.connect_timeout,
        )
