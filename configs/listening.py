"""How the user is heard."""

from pydantic import Field

from configs.section import Section


class Silences(Section):
    """Seconds of silence that end a turn, by the language that is spoken."""

    zh: float = Field(default=0.6, gt=0)
    en: float = Field(default=0.6, gt=0)


class ListeningSettings(Section):
    """`threshold`: the probability from which sound is speech."""

    threshold: float = Field(default=0.5, gt=0, lt=1)
    silence: Silences = Silences()
