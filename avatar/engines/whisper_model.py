"""Whisper on CTranslate2: sound of at most 28 seconds in, simplified Chinese or English out. Blocks: for a worker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from avatar.engines.mel import HOP, log_mel
from avatar.engines.whisper_guards import doubtful, echoes, named, repeats, stock
from avatar.hearing import RATE, Expectation, Recognition, RecognizerError
from configs.characters import simplified
from configs.language import LANGUAGES, Lang, detect

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 28 * RATE
"""Samples that are decoded at once."""
SILENT = -58.0
"""dB re full scale of the loudest 20 ms, from which there can be something to understand."""
OPENING: dict[Lang, str] = {"zh": "以下是普通话的句子。", "en": ""}
"""Makes the model write simplified characters and punctuate."""
_SHORTEST, _STEP, _MARGIN, _WHOLE = 800, 200, 250, 3000
"""Frames of 10 ms that the encoder is given. Its cost is all of theirs, and it was trained on 30 s; from 8 s with 2.5 s
of silence at the end the same is understood for a fifth of the work (docs/benchmarks.md)."""
_PROMPT = 100
"""Tokens of names and terms."""
_JOINED: dict[Lang, tuple[str, str]] = {"zh": ("、", "。"), "en": (", ", ".")}


class Dropped(Exception):
    """Nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class _Written:
    text: str
    score: float
    no_speech: float


class WhisperModel:
    def __init__(self, folder: Path, threads: int, compute: str) -> None:
        """Raises ValueError or RuntimeError where the folder holds no such model."""
        import ctranslate2
        import tokenizers

        self._runtime = ctranslate2
        self._model: Any = ctranslate2.models.Whisper(
            str(folder), compute_type=compute, intra_threads=threads, inter_threads=1
        )
        self._tokens: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._previous, self._start = self._token("startofprev"), [self._token("startoftranscript")]
        self._task = [self._token("transcribe"), self._token("notimestamps")]
        self._languages = {lang: self._token(lang) for lang in LANGUAGES}

    def _token(self, name: str) -> int:
        number: int = self._tokens.token_to_id(f"<|{name}|>")
        return number

    def transcribe(
        self, pcm: "NDArray[np.int16]", expectation: Expectation, dropped: Callable[[], bool]
    ) -> Recognition:
        """Raises Dropped between two steps (0.2 s of work at most), RecognizerError where the runtime fails."""
        sound: NDArray[np.float32] = pcm[:LONGEST].astype(np.float32) / np.float32(32768)
        if len(sound):
            sound -= sound.mean()
        if not len(sound) or loudest(sound) < SILENT:
            return Recognition("")
        try:
            return self._transcribed(sound, expectation, dropped)
        except (RuntimeError, ValueError) as error:
            raise RecognizerError("failed", f"Whisper failed: {error}") from error

    def _transcribed(
        self, sound: "NDArray[np.float32]", expectation: Expectation, dropped: Callable[[], bool]
    ) -> Recognition:
        encoded = self._encoded(sound, context(len(sound)), dropped)
        lang = expectation.lang or self._language(encoded)
        _unless(dropped)
        words = chosen(expectation.words, lang)
        limit = 16 + 12 * len(sound) // RATE
        written = self._written(encoded, lang, words, limit)
        if repeats(written.text):
            if written.no_speech > 0.6:
                return Recognition("")
            _unless(dropped)
            written = self._written(self._encoded(sound, _WHOLE, dropped), lang, words, limit, no_repeat=3)
        text = simplified(written.text).strip()
        if not _said(written) or echoes(text, OPENING[lang], words):
            return Recognition("")
        if named(text, words):
            # nothing but names from the prompt: believed where something is understood without it
            _unless(dropped)
            if not _said(self._written(encoded, lang, (), limit)):
                return Recognition("")
        return Recognition(text, lang)

    def _encoded(self, sound: "NDArray[np.float32]", frames: int, dropped: Callable[[], bool]) -> Any:
        features = log_mel(sound, frames)[None]
        _unless(dropped)
        encoded = self._model.encode(self._runtime.StorageView.from_array(features))
        _unless(dropped)
        return encoded

    def _language(self, encoded: Any) -> Lang:
        likely = dict(self._model.detect_language(encoded)[0])
        return max(LANGUAGES, key=lambda lang: likely.get(f"<|{lang}|>", 0.0))

    def _written(self, encoded: Any, lang: Lang, words: Sequence[str], limit: int, no_repeat: int = 0) -> _Written:
        prompt = [*self._prompt(lang, words), *self._start, self._languages[lang], *self._task]
        result = self._model.generate(
            encoded,
            [prompt],
            beam_size=1,
            max_length=min(448, len(prompt) + limit),
            no_repeat_ngram_size=no_repeat,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        return _Written(self._tokens.decode(result.sequences_ids[0]), result.scores[0], result.no_speech_prob)

    def _prompt(self, lang: Lang, words: Sequence[str]) -> list[int]:
        between, end = _JOINED[lang]
        kept: list[str] = []
        tokens: list[int] = []
        for word in ("", *words):
            kept += [word] if word else []
            text = OPENING[lang] + between.join(kept) + (end if kept else "")
            more = self._tokens.encode(f" {text}", add_special_tokens=False).ids if text else []
            if len(more) > _PROMPT:
                break
            tokens = more
        return [self._previous, *tokens] if tokens else []


def _said(written: _Written) -> bool:
    text = written.text
    doubted = doubtful(written.score, written.no_speech) or not any(map(str.isalnum, text))
    return not (doubted or repeats(text) or stock(text))


def chosen(words: Sequence[str], lang: Lang) -> list[str]:
    """Those that a sentence of the language may have: the other language's would make it write in that one."""
    return [word for word in words if detect(word) in (lang, None)]


def context(samples: int) -> int:
    """Frames that the encoder is given for that much sound."""
    needed = -(-samples // HOP) + _MARGIN
    return min(_WHOLE, max(_SHORTEST, -(-needed // _STEP) * _STEP))


def loudest(sound: "NDArray[np.float32]") -> float:
    """dB re full scale of the loudest 20 ms."""
    step = RATE // 50
    padded = np.pad(sound, (0, -len(sound) % step)).reshape(-1, step)
    power = float(np.square(padded).mean(axis=1).max())
    return 10 * float(np.log10(power)) if power > 0 else -np.inf


def _unless(dropped: Callable[[], bool]) -> None:
    if dropped():
        raise Dropped
