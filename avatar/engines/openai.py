"""Any server with the OpenAI speech endpoint: its audio as it streams, without timings.

OpenAI itself, Kokoro servers, vLLM-Omni, and CosyVoice behind one of the servers that speak so.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from avatar.audio import evened
from avatar.engines.mp3 import RATE as MP3_RATE
from avatar.engines.mp3 import Mp3, Mp3Error
from avatar.engines.wav import Wav, WavError
from avatar.lips import prepare
from avatar.resampling import RATES, Resampler
from avatar.speech import Audio, SpeechPart, Utterance, VoiceError
from avatar.spoken import shaped
from configs.engines import Options
from configs.home import Home
from configs.http import Client, HttpError, Response

Format = Literal["pcm", "wav", "mp3"]

_KINDS: dict[str, Format] = {
    **dict.fromkeys(("audio/pcm", "audio/l16", "audio/raw", "application/octet-stream"), "pcm"),
    **dict.fromkeys(("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"), "wav"),
    **dict.fromkeys(("audio/mpeg", "audio/mp3"), "mp3"),
}
"""What a server's answer is by its type; one that does not say is taken for what it was asked for."""


class Voices(BaseModel):
    """Names as the server knows them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = "alloy"
    en: str = "alloy"


class OpenAISpeechOptions(Options):
    """`base_url`: up to `/audio/speech`. `rate`: Hz, of the server's PCM. `timeout`: longest silence in seconds.

    `response_format`: what is asked for; mp3 has to be mono at 24 kHz. `extra`: fields of the request that a server has
    of its own, such as `{stream: true}`.
    """

    base_url: str
    api_key: SecretStr | None = None
    model: str
    voices: Voices = Voices()
    rate: int = Field(24000, ge=8000, le=48000)
    response_format: Format = "pcm"
    extra: dict[str, Any] = Field(default_factory=dict)
    timeout: float = Field(20.0, gt=0)


class OpenAISpeech:
    """Streams over one kept-alive connection per utterance under way; closing the stream closes its connection."""

    Options = OpenAISpeechOptions

    def __init__(self, options: OpenAISpeechOptions, home: Home) -> None:
        self._options = options
        headers = {"Content-Type": "application/json"}
        if options.api_key is not None:
            headers["Authorization"] = f"Bearer {options.api_key.get_secret_value()}"
        self._client = Client(options.base_url, headers=headers, read_timeout=options.timeout)

    @property
    def rate(self) -> int:
        return self._options.rate

    async def warm(self) -> None:
        """The dictionary by which the mouth makes its words; of the server, nothing is lazy."""
        await asyncio.to_thread(prepare)

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        if not any(map(str.isalnum, utterance.text)):
            return
        try:
            async with self._client.post("/audio/speech", self._request(utterance)) as response:
                async for pcm in self._sound(response):
                    yield Audio(pcm, self.rate)
        except HttpError as error:
            raise VoiceError(f"the speech server failed: {error}") from error
        except (Mp3Error, WavError) as error:
            raise VoiceError(f"the speech server sent what cannot be played: {error}") from error

    async def aclose(self) -> None:
        await self._client.aclose()

    def _sound(self, response: Response) -> AsyncIterator[bytes]:
        """PCM at our rate. VoiceError where the answer is no sound that is known: played, it would be noise."""
        if response.status != 200:
            raise VoiceError(f"the speech server answered {response.status}")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        found = _KINDS.get(kind) if kind else self._options.response_format
        if found is None or (found == "mp3" and self._options.response_format != "mp3"):
            raise VoiceError(f"the speech server sent {kind}, not {self._options.response_format}")
        match found:
            case "pcm":
                return evened(response)
            case "wav":
                return _from_wav(response, self.rate)
            case "mp3":
                return _from_mp3(response, self.rate)

    def _request(self, utterance: Utterance) -> bytes:
        voices = self._options.voices
        own = voices.zh if utterance.lang == "zh" else voices.en
        body: dict[str, Any] = {
            "model": self._options.model,
            "input": shaped(utterance.text, utterance.lang),
            "voice": utterance.voice or own,
            "response_format": self._options.response_format,
        }
        if utterance.speed != 1.0:
            body["speed"] = utterance.speed
        return orjson.dumps(body | self._options.extra)


async def _from_wav(response: Response, rate: int) -> AsyncIterator[bytes]:
    wav = Wav()
    resampler: Resampler | None = None
    async for data in response:
        sound = wav.feed(data)
        if wav.rate and resampler is None:
            resampler = _resampler(wav.rate, rate)
        if resampler is not None and (pcm := resampler.feed(sound)):
            yield pcm
    if resampler is None:
        raise WavError("it ended before its samples")
    if pcm := resampler.flush():
        yield pcm


async def _from_mp3(response: Response, rate: int) -> AsyncIterator[bytes]:
    mp3, resampler = Mp3(), _resampler(MP3_RATE, rate)
    async for data in response:
        if pcm := resampler.feed(mp3.feed(data)):
            yield pcm
    if pcm := resampler.feed(mp3.end()) + resampler.flush():
        yield pcm


def _resampler(source: int, target: int) -> Resampler:
    if source not in RATES:
        raise WavError(f"{source} Hz; known are {', '.join(map(str, RATES))}")
    return Resampler(source, target)
