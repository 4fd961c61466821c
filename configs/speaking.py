"""How speech is finished, whichever voice made it."""

from pydantic import Field

from configs.section import Section


class SpeakingSettings(Section):
    loudness: float | None = Field(default=-16.0, ge=-40, le=-8)
    """LUFS that every voice is brought to; None leaves each as loud as it is."""
