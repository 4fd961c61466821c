"""A sentence's mouth cues and captions, made when the sound they belong to arrives. No I/O."""

from dataclasses import dataclass

from avatar.motion import Viseme
from avatar.speech import Audio, PhonemeSpan, SpeechPart, WordSpan
from avatar.visemes import from_loudness, from_phonemes, from_words
from configs.language import Lang


@dataclass(frozen=True, slots=True)
class Cues:
    """Cues for `audio`, which starts `at` seconds into the sentence."""

    at: float
    audio: Audio
    visemes: tuple[Viseme, ...]
    words: tuple[WordSpan, ...]


class Lips:
    """Phoneme spans move the mouth where the voice gives them, else word spans, else loudness."""

    def __init__(self, lang: Lang) -> None:
        self._lang: Lang = lang
        self._phonemes: list[PhonemeSpan] = []
        self._words: list[WordSpan] = []
        self._timed = False
        self.seconds = 0.0

    def feed(self, part: SpeechPart) -> Cues | None:
        match part:
            case PhonemeSpan():
                self._phonemes.append(part)
            case WordSpan():
                self._words.append(part)
            case Audio():
                return self._cues(part)
        return None

    def _cues(self, audio: Audio) -> Cues:
        at, words = self.seconds, tuple(self._words)
        visemes = self._visemes(audio, at)
        self._timed = self._timed or bool(self._phonemes or words)
        self._phonemes.clear()
        self._words.clear()
        self.seconds += audio.seconds
        return Cues(at, audio, visemes, words)

    def _visemes(self, audio: Audio, at: float) -> tuple[Viseme, ...]:
        if self._phonemes:
            return from_phonemes(self._phonemes)
        if self._words:
            return from_words(self._words, self._lang)
        if self._timed:
            return ()
        return from_loudness(audio, at)
