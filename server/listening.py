"""What the presenter hears with, where the settings name it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from agent.listening import Ears, Listener, Organs, deaf
from avatar.hearing import Detector, Expectation, Recognizer, RecognizerError, TurnDetector
from avatar.intake import Intake
from configs.engines import ConfigError
from configs.home import Home
from configs.language import Lang
from configs.settings import Settings
from server.building import aclose, built

log = logging.getLogger(__name__)

_PATIENCE = 30.0

Words = Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Listening:
    """`ears`: one for each session. `recognizer` and `detector`: None where the settings name none."""

    ears: Ears
    recognizer: Recognizer | None = None
    detector: Detector | None = None
    organs: Organs | None = None

    def expecting(self, words: Words) -> Ears:
        """Ears for those who are likely to speak of `words`, the most likely first."""
        return self.ears if self.organs is None else partial(Listener, self.organs.expecting(words))

    def expectation(self, lang: Lang | None, words: Sequence[str] = ()) -> Expectation:
        most = self.organs.settings.names if self.organs else 0
        return Expectation(lang, tuple(words)[:most])


async def listening(undo: AsyncExitStack, settings: Settings, home: Home) -> Listening:
    """Raises ConfigError."""
    if settings.recognizer is None:
        return Listening(deaf)
    if settings.detector is None:
        raise ConfigError(
            "a recognizer needs a detector that tells speech from other sound: set `detector: {engine: silero}`"
        )
    made = partial(built, undo, home=home, close=aclose)
    async with asyncio.TaskGroup() as tasks:
        recognizing = tasks.create_task(made("recognizers", settings.recognizer))
        detecting = tasks.create_task(made("detectors", settings.detector))
        turning = tasks.create_task(made("turn_detectors", settings.turn_detector)) if settings.turn_detector else None
    recognizer: Recognizer = recognizing.result()
    detector: Detector = detecting.result()
    turns: TurnDetector | None = turning.result() if turning is not None else None
    await _warm(recognizer)
    await _warm(detector)
    if turns is not None:
        await _warm(turns)
    organs = Organs(recognizer, detector, Intake, settings.listening, turns)
    return Listening(partial(Listener, organs), recognizer, detector, organs)


async def _warm(engine: Recognizer | Detector | TurnDetector) -> None:
    """What cannot be reached yet is no reason not to start: an utterance will tell."""
    try:
        async with asyncio.timeout(_PATIENCE):
            await engine.warm()
    except (RecognizerError, TimeoutError) as error:
        log.warning("not warm yet, %s: %s", type(engine).__name__, str(error) or "out of time")
