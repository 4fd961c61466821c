"""Any server with the OpenAI speech endpoint: its audio as it streams, without timings."""

from collections.abc import AsyncGenerator

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from avatar.speech import Audio, SpeechPart, Utterance, VoiceError
from avatar.spoken import shaped
from configs.engines import Options
from configs.home import Home
from configs.http import Client, HttpError, Response

_PCM = ("audio/pcm", "audio/l16", "audio/raw", "application/octet-stream")


class Voices(BaseModel):
    """Names as the server knows them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = "alloy"
    en: str = "alloy"


class OpenAISpeechOptions(Options):
    """`base_url`: up to `/audio/speech`. `rate`: of the server's PCM. `timeout`: longest silence in seconds."""

    base_url: str
    api_key: SecretStr | None = None
    model: str
    voices: Voices = Voices()
    rate: int = Field(24000, ge=8000, le=48000)
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
        """Nothing is lazy."""

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        if not any(map(str.isalnum, utterance.text)):
            return
        odd = b""
        try:
            async with self._client.post("/audio/speech", self._request(utterance)) as response:
                await _check(response)
                async for data in response:
                    data = odd + data
                    odd = data[len(data) & ~1 :]
                    if len(data) > 1:
                        yield Audio(data[: len(data) & ~1], self.rate)
        except HttpError as error:
            raise VoiceError(f"the speech server failed: {error}") from error

    async def aclose(self) -> None:
        await self._client.aclose()

    def _request(self, utterance: Utterance) -> bytes:
        voices = self._options.voices
        own = voices.zh if utterance.lang == "zh" else voices.en
        body = {
            "model": self._options.model,
            "input": shaped(utterance.text, utterance.lang),
            "voice": utterance.voice or own,
            "response_format": "pcm",
        }
        return orjson.dumps(body)


async def _check(response: Response) -> None:
    """VoiceError where the answer is not raw PCM: played, anything else would be noise."""
    kind = response.headers.get("content-type", _PCM[0]).partition(";")[0].strip().lower()
    if response.status != 200:
        raise VoiceError(f"the speech server answered {response.status}")
    if kind not in _PCM:
        raise VoiceError(f"the speech server sent {kind}, not PCM")
