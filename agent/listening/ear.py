"""What a session needs of an ear, and an ear of its session."""

from collections.abc import Callable, Sequence
from typing import Protocol

from agent.commands import Add, Audible, Clear, Commit, Listen, Microphone, Reply, Say, Withdraw
from agent.events import Event, Unheard
from agent.stage import Stage
from configs.language import Lang

_NO_EARS = "没有接上语音识别，请打字。 / No speech recognition is set up here: please type."


class Host(Protocol):
    """The session as its ear knows it."""

    stage: Stage
    """Whether a turn runs or is still to be heard, which one, and how much of it is left to be heard."""
    lang: Lang
    """What was spoken last."""
    names: Sequence[str]
    """What the presenter is called."""

    async def say(self, say: Say) -> int: ...
    async def interrupt(self, turn: int | None = None, heard: float | None = None) -> None: ...
    def expect(self, text: str) -> None:
        """The user may be about to say this: what the answer takes can be looked for. Never waits."""
        ...

    async def greet(self) -> None: ...
    def tell(self, event: Event) -> None:
        """At once, past whatever waits to be taken."""
        ...


class Ear(Protocol):
    """One session's. Closed with it."""

    async def handle(self, command: Audible) -> None:
        """Never waits for a recogniser."""
        ...

    def given(self, event: Event) -> None:
        """The user's client has been given this: what it is playing, so that it is not taken for the user."""
        ...

    async def aclose(self) -> None: ...


Ears = Callable[[Host], Ear]
"""Makes the ear of a session."""


class Deaf:
    """Where nothing recognises speech: words that were typed are answered, sound is not."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._added: list[str] = []
        self._told = False

    async def handle(self, command: Audible) -> None:
        match command:
            case Add(text):
                self._added.append(text)
            case Reply(instructions) if self._added:
                text, self._added = "\n".join(self._added), []
                await self._host.say(Say(text, instructions=instructions))
            case Reply():
                await self._host.greet()
            case Microphone() if self._told:
                pass
            case Microphone() | Commit():
                self._told = True
                self._host.tell(Unheard(self._host.stage.number, 0, "no_recognizer", _NO_EARS))
            case Listen() | Clear() | Withdraw():
                pass

    def given(self, event: Event) -> None:
        pass

    async def aclose(self) -> None:
        pass


deaf: Ears = Deaf
