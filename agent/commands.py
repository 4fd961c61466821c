"""Everything a client can ask of a session."""

from dataclasses import dataclass

from configs.language import Lang


@dataclass(frozen=True, slots=True)
class Say:
    """The user's words. `lang` is the language to answer in; None follows the words."""

    text: str
    lang: Lang | None = None


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop speaking. `heard`: seconds of turn `turn` that were played; None where the client cannot tell."""

    turn: int | None = None
    heard: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """Playback progress: seconds of turn `turn` played so far."""

    turn: int
    seconds: float


Command = Say | Interrupt | Heard
