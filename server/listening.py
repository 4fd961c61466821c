"""What the presenter hears with, where the settings name it."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from agent.listening import Ears, deaf
from avatar.hearing import Detector, Recognizer
from configs.home import Home
from configs.settings import Settings


@dataclass(frozen=True, slots=True)
class Listening:
    """`ears`: one for each session. `recognizer` and `detector`: None where the settings name none."""

    ears: Ears
    recognizer: Recognizer | None = None
    detector: Detector | None = None


async def listening(undo: AsyncExitStack, settings: Settings, home: Home) -> Listening:
    """Raises ConfigError."""
    return Listening(deaf)
