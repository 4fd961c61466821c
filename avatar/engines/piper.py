"""Piper: small, fast voices, each run of the program `piper` (GPL-3.0) a process of its own, spoken to by its pipes.

Interface: `piper --model FILE --output-raw` reads text from standard input, a line an utterance, and writes raw mono
s16 PCM at the rate in FILE.json to standard output (docs/CLI.md of OHF-Voice/piper1-gpl). The next process waits with
its model loaded while the last one speaks.
"""

import asyncio
import json
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from avatar.audio import evened
from avatar.lips import prepare
from avatar.resampling import RATES, Resampler
from avatar.speech import Audio, SpeechPart, UnknownVoice, Utterance, VoiceError
from avatar.spoken import spoken
from configs.engines import ConfigError, Options
from configs.home import Home
from configs.language import LANGUAGES, Lang

_SHORTEST, _LONGEST = 0.25, 4.0
_READ = 0.2
"""Seconds of sound read at once."""

Model = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


class Models(BaseModel):
    """Voice files, `….onnx` with its `….onnx.json` beside it; a language without one is left to other voices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: Model | None = None
    en: Model | None = None


class PiperOptions(Options):
    """`command`: the program and what comes before its own arguments. `ready`: keep a process with its model loaded for
    each language, which costs its memory and spares a second."""

    command: tuple[str, ...] = Field(("piper",), min_length=1)
    models: Models
    ready: bool = True


class Piper:
    """A process an utterance; closing the stream ends it."""

    Options = PiperOptions

    def __init__(self, options: PiperOptions, home: Home) -> None:
        if shutil.which(options.command[0]) is None:
            raise ConfigError(f"there is no program {options.command[0]!r}; install piper-tts, or name it in `command`")
        named = {"zh": options.models.zh, "en": options.models.en}
        self._models: dict[Lang, Path] = {lang: path for lang in LANGUAGES if (path := named[lang]) is not None}
        if not self._models:
            raise ConfigError("piper needs a voice file: set models.zh, models.en or both")
        self._options = options
        self._rates = {lang: _rate(path) for lang, path in self._models.items()}
        self._ready: dict[Lang, Process] = {}
        self._closed = False

    @property
    def rate(self) -> int:
        return max(self._rates.values())

    async def warm(self) -> None:
        await asyncio.to_thread(prepare)
        for lang in self._models if self._options.ready else ():
            await self._prepare(lang)

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        """Sound alone: the program tells no times. Numbers go out as words, so that every voice reads them right."""
        if not any(map(str.isalnum, utterance.text)):
            return
        lang = utterance.lang
        names = [path.stem for path in self._models.values()]
        if lang not in self._models or utterance.voice not in (None, self._models[lang].stem):
            asked = utterance.voice or f"for {lang}"
            raise UnknownVoice(f"Piper has no voice {asked}; there are {', '.join(names)}")
        process = await self._taken(utterance)
        resampler = Resampler(self._rates[lang], self.rate)
        given = False
        try:
            if self._options.ready:
                await self._prepare(lang)
            await _write(process, " ".join(spoken(utterance.text, lang).split()))
            assert process.stdout is not None
            async for pcm in evened(_read(process.stdout, 2 * int(self._rates[lang] * _READ))):
                if sound := resampler.feed(pcm):
                    given = True
                    yield Audio(sound, self.rate)
            if sound := resampler.flush():
                yield Audio(sound, self.rate)
            if (code := await process.wait()) != 0:
                raise VoiceError(f"piper ended with code {code}")
            if not given:
                raise VoiceError("piper gave no sound")
        finally:
            await _end(process)

    async def aclose(self) -> None:
        self._closed = True
        ready, self._ready = list(self._ready.values()), {}
        for process in ready:
            await _end(process)

    async def _taken(self, utterance: Utterance) -> Process:
        """The process that waits, if it is alive and speaks as it is to; else a new one."""
        if utterance.speed == 1.0 and (process := self._ready.pop(utterance.lang, None)) is not None:
            if process.returncode is None:
                return process
            await _end(process)
        return await self._started(utterance.lang, utterance.speed)

    async def _prepare(self, lang: Lang) -> None:
        if lang in self._ready or self._closed:
            return
        process = await self._started(lang, 1.0)
        if lang in self._ready or self._closed:
            await _end(process)
        else:
            self._ready[lang] = process

    async def _started(self, lang: Lang, speed: float) -> Process:
        arguments = ["--model", str(self._models[lang]), "--output-raw"]
        if speed != 1.0:
            arguments += ["--length_scale", f"{1 / min(max(speed, _SHORTEST), _LONGEST):.3f}"]
        try:
            return await asyncio.create_subprocess_exec(
                *self._options.command, *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
        except OSError as error:
            raise VoiceError(f"piper cannot be started: {error}") from error


def _rate(model: Path) -> int:
    """Of the voice, from the file beside it."""
    described = model.with_name(model.name + ".json")
    try:
        rate = int(json.loads(described.read_text("utf-8"))["audio"]["sample_rate"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{described} is no description of a Piper voice: {error}") from error
    if not model.exists() or rate not in RATES:
        raise ConfigError(
            f"{model} is no Piper voice" if rate in RATES else f"{model} has {rate} Hz, not one of {RATES}"
        )
    return rate


async def _write(process: Process, line: str) -> None:
    """A process that died is found out by its code."""
    assert process.stdin is not None
    with suppress(ConnectionError):
        process.stdin.write(line.encode() + b"\n")
        await process.stdin.drain()
    process.stdin.close()


async def _read(stream: asyncio.StreamReader, size: int) -> AsyncGenerator[bytes, None]:
    while data := await stream.read(size):
        yield data


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await asyncio.shield(process.communicate())  # what it had written is read away, or its pipe would keep it
