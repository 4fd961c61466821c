"""Kokoro-82M on onnxruntime: Mandarin and English with the model's own phoneme durations."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from avatar.audio import pieces
from avatar.engines.clauses import LIMIT, RATE, VOCABULARY, Clause, cut, timed
from avatar.engines.pronunciation import Pronunciation, Sound
from avatar.speech import PhonemeSpan, SpeechPart, Utterance, VoiceError, WordSpan
from configs.engines import Options
from configs.home import Home
from configs.weights.manifest import require

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, RunOptions

T = TypeVar("T")

MODEL = "kokoro-82m"


class Voices(BaseModel):
    """Names of voice files: zf_ and zm_ are Mandarin, af_ and am_ American, bf_ and bm_ British English."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str = "zf_xiaoxiao"
    en: str = "af_heart"


class KokoroOptions(Options):
    """`longest`: tokens synthesized at once; longer text is cut at a mark, which keeps latency and memory small."""

    voices: Voices = Voices()
    speed: float = Field(1.0, ge=0.5, le=2.0)
    threads: int = Field(default_factory=lambda: min(2, os.cpu_count() or 1), ge=1, le=64)
    longest: int = Field(160, ge=20, le=LIMIT)


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
        self._styles = {
            lang: np.fromfile(require(home, MODEL, f"voices/{name}.bin"), "<f4").reshape(LIMIT, 1, 256)
            for lang, name in (("zh", options.voices.zh), ("en", options.voices.en))
        }
        self._pronunciation = Pronunciation(home.cache / "jieba", "gb" if options.voices.en.startswith("b") else "us")
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
        sounds = self._pronunciation.sounds(utterance.text, utterance.lang)
        return list(cut(sounds, self._options.longest))

    def _speak(self, sounds: Sequence[Sound], utterance: Utterance, run: "RunOptions") -> Clause:
        tokens = [VOCABULARY[symbol] for sound in sounds for symbol in sound.phonemes]
        feed = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": self._styles[utterance.lang][len(tokens) - 1],
            "speed": np.array([self._options.speed], np.float32),
        }
        try:
            audio, frames = self._session.run(["audio", "duration"], feed, run)
        except self._failures as error:
            raise VoiceError(f"Kokoro failed: {error}") from error
        return timed(sounds, np.ravel(audio), np.ravel(frames))

    @cached_property
    def _session(self) -> "InferenceSession":
        settings = self._runtime.SessionOptions()
        settings.intra_op_num_threads = self._options.threads
        settings.inter_op_num_threads = 1
        settings.enable_mem_pattern = False
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return self._runtime.InferenceSession(str(self._path), settings, providers=["CPUExecutionProvider"])
