"""What every session hears with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent.listening.inlet import Intakes
from agent.listening.wordlists import words as listed
from avatar.hearing import Detector, Recognizer, TurnDetector
from configs.language import LANGUAGES
from configs.listening import ListeningSettings


@dataclass(frozen=True)
class Organs:
    """`words`: what its users are likely to speak of."""

    recognizer: Recognizer
    detector: Detector
    intakes: Intakes
    settings: ListeningSettings = ListeningSettings()
    turns: TurnDetector | None = None
    words: Callable[[], Sequence[str]] = tuple

    def __post_init__(self) -> None:
        """The lists are read before anybody waits for it."""
        for lang in LANGUAGES:
            listed(lang)

    def expecting(self, words: Callable[[], Sequence[str]]) -> "Organs":
        return replace(self, words=words)
