"""What a voice is: text in, sound and its timings out."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from configs.language import Lang


class VoiceError(RuntimeError):
    """The voice failed; the text can still be shown."""


class UnknownVoice(VoiceError):
    """The engine is well, but has no voice of the name that the utterance asks for."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak. `voice`: a name that the engine knows; None: the engine's own choice for the language. `speed`:
    0.25 to 4 times the usual. `pitch`: semitones, -12 to 12. `volume`: 0 to 2 times the usual."""

    voice: str | None = None
    speed: float = 1.0
    pitch: float = 0.0
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class Utterance:
    """One clause or sentence to speak; plain text, no markup. `keep`: it will be said again, word for word.
    `voice`: a name that the engine knows for this language; None: the engine's own choice. `speed`, `pitch` and
    `volume` as in `Manner`."""

    text: str
    lang: Lang
    keep: bool = False
    voice: str | None = None
    speed: float = 1.0
    pitch: float = 0.0
    volume: float = 1.0


@dataclass(frozen=True, slots=True)
class Audio:
    """Mono 16-bit little-endian PCM."""

    pcm: bytes
    rate: int

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / self.rate


@dataclass(frozen=True, slots=True)
class PhonemeSpan:
    """One phoneme (IPA, as the engine names it; "" is silence), seconds from the utterance's first sample."""

    phoneme: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class WordSpan:
    """One word or Han character group as written, seconds from the utterance's first sample."""

    text: str
    start: float
    end: float


SpeechPart = Audio | PhonemeSpan | WordSpan


class Voice(Protocol):
    """`synthesize` yields the spans of a stretch of audio before that audio.

    Spans ascend and never overlap. A voice that yields phoneme spans tiles the whole audio with them,
    silence included: their end is the audio's end to within one sample. A voice that cannot yields word spans.
    """

    @property
    def rate(self) -> int:
        """Sample rate in Hz of every `Audio` it yields."""
        ...

    def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        """Closing the generator stops the voice's work. Raises VoiceError, and UnknownVoice for a name that it does not
        know. `volume` is not its business (avatar/loudness.py); `speed` and `pitch` are, as far as it can."""
        ...

    async def warm(self) -> None:
        """Load what is lazy, so that the first sentence is not late."""
        ...

    async def aclose(self) -> None: ...
