"""At most one running turn, and what is to be said besides, once the user has heard that turn out."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from agent.commands import Say
from agent.events import Caption, Event, SentenceEnded, SentenceStarted, Speech, TurnEnded
from agent.memory import Memory, Transcript
from agent.memory.records import RecordsError
from agent.outbox import Outbox
from agent.performance import Emit
from agent.playback import Playback
from agent.presenter import Presenter
from agent.turn import Turn
from avatar.motion import Gesture

log = logging.getLogger(__name__)

_WAITING = 8
"""Acts that wait at most."""
_EARLIER = 8
"""Turns that a client may still say of how much was heard."""
_PAUSE = 1.0
"""Seconds after an interruption in which nothing begins by itself: who interrupts wants to say something."""

_LEAST = 0.01
"""Seconds between two looks at whether a paused client plays on."""

_SETTLING = 0.2
"""Seconds that the end of a turn waits at most for the records."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Act:
    """What one turn does. `say`: the user's words that it answers; None: nobody asked. `last`: the conversation ends
    with it. `passing`: not worth saying any more where an operator takes over. `owed`: said again where the user's
    words cut it short."""

    work: Callable[[Turn, Emit], Awaitable[TurnEnded]]
    say: Say | None = None
    last: bool = False
    passing: bool = False
    owed: bool = False


class Stage:
    """`see` is told every event that goes to the user, `ended` how an act ended. One caller of `start` and `stop` at a
    time."""

    def __init__(
        self,
        presenter: Presenter,
        memory: Memory,
        outbox: Outbox,
        see: Callable[[Event], None],
        ended: Callable[[Act, TurnEnded], None],
        clock: Clock,
    ) -> None:
        self.number = 0
        """Of the present turn, or the last one."""
        self._presenter, self._memory, self._outbox = presenter, memory, outbox
        self._see, self._ended, self._clock = see, ended, clock
        self._act: Act | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting: deque[Act] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._playback = Playback()
        self._played: float | None = None
        self._sentence = self._delivered = 0.0
        """Seconds of the present turn: where the sentence being delivered begins, and where what was delivered ends."""
        self._earlier: dict[int, float] = {}
        """And where what was delivered of the turns before it ended."""
        self._hands: Gesture = "rest"
        self._quiet = 0.0
        self._changing = self._closed = False

    @property
    def current(self) -> Act | None:
        """What runs, or is still to be heard."""
        return self._act if self._running or self.unheard > 0 else None

    @property
    def pending(self) -> bool:
        """Something runs, or is to be said besides."""
        return self._running or bool(self._waiting)

    @property
    def unheard(self) -> float:
        """Seconds of what was sent that are still to be played."""
        return self._playback.remaining(self._clock())

    @property
    def position(self) -> float:
        """Seconds of the present turn that the user has heard: as reported, and as played since."""
        return min(self._playback.position(self._clock()), self._delivered)

    @property
    def sounding(self) -> bool:
        """Something of what runs was sent, and is still to be heard."""
        return self.unheard > 0 or (self._running and self._delivered > 0)

    async def silent(self) -> None:
        """Until nothing runs or is still to be heard."""
        while (wait := self.unheard) > 0 or self._running:
            if self._task is not None and self._running:
                await asyncio.wait([self._task])
            else:
                await asyncio.sleep(max(wait, _LEAST))

    def hold(self) -> None:
        """The user's client pauses; what is sent meanwhile is heard after `release`."""
        self._playback.pause(self._clock())

    def release(self) -> None:
        self._playback.resume(self._clock())
        self._next()

    @property
    def _running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def start(self, act: Act) -> int:
        """Stop what runs and begin this; the number of its turn."""
        cut = self.current
        await self.stop()
        if cut is not None and cut.owed:
            self._waiting.append(cut)
        self._begin(act)
        await asyncio.sleep(0)  # one step: a turn that is cancelled at once has begun, and tells its end
        return self.number

    async def stop(self, turn: int | None = None, heard: float | None = None) -> None:
        """Stop turn `turn`, or the current one. An earlier turn's late interruption stops nothing.

        The turn's answer is remembered up to `heard`, else up to the last report, else as delivered; an earlier one's
        up to `heard`.
        """
        if turn is not None and turn != self.number:
            if heard is not None and turn in self._earlier:
                self._memory.cut(turn, max(0.0, min(heard, self._earlier[turn])))
            return
        self._changing, task, running = True, self._task, self._running
        try:
            if task is not None and running:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        finally:
            self._changing = False
        short = self._outbox.withdraw(self.number) or running
        self._played = self._played if heard is None else heard
        if self._played is not None:
            self._memory.cut(self.number, max(0.0, min(self._played, self._delivered)))
        elif short:
            self._memory.cut(self.number, self._delivered)
        self._playback.stop()
        self._quiet = self._clock() + _PAUSE
        self._next()

    def later(self, act: Act) -> bool:
        """Begin this when the user has heard what is being said; False where too many wait already."""
        if len(self._waiting) >= _WAITING:
            return False
        self._waiting.append(act)
        self._next()
        return True

    def drop_passing(self) -> None:
        self._waiting = deque(act for act in self._waiting if not act.passing)

    def heard(self, turn: int, seconds: float) -> None:
        if turn == self.number:
            self._played = max(seconds, self._played or 0.0)
            self._playback.heard(seconds, self._clock())

    def given(self, event: Event) -> None:
        """The user's client has been given this."""
        match event:
            case SentenceStarted(turn=turn, at=at) if turn == self.number:
                self._sentence = at
            case Speech(turn=turn, at=at, audio=audio) if turn == self.number:
                self._delivered = self._sentence + at + audio.seconds

    async def close(self) -> None:
        self._closed = True
        self._waiting.clear()
        await self.stop()

    def _next(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._closed or self._changing or self._running or self._playback.paused or not self._waiting:
            return
        now = self._clock()
        wait = max(self.unheard, self._quiet - now)
        if wait > 0:
            self._timer = asyncio.get_running_loop().call_later(wait, self._next)
        else:
            self._begin(self._waiting.popleft())

    def _begin(self, act: Act) -> None:
        if self._closed:
            return
        self._earlier = dict([*self._earlier.items(), (self.number, self._delivered)][-_EARLIER:])
        self.number += 1
        self._act, self._played = act, None
        self._sentence = self._delivered = 0.0
        self._playback.begin()
        self._task = asyncio.create_task(self._run(self.number, act), name=f"turn {self.number}")
        self._task.add_done_callback(lambda _: self._next())

    async def _run(self, number: int, act: Act) -> None:
        transcript = Transcript()

        async def emit(event: Event) -> None:
            self._record(transcript, event)
            await self._outbox.put(event)
            self._see(event)

        turn = Turn(number, self._presenter, emit, self._hands)
        end = TurnEnded(number, "failed", fallback="internal")
        try:
            end = await self._perform(act, turn, emit)
        except asyncio.CancelledError:
            end = TurnEnded(number, "interrupted", timings=turn.timings())
            self._outbox.withdraw(number)
            raise
        finally:
            self._hands = turn.last
            try:
                self._memory.answered(number, _asked(act, turn), transcript)
                if end.reason != "interrupted":
                    await self._settled()
            finally:
                self._outbox.put_now(end)
                self._see(end)
                self._ended(act, end)

    async def _perform(self, act: Act, turn: Turn, emit: Emit) -> TurnEnded:
        try:
            return await act.work(turn, emit)
        except Exception:  # noqa: BLE001 - a turn ends here, whatever went wrong in it
            log.exception("turn %d failed", turn.number)
            said = act.say or Say("")
            return await turn.apologise(self._presenter.language(said.text, said.lang))

    async def _settled(self) -> None:
        """The end of a turn says that it is remembered, unless the disk is slow."""
        with suppress(TimeoutError, RecordsError):
            async with asyncio.timeout(_SETTLING):
                await self._memory.settled()

    def _record(self, transcript: Transcript, event: Event) -> None:
        match event:
            case SentenceStarted(text=text, at=at):
                transcript.started(text, at)
            case Caption(words=words):
                transcript.captioned(words)
            case Speech(at=at, audio=audio):
                transcript.played(at + audio.seconds)
                self._playback.sent(audio.seconds, self._clock())
            case SentenceEnded():
                transcript.ended()
            case _:
                pass


def _asked(act: Act, turn: Turn) -> str:
    """What may be remembered of the question: all of one that was cut before it was judged, for it had no answer."""
    if act.say is None:
        return ""
    return act.say.text if turn.asked is None else turn.asked
