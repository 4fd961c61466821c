"""Kokoro-82M on onnxruntime: Mandarin and English with the model's own phoneme durations."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from avatar.audio import pieces
from avatar.engines.clauses import LIMIT, RATE, VOCABULARY, Clause, cut, timed
from avatar.engines.english import Dialect
from avatar.engines.pronunciation import Pronunciation, Sound
from avatar.speech import PhonemeSpan, SpeechPart, UnknownVoice, Utterance, VoiceError, WordSpan
from configs.engines import ConfigError, Options
from configs.home import Home
from configs.language import LANGUAGES, Lang
from configs.weights.manifest import packaged, require

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession, RunOptions

T = TypeVar("T")

MODEL = "kokoro-82m"
_SLOWEST, _FASTEST = 0.5, 2.0
"""Times its usual speed, at which the model still speaks clearly."""


_PARTNERS = {"f": "af_heart", "m": "am_michael"}
"""English voices of a woman and a man."""


class Voices(BaseModel):
    """Names of voice files: zf_ and zm_ are Mandarin, af_ and am_ American, bf_ and bm_ British English."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = "zf_xiaoxiao"
    en: str = "af_heart"

    def __getitem__(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


def voices(lang: Lang) -> list[str]:
    """Those that are packaged for a language."""
    stems = (Path(file.path).stem for file in packaged().model(MODEL).files if file.path.startswith("voices/"))
    return sorted(stem for stem in stems if stem.startswith("z" if lang == "zh" else ("a", "b")))


class KokoroOptions(Options):
    """`longest`: tokens synthesized at once; longer text is cut at a mark, which keeps latency and memory small.

    `english`: how much of an English voice is mixed into a Mandarin clause that has English words in it, 0 to 1;
    without it they are said with an accent that hides them.
    """

    voices: Voices = Voices()
    speed: float = Field(1.0, ge=_SLOWEST, le=_FASTEST)
    threads: int = Field(default_factory=lambda: min(2, os.cpu_count() or 1), ge=1, le=64)
    longest: int = Field(160, ge=20, le=LIMIT)
    english: float = Field(0.5, ge=0, le=1)


class Kokoro:
    """One worker thread makes one clause at a time; a clause that nobody waits for is not made, or broken off."""

    Options = KokoroOptions

    def __init__(self, options: KokoroOptions, home: Home) -> None:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        self._options = options
        self._runtime = onnxruntime
        self._failures = (state.Fail, state.InvalidArgument, state.InvalidProtobuf, state.RuntimeException)
        self._path = require(home, MODEL, "kokoro-v1.0.int8.timed.onnx")
        self._home = home
        self._styles: dict[str, NDArray[np.float32]] = {}
        for lang in LANGUAGES:
            self._style(options.voices[lang])
        dialects: tuple[Dialect, ...] = ("us", "gb")
        self._pronunciations = {dialect: Pronunciation(home.cache / "jieba", dialect) for dialect in dialects}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="kokoro")

    @property
    def rate(self) -> int:
        return RATE

    async def warm(self) -> None:
        """Load the model and the dictionaries of both languages."""
        for utterance in (Utterance("好。", "zh"), Utterance("Hi.", "en")):
            async for _ in self.synthesize(utterance):
                pass

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        """Clause by clause: its spans, then its audio in short pieces. Nothing for text without a sound."""
        samples = 0
        for sounds in await self._work(partial(self._clauses, utterance)):
            clause = await self._work(partial(self._speak, sounds, utterance))
            start = samples / RATE
            for word in clause.words:
                yield WordSpan(word.text, start + word.start, start + word.end)
            for span in clause.phonemes:
                yield PhonemeSpan(span.phoneme, start + span.start, start + span.end)
            for audio in pieces(clause.pcm, RATE):
                yield audio
            samples += len(clause.pcm) // 2

    async def aclose(self) -> None:
        await asyncio.to_thread(self._worker.shutdown, cancel_futures=True)

    async def _work(self, job: "Callable[[RunOptions], T]") -> T:
        """`job` in the worker; when cancelled it is taken off the queue, or its run of the model is broken off.

        The memory of a run goes back to the system: 380 MB instead of 540 after one long clause, at no cost in time.
        """
        run = self._runtime.RunOptions()
        run.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._worker, job, run)
        except asyncio.CancelledError:
            run.terminate = True
            raise

    def _clauses(self, utterance: Utterance, run: "RunOptions") -> list[list[Sound]]:
        self._ready(utterance)
        english = utterance.voice if utterance.voice and utterance.lang == "en" else self._options.voices.en
        pronunciation = self._pronunciations["gb" if english.startswith("b") else "us"]
        sounds = pronunciation.sounds(utterance.text, utterance.lang)
        return list(cut(sounds, self._options.longest))

    def _speak(self, sounds: Sequence[Sound], utterance: Utterance, run: "RunOptions") -> Clause:
        tokens = [VOCABULARY[symbol] for sound in sounds for symbol in sound.phonemes]
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": self._style_for(sounds, utterance)[len(tokens) - 1],
            "speed": np.array([min(max(self._options.speed * utterance.speed, _SLOWEST), _FASTEST)], np.float32),
        }
        try:
            audio, frames = self._session.run(["audio", "duration"], feed, run)
        except self._failures as error:
            raise VoiceError(f"Kokoro failed: {error}") from error
        return timed(sounds, np.ravel(audio), np.ravel(frames))

    def _ready(self, utterance: Utterance) -> None:
        """The voice that the utterance asks for is loaded."""
        if utterance.voice is None:
            return
        if utterance.voice not in (known := voices(utterance.lang)):
            raise UnknownVoice(
                f"Kokoro has no {utterance.lang} voice {utterance.voice!r}; there are {', '.join(known)}"
            )
        try:
            self._style(utterance.voice)
        except ConfigError as error:
            raise VoiceError(str(error)) from error

    def _style_for(self, sounds: Sequence[Sound], utterance: Utterance) -> "NDArray[np.float32]":
        """The voice; mixed with an English one of its kind, woman or man, where a Mandarin clause has English words."""
        name, share = utterance.voice or self._options.voices[utterance.lang], self._options.english
        own = self._style(name)
        if utterance.lang == "en" or share == 0 or not any(map(_english, sounds)):
            return own
        configured = self._options.voices.en
        partner = configured if configured[1:2] == name[1:2] else _PARTNERS.get(name[1:2], configured)
        try:
            other = self._style(partner)
        except ConfigError:
            return own
        mixed: NDArray[np.float32] = (1 - share) * own + share * other
        return mixed.astype(np.float32)

    def _style(self, name: str) -> "NDArray[np.float32]":
        """Raises ConfigError where the voice is not installed."""
        if name not in self._styles:
            path = require(self._home, MODEL, f"voices/{name}.bin")
            self._styles[name] = np.fromfile(path, "<f4").reshape(LIMIT, 1, 256)
        return self._styles[name]

    @cached_property
    def _session(self) -> "InferenceSession":
        settings = self._runtime.SessionOptions()
        settings.intra_op_num_threads = self._options.threads
        settings.inter_op_num_threads = 1
        settings.enable_mem_pattern = False
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return self._runtime.InferenceSession(str(self._path), settings, providers=["CPUExecutionProvider"])


def _english(sound: Sound) -> bool:
    return sound.written[:1].isascii() and sound.written[:1].isalpha()
