"""How long a silence ends the user's turn: told from the words, and from the sound where that can be believed."""

import asyncio
import logging
from collections.abc import Callable

from agent.listening.clauses import clause
from agent.listening.utterance import Utterance
from avatar.hearing import RATE, RecognizerError, TurnDetector
from configs.language import Lang
from configs.listening import ListeningSettings

log = logging.getLogger(__name__)

_LOOKED_AT = 8 * RATE * 2


class Patience:
    """`news` is called when the sound has told more."""

    def __init__(self, settings: ListeningSettings, turns: TurnDetector | None, news: Callable[[], None]) -> None:
        self._settings, self._turns, self._news = settings, turns, news
        self._asking: asyncio.Task[None] | None = None
        self._finished: float | None = None
        self._asked = False

    def paused(self, utterance: Utterance, lang: Lang) -> None:
        if self._turns is None or lang not in self._turns.languages:
            return
        self.resumed()
        self._asked = True
        self._asking = asyncio.create_task(self._ask(self._turns, utterance.sound[-_LOOKED_AT:]), name="end of turn")

    def resumed(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
        self._asking, self._finished, self._asked = None, None, False

    def learnt(self, utterance: Utterance, lang: Lang) -> None:
        """The language may be known only now."""
        if utterance.settled and not self._asked:
            self.paused(utterance, lang)

    def silence(self, utterance: Utterance, lang: Lang) -> float:
        """Seconds."""
        settings = self._settings
        if not utterance.settled:
            return settings.unfinished[lang]
        told = "open" if utterance.error is not None else clause(utterance.heard.text, lang)
        if not utterance.heard.text:
            told = "open"
        if self._finished is not None and told != "unfinished":
            told = "complete" if self._finished > 0.5 else "open" if told == "complete" else "unfinished"
        match told:
            case "complete":
                return 0.0 if settings.speculate else settings.complete[lang]
            case "unfinished":
                return settings.unfinished[lang]
            case _:
                return settings.silence[lang]

    async def aclose(self) -> None:
        asking = self._asking
        self.resumed()
        if asking is not None:
            await asyncio.gather(asking, return_exceptions=True)

    async def _ask(self, turns: TurnDetector, sound: bytes) -> None:
        try:
            self._finished = await turns.finished(sound)
            self._news()
        except RecognizerError as error:
            log.warning("no end of turn from the sound: %s", error.code)
        except Exception as error:  # noqa: BLE001 - a stranger's detector may raise anything; the words tell as well
            log.warning("no end of turn from the sound: %s", type(error).__name__)
