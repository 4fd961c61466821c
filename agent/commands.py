"""Everything a client can ask of a session."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from avatar.hearing import Encoding
from avatar.speech import Manner
from configs.language import Lang


@dataclass(frozen=True, slots=True)
class Say:
    """The user's words. `lang` is the language to answer in; None follows the words. `instructions`: the client's own,
    to mind in this answer alone."""

    text: str
    lang: Lang | None = None
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class Add:
    """The user's words, to be answered with those that follow, when `Reply` asks for it."""

    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer what was added, or heard, and not answered yet; with nothing of that, greet. `instructions`: to mind in
    this answer alone."""

    instructions: str = ""


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A `Reply` that has not begun is not wanted any more; the words wait for the next one."""


@dataclass(frozen=True, slots=True)
class Listen:
    """How to hear the user from now on; what is not said stays at its default.

    `active`: the microphone is open. `turns`: who says that a turn is over, we by their silence, or the client by
    `Commit`. `answer`: a turn that is over is answered; else it waits for `Reply`. `interrupt`: the user's speech may
    stop the presenter. `half_duplex`: what is heard while the presenter speaks is the presenter: the client has no
    echo cancellation. `silence`: seconds that end a turn; None: as the settings say for the language.
    `threshold`: probability from which sound is speech; None: as the settings say. `lang`: None follows the user.
    """

    active: bool = True
    turns: Literal["auto", "manual"] = "auto"
    answer: bool = True
    interrupt: bool = True
    half_duplex: bool = False
    silence: float | None = None
    threshold: float | None = None
    lang: Lang | None = None


@dataclass(frozen=True, slots=True)
class Microphone:
    """A stretch of the user's sound, as it was sent."""

    data: bytes
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Commit:
    """The user's turn is over: what the microphone gave since the last one."""


@dataclass(frozen=True, slots=True)
class Clear:
    """What the microphone gave and was not committed is to be forgotten."""


@dataclass(frozen=True, slots=True)
class Configure:
    """The client's wishes for the answers to come; None leaves a wish as it is. `instructions` go to the model beside
    the persona's own. `spoken`: False: text alone, no speech is made."""

    instructions: str | None = None
    manner: Manner | None = None
    spoken: bool | None = None


Control = Literal["volume", "brightness", "theme", "status"]
"""What users ask of a device in words that rules know."""


@dataclass(frozen=True, slots=True)
class RemoteTool:
    """Something that the client can do. `parameters`: a JSON schema of an object. `control`: what it is, where it sets
    the argument of that name, a whole number from 0 to 100 or "light" and "dark", or tells the device's state."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class OfferTools:
    """All the tools that the client has now. The agent calls one by the event `ToolCalled`."""

    tools: tuple[RemoteTool, ...]


@dataclass(frozen=True, slots=True)
class ToolAnswered:
    """What came of the call `call`: data. `failed`: it could not be done, and the text says why."""

    call: str
    text: str
    failed: bool = False


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


Audible = Listen | Microphone | Commit | Clear | Add | Reply | Withdraw
"""What is for the session's ear."""
Command = Say | Interrupt | Heard | Call | Consent | Audible | Configure | OfferTools | ToolAnswered


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
