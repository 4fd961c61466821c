"""Settings of how a conversation is conducted: reminders, children, and when a human is called."""

from datetime import time
from typing import Annotated

from pydantic import Field, StringConstraints

from configs.section import Section

Keyword = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class UseSettings(Section):
    """Seconds of use without a longer break than `pause` after which the user is reminded, and then again every
    `again`. `most`: after so many the conversation ends; None: it does not. Between `night` and `morning`, where both
    are set, there is none (local time of the server)."""

    reminder: float = Field(default=7200, gt=0)
    again: float = Field(default=3600, gt=0)
    pause: float = Field(default=600, gt=0)
    most: float | None = Field(default=None, gt=0)
    night: time | None = None
    morning: time | None = None


class MinorsUseSettings(UseSettings):
    """Shorter where it is not said otherwise."""

    reminder: float = Field(default=1800, gt=0)
    again: float = Field(default=900, gt=0)
    most: float | None = Field(default=2400, gt=0)
    night: time | None = time(22)
    morning: time | None = time(6)


class ConductSettings(Section):
    use: UseSettings = UseSettings()
    minors: MinorsUseSettings = MinorsUseSettings()
    """What holds in place of `use` for a child: the client says so, or `minors_only`."""
    minors_only: bool = False
    """Every user counts as a child."""
    keywords: tuple[Keyword, ...] = ()
    """Words of a user's for which a human is called."""
    refusals: int = Field(default=2, ge=0)
    """So many questions in a row that the documents do not answer call a human; 0: never."""
    anger: bool = True
    """A user who has lost their temper is told that a human is called."""
    hold: float = Field(default=20, gt=0)
    """Seconds a user waits for the operator who took over before being asked for patience; then twice as long."""
    grace: float = Field(default=15, gt=0)
    """Seconds after the operator's connection is lost until the presenter goes on by itself."""
    whispers: int = Field(default=10, ge=1)
    """Turns for which an operator's instruction holds."""
    watching: int = Field(default=500, ge=16)
    """Events that are kept for each watcher; a slower one misses the oldest."""
