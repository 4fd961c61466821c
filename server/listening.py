"""What the presenter hears with, where the settings name it."""

from contextlib import AsyncExitStack

from agent.listening import Ears, deaf
from configs.home import Home
from configs.settings import Settings


async def listening(undo: AsyncExitStack, settings: Settings, home: Home) -> Ears:
    """Raises ConfigError."""
    return deaf
