"""What hearing is: sound in, whether somebody speaks and what they say out. All of it on 16 kHz mono 16-bit PCM."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from configs.language import Lang

RATE = 16000
"""Samples a second of everything that detectors and recognisers are fed."""


class RecognizerError(RuntimeError):
    """What was said could not be made out, by a fault. `code`: unreachable, timeout, overloaded, refused, failed."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Recognition:
    """What was heard; "" where nothing was said. `lang`: the language spoken, None where it was not told."""

    text: str
    lang: Lang | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What helps to understand. `lang`: the language that is spoken, None: to be found out. `words`: names and terms
    that are likely, the most likely first."""

    lang: Lang | None = None
    words: Sequence[str] = ()


class Hearing(Protocol):
    """One utterance, while it is spoken. `feed` never waits. Close it once, after `finish` or instead of it."""

    def feed(self, pcm: bytes) -> None: ...

    def partials(self) -> AsyncGenerator[Recognition, None]:
        """What is understood so far, as often as the recogniser can tell; it may be revised. Ends with the utterance.
        A recogniser that cannot tell yields nothing. Raises RecognizerError."""
        ...

    async def finish(self) -> Recognition:
        """What was said in all that was fed. Cancelling stops the work. Raises RecognizerError."""
        ...

    async def aclose(self) -> None: ...


class Recognizer(Protocol):
    def hear(self, expectation: Expectation = Expectation()) -> Hearing:
        """A new utterance. Never waits."""
        ...

    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...


class Detection(Protocol):
    """The sound of one microphone. Whether somebody speaks, frame by frame."""

    async def feed(self, pcm: bytes) -> list[float]:
        """The probability of speech, 0 to 1, in each whole frame that this completes; the rest is kept."""
        ...

    def reset(self) -> None:
        """Forget what was heard: another microphone, or a gap."""
        ...


class Detector(Protocol):
    """Tells speech from other sound. Runs beside the event loop."""

    @property
    def frame(self) -> int:
        """Samples in a frame."""
        ...

    def listen(self) -> Detection: ...
    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...


class TurnDetector(Protocol):
    """Tells from the sound whether a speaker who paused has finished."""

    @property
    def languages(self) -> frozenset[Lang]:
        """Those that it can be believed in."""
        ...

    async def finished(self, pcm: bytes) -> float:
        """The probability that the turn is over, from its sound (8 s at most are looked at). Raises RecognizerError."""
        ...

    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Pcm:
    """Mono signed 16-bit little-endian samples."""

    rate: int


@dataclass(frozen=True, slots=True)
class G711:
    """8 kHz, one byte a sample: ITU-T G.711."""

    law: Literal["mu", "a"]


@dataclass(frozen=True, slots=True)
class Opus:
    """One Opus packet each: RFC 6716. `rate`: what the sender encoded from."""

    rate: int = 16000


Encoding = Pcm | G711 | Opus
"""How a client's microphone arrives."""
