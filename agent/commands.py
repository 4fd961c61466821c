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


@dataclass(frozen=True, slots=True)
class Call:
    """The user asks for a human."""


@dataclass(frozen=True, slots=True)
class Consent:
    """The user agrees, or no longer agrees, that facts about them are kept from one session to the next."""

    given: bool


Command = Say | Interrupt | Heard | Call | Consent


@dataclass(frozen=True, slots=True)
class Whisper:
    """An operator's instruction for the next answers, which the user does not see; empty withdraws it."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """Words of an operator's that the presenter says."""

    text: str


@dataclass(frozen=True, slots=True)
class TakeOver:
    """From now on the operator answers. `name`: who takes over, for the audit log."""

    name: str


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The presenter answers again."""


Direction = Whisper | Line | TakeOver | GiveBack
"""Everything an operator can ask of a session."""
