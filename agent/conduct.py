"""The rules of one conversation: when a human is called, when to remind, when to end. Pure, on a clock given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent import wishes
from agent.events import TurnEnded
from configs.conduct import ConductSettings, UseSettings

Reason = Literal["asked", "refused", "anger", "keyword", "presenter"]
"""Why a human is wanted. `presenter`: a tool, or what was said, called for one."""


@dataclass(frozen=True, slots=True)
class HandOver:
    reason: Reason


@dataclass(frozen=True, slots=True)
class Exit:
    """The user gave the exit word."""


@dataclass(frozen=True, slots=True)
class Over:
    """The time is up: a child's, or the night has come."""


@dataclass(frozen=True, slots=True)
class Remind:
    """The user has been at it for long."""


class Conduct:
    """`now` is in seconds on the session's clock; `wall` tells the local time of day. `used`: seconds that the user
    has been at it before, in the session that goes on."""

    def __init__(
        self,
        settings: ConductSettings,
        *,
        minor: bool = False,
        used: float = 0.0,
        wall: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.settings = settings
        self.minor = minor or settings.minors_only
        self.refusals = 0
        """Answers in a row, up to now, that the documents did not give."""
        self._wall = wall
        self._before = used
        self._began: float | None = None
        self._last = 0.0
        self._due = self._use.reminder if used < self._use.reminder else used + self._use.again

    def asked(self, text: str, now: float) -> Exit | Over | HandOver | None:
        """What the user's words, which begin a turn, call for in the place of an answer."""
        self._used(now)
        if wishes.wants_out(text):
            return Exit()
        if self._is_over(now):
            return Over()
        if wishes.wants_human(text):
            return HandOver("asked")
        if self.settings.anger and wishes.angry(text):
            return HandOver("anger")
        if wishes.has_keyword(text, self.settings.keywords):
            return HandOver("keyword")
        return None

    def answered(self, end: TurnEnded, now: float) -> HandOver | Remind | None:
        """What the end of an answer calls for besides. An answer that was stopped tells nothing."""
        if end.reason != "done":
            return None
        self.refusals = self.refusals + 1 if end.refused else 0
        if self.settings.refusals and end.refused and self.refusals % self.settings.refusals == 0:
            return HandOver("refused")
        if self._began is not None and now - self._began >= self._due:
            self._due = now - self._began + self._use.again
            return Remind()
        return None

    @property
    def _use(self) -> UseSettings:
        return self.settings.minors if self.minor else self.settings.use

    def _used(self, now: float) -> None:
        if self._began is None:
            self._began = now - self._before
        elif now - self._last > self._use.pause:
            self._began, self._due = now, self._use.reminder
        self._last = now

    def _is_over(self, now: float) -> bool:
        use = self._use
        if use.most is not None and self._began is not None and now - self._began >= use.most:
            return True
        return use.night is not None and use.morning is not None and _between(self._wall(), use)


def _between(moment: datetime, use: UseSettings) -> bool:
    clock, night, morning = moment.time(), use.night, use.morning
    if night is None or morning is None:
        return False
    return night <= clock or clock < morning if night > morning else night <= clock < morning


def used(moments: Sequence[float], pause: float, now: float) -> float:
    """Seconds since the first of `moments`, ascending, from which on to `now` no break was longer than `pause`."""
    began = now
    for moment in reversed(moments):
        if began - moment > pause:
            break
        began = moment
    return now - began
