"""A protocol translates; it never waits. Frames in, commands and answers out; events and answers in, frames out."""

from dataclasses import dataclass
from typing import Protocol

from agent.commands import Command
from agent.events import Event

Frame = str | bytes


@dataclass(frozen=True, slots=True)
class Welcome:
    """The client said hello and is served."""


@dataclass(frozen=True, slots=True)
class Pong:
    pass


@dataclass(frozen=True, slots=True)
class Rejected:
    """The client's frame was not understood or not allowed; the message says what to do."""

    code: str
    message: str


Answer = Welcome | Pong | Rejected


class Codec(Protocol):
    """One client's connection: it may keep what the client said of itself, and nothing else."""

    @property
    def greeted(self) -> bool:
        """Whether the client has said what the protocol wants said first."""
        ...

    def decode(self, frame: Frame) -> list[Command | Answer]: ...
    def encode(self, event: Event | Answer) -> list[Frame]: ...
