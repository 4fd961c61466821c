"""CosyVoice's own server (runtime/python/fastapi of FunAudioLLM/CosyVoice): forms in, raw s16 PCM out as it is made.

Its paths: `inference_sft` for the speakers of a model; `inference_zero_shot`, `inference_cross_lingual` and
`inference_instruct2` for the voice of a recording; `inference_instruct` for a speaker told how to speak. A server that
offers `/v1/audio/speech` instead is for the engine `openai`.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from avatar.audio import evened
from avatar.lips import prepare
from avatar.speech import Audio, SpeechPart, Utterance, VoiceError
from avatar.spoken import shaped
from configs.engines import ConfigError, Options
from configs.home import Home
from configs.http import Client, HttpError, Response

Mode = Literal["sft", "zero_shot", "cross_lingual", "instruct", "instruct2"]
_SPEAKERS = ("sft", "instruct")
_RECORDED = ("zero_shot", "cross_lingual", "instruct2")


class Voices(BaseModel):
    """Speakers as the model knows them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = "中文女"
    en: str = "英文女"


class CosyVoiceOptions(Options):
    """`rate`: Hz, 22050 for CosyVoice-300M, 24000 for CosyVoice2 and 3. `prompt_wav`: a recording, some seconds of the
    voice to speak with; `prompt_text`: what is said in it. `instruction`: how to speak. `timeout`: longest silence in
    seconds."""

    base_url: str
    mode: Mode = "sft"
    voices: Voices = Voices()
    prompt_wav: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] | None = None
    prompt_text: str = ""
    instruction: str = ""
    rate: int = Field(22050, ge=8000, le=48000)
    timeout: float = Field(20.0, gt=0)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.mode in _RECORDED and self.prompt_wav is None:
            raise ValueError(f"mode {self.mode} needs prompt_wav, a recording of the voice")
        if self.mode == "zero_shot" and not self.prompt_text:
            raise ValueError("mode zero_shot needs prompt_text, what is said in prompt_wav")
        if self.mode in ("instruct", "instruct2") and not self.instruction:
            raise ValueError(f"mode {self.mode} needs instruction, how to speak")
        return self


class CosyVoice:
    """Speed, pitch and timings are nothing that the server knows."""

    Options = CosyVoiceOptions

    def __init__(self, options: CosyVoiceOptions, home: Home) -> None:
        self._options = options
        self._client = Client(options.base_url, read_timeout=options.timeout)
        try:
            self._recording = b"" if options.prompt_wav is None else options.prompt_wav.read_bytes()
        except OSError as error:
            raise ConfigError(f"prompt_wav cannot be read: {error}") from error

    @property
    def rate(self) -> int:
        return self._options.rate

    async def warm(self) -> None:
        """The dictionary by which the mouth makes its words; of the server, nothing is lazy."""
        await asyncio.to_thread(prepare)

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        if not any(map(str.isalnum, utterance.text)):
            return
        given = False
        body, kind = self._form(utterance)
        path = f"/inference_{self._options.mode}"
        try:
            async with self._client.post(path, body, {"Content-Type": kind}) as response:
                _check(response)
                async for pcm in evened(response):
                    given = True
                    yield Audio(pcm, self.rate)
        except HttpError as error:
            raise VoiceError(f"the CosyVoice server failed: {error}") from error
        if not given:  # it has begun its answer before it looks for the speaker
            raise VoiceError("the CosyVoice server gave no sound; does its model know the speaker?")

    async def aclose(self) -> None:
        await self._client.aclose()

    def _form(self, utterance: Utterance) -> tuple[bytes, str]:
        """The request's body and its type."""
        options = self._options
        fields = {"tts_text": shaped(utterance.text, utterance.lang)}
        if options.mode in _SPEAKERS:
            own = options.voices.zh if utterance.lang == "zh" else options.voices.en
            fields["spk_id"] = utterance.voice or own
        if options.mode == "zero_shot":
            fields["prompt_text"] = options.prompt_text
        if options.mode in ("instruct", "instruct2"):
            fields["instruct_text"] = options.instruction
        if options.mode not in _RECORDED:
            return urlencode(fields).encode("ascii"), "application/x-www-form-urlencoded"
        return _multipart(fields, self._recording)


def _check(response: Response) -> None:
    """VoiceError where the answer is not raw PCM, which the server sends without a type."""
    kind = response.headers.get("content-type", "application/octet-stream").partition(";")[0].strip().lower()
    if response.status == 422:
        raise VoiceError("the CosyVoice server did not take the request (422); is `mode` one that it has?")
    if response.status != 200:
        raise VoiceError(f"the CosyVoice server answered {response.status}")
    if kind.startswith(("text/", "application/json")):
        raise VoiceError(f"the CosyVoice server sent {kind}, not PCM")


def _multipart(fields: dict[str, str], recording: bytes) -> tuple[bytes, str]:
    """RFC 7578, with a boundary that the recording does not hold."""
    boundary = secrets.token_hex(16)
    while boundary.encode() in recording:
        boundary = secrets.token_hex(16)
    body = b""
    for name, value in fields.items():
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    head = 'Content-Disposition: form-data; name="prompt_wav"; filename="prompt.wav"\r\nContent-Type: audio/wav'
    body += f"--{boundary}\r\n{head}\r\n\r\n".encode() + recording + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
