"""Somebody speaks while the presenter is heard: what is known of it, and what comes of it."""

import asyncio
from collections.abc import Callable
from typing import Literal

from agent.events import Event, Floor, FloorReason, FloorState, SentenceStarted, Speech
from agent.listening.backchannels import meant
from agent.listening.ear import Host
from agent.listening.echo import Echo
from agent.listening.floor import Evidence, Resume, decided
from agent.listening.inlet import Frame
from agent.listening.segments import Segments
from agent.listening.utterance import Utterance
from configs.language import Lang
from configs.listening import ListeningSettings

Outcome = Literal["wait", "yield", "resume"]

_USUAL = 0.3
"""How much an utterance tells of how loud its user usually is."""


class Contest:
    """`again`: look once more, time has passed."""

    def __init__(self, host: Host, settings: ListeningSettings, again: Callable[[], None]) -> None:
        self._host, self._settings, self._again = host, settings, again
        self._echo = Echo()
        self._turn: int | None = None
        self._held: float | None = None
        self._position = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._levels: list[float] = []
        self._usual: float | None = None

    @property
    def open(self) -> bool:
        return self._turn is not None

    def given(self, event: Event) -> None:
        match event:
            case SentenceStarted() | Speech():
                self._echo.said(event)
            case _:
                pass

    def begin(self) -> None:
        self._turn, self._held = self._host.stage.number, None
        self._position = self._host.stage.position
        self._levels.clear()
        self._host.tell(Floor(self._turn, "ducked", "speech"))
        if self._position <= 0:  # nothing was heard of it yet: there is no word to break off
            self._hold()

    def hear(self, frame: Frame, *, speaking: bool) -> None:
        """Of the open utterance."""
        if speaking and len(self._levels) < 2000:
            self._levels.append(frame.level)
        if self.open:
            self._echo.heard(frame.pcm)

    def weigh(self, utterance: Utterance, segments: Segments, lang: Lang) -> Outcome:
        stage, settings = self._host.stage, self._settings
        if stage.number != self._turn:
            self._end()
            return "yield"
        decision = decided(self._evidence(utterance, segments, lang), lang, settings)
        match decision:
            case "hold":
                self._hold()
            case "yield":
                return "yield"
            case Resume(reason):
                self._tell("resumed", reason)
                self._end()
                return "resume"
            case _:
                pass
        return "wait"

    def take(self) -> tuple[int, float] | None:
        """The user has the floor: the turn that has to end, and the seconds of it that were heard."""
        turn = self._turn
        if turn is None:
            return None
        self._tell("yielded", "interruption")
        self._stop()
        return turn, self._host.stage.position

    def give_up(self) -> None:
        if self.open:
            self._tell("resumed", "noise")
            self._end()

    def learn_level(self) -> None:
        """How loud the user was that was heard."""
        if self._levels:
            level = _loudness(self._levels)
            self._usual = level if self._usual is None else self._usual + _USUAL * (level - self._usual)
        self._levels.clear()

    def close(self) -> None:
        self._stop()

    def _evidence(self, utterance: Utterance, segments: Segments, lang: Lang) -> Evidence:
        now = asyncio.get_running_loop().time()
        text, settled = utterance.heard.text, utterance.settled
        known = bool(text) or settled
        said = meant(text, lang, final=settled, names=self._host.names) if known else None
        softer = 0.0 if self._usual is None or not self._levels else self._usual - _loudness(self._levels)
        return Evidence(
            segments.speech,
            segments.paused,
            said,
            settled,
            utterance.error is not None,
            softer,
            self._echo.sounds(self._position) or self._echo.repeats(text, lang, settled),
            self._echo.known,
            None if self._held is None else now - self._held + 1e-6,
        )

    def _hold(self) -> None:
        loop = asyncio.get_running_loop()
        self._held = loop.time()
        self._tell("held", "speech")
        self._host.stage.hold()
        self._timer = loop.call_later(self._settings.deciding, self._again)

    def _tell(self, state: FloorState, reason: FloorReason) -> None:
        if self._turn is not None and self._host.stage.number == self._turn:
            self._host.tell(Floor(self._turn, state, reason))

    def _end(self) -> None:
        self._stop()
        self._host.stage.release()

    def _stop(self) -> None:
        self._turn = self._held = None
        self._echo.reset()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _loudness(levels: list[float]) -> float:
    """Of the louder half: pauses between syllables say nothing of a speaker."""
    louder = sorted(levels)[len(levels) // 2 :]
    return sum(louder) / len(louder)
