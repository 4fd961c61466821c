"""A protocol translates; it never waits. Frames in, commands and answers out; events and answers in, frames out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from agent.commands import Command
from agent.events import Event
from configs.language import Lang

Frame = str | bytes


@dataclass(frozen=True, slots=True)
class Paced:
    """A frame that takes its place in what the client plays of turn `turn`: sent a little before those `seconds` of
    sound are due. `last`: not before all that was sent has been played."""

    turn: int
    frame: Frame
    seconds: float = 0.0
    last: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Nothing more of what is paced; in its place, where any of it was not sent yet, `instead` at once."""

    instead: Frame | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """What is paced waits, or, with `on` False, goes on from the same frame. `fresh`: only a turn that the client was
    sent nothing of waits."""

    on: bool
    fresh: bool = False


Outgoing = Frame | Paced | Cut | Hold
"""What a codec sends: frames, at once, and those of a client that cannot store much and has them paced."""


@dataclass(frozen=True, slots=True)
class Hello:
    """What the client said of itself.

    `lang`: the language it wants; None follows its words. `resume`: the session it would go on with. `user`: a secret
    of the client's own, by which its user is known again. `minor`: its user is a child. `voice_only`: it shows
    nothing, so that what must be told is to be spoken.
    """

    lang: Lang | None = None
    resume: str | None = None
    user: str | None = None
    minor: bool = False
    voice_only: bool = False


@dataclass(frozen=True, slots=True)
class Welcome:
    """The client is served in this session. `memory`: it may ask to be remembered. `history`: question and answer
    heard, of a session that goes on. `aigc`: the implicit label of what is generated in it."""

    session: str
    aigc: Mapping[str, str] = field(default_factory=dict)
    memory: bool = False
    resumed: bool = False
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pong:
    pass


@dataclass(frozen=True, slots=True)
class Rejected:
    """The client's frame was not understood or not allowed; the message says what to do."""

    code: str
    message: str


Answer = Welcome | Pong | Rejected


@dataclass(frozen=True, slots=True)
class Posted:
    """What the protocol itself has to say to a frame, at once. `vain`: that frame brought about nothing."""

    frames: tuple[Outgoing, ...]
    vain: bool = False


@dataclass(frozen=True, slots=True)
class Leave:
    """The connection is to be closed. `code`: RFC 6455, section 7.4."""

    code: int
    reason: str = ""


Decoded = Command | Hello | Answer | Posted | Leave


class Codec(Protocol):
    """One client's connection: it may keep what the client said of itself, and nothing else."""

    @property
    def greeted(self) -> bool:
        """Whether the client has said what the protocol wants said first."""
        ...

    def decode(self, frame: Frame) -> Iterable[Decoded]:
        """A long frame may be decoded as one goes through it, with empty `Posted`s where others can have a turn."""
        ...

    def encode(self, event: Event | Answer) -> Sequence[Outgoing]: ...
