"""A conversation with one client: its memory, at most one running turn, and the events not yet delivered."""

import asyncio
import logging

from agent.commands import Command, Heard, Interrupt, Say
from agent.events import Caption, Event, SentenceStarted, Speech, TurnEnded
from agent.memory import Memory, Transcript
from agent.outbox import Outbox
from agent.presenter import Presenter
from agent.turn import Emit, Turn

log = logging.getLogger(__name__)


class Session:
    """New words cancel and await the running turn; that is the whole of barge-in."""

    def __init__(self, presenter: Presenter, *, buffer: int = 64) -> None:
        self._presenter = presenter
        self._outbox = Outbox(buffer)
        self._task: asyncio.Task[None] | None = None
        self._turn = 0
        self._played: float | None = None
        self.memory = Memory(presenter.limits.history_exchanges)

    async def handle(self, command: Command) -> None:
        match command:
            case Say():
                await self.say(command)
            case Interrupt(turn, heard):
                await self.interrupt(turn, heard)
            case Heard(turn, seconds) if turn == self._turn:
                self._played = max(seconds, self._played or 0.0)

    async def say(self, say: Say) -> int:
        """Start a turn for the user's words and return its number."""
        await self.interrupt()
        self._turn += 1
        self._played = None
        self._task = asyncio.create_task(self._run(self._turn, say), name=f"turn {self._turn}")
        await asyncio.sleep(0)  # one step: a turn that is cancelled at once has begun, and tells its end
        return self._turn

    async def interrupt(self, turn: int | None = None, heard: float | None = None) -> None:
        """Stop turn `turn`, or the current one. An earlier turn's late interrupt does nothing.

        The turn's answer is remembered up to `heard`, else up to the last report, else as delivered.
        """
        if turn is not None and turn != self._turn:
            return
        await self._stop()
        seconds = self._played if heard is None else heard
        if seconds is not None:
            self.memory.cut(self._turn, seconds)

    async def close(self) -> None:
        await self._stop()

    async def event(self) -> Event:
        """The next event; one reader at a time."""
        return await self._outbox.get()

    async def _stop(self) -> None:
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _run(self, number: int, say: Say) -> None:
        turn, transcript = Turn(number, self._presenter), Transcript()

        async def emit(event: Event) -> None:
            _record(transcript, event)
            await self._outbox.put(event)

        end = TurnEnded(number, "failed", fallback="internal")
        try:
            end = await self._answer(turn, say, emit)
        except asyncio.CancelledError:
            end = TurnEnded(number, "interrupted", timings=turn.timings())
            self._outbox.withdraw(number)
            raise
        finally:
            self.memory.answered(number, say.text, transcript)
            self._outbox.put_now(end)

    async def _answer(self, turn: Turn, say: Say, emit: Emit) -> TurnEnded:
        try:
            return await turn.run(say, self.memory.messages(), emit)
        except Exception:  # noqa: BLE001 - a turn ends here, whatever went wrong in it
            log.exception("turn %d failed", turn.number)
            return await turn.apologise(emit)


def _record(transcript: Transcript, event: Event) -> None:
    match event:
        case SentenceStarted(text=text, at=at):
            transcript.started(text, at)
        case Caption(words=words):
            transcript.captioned(words)
        case Speech(at=at, audio=audio):
            transcript.played(at + audio.seconds)
        case _:
            pass
