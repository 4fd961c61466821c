"""A conversation with one client: its memory, at most one running turn, and the events not yet delivered."""

import asyncio
import logging

from agent.commands import Command, Heard, Interrupt, Say
from agent.events import Caption, Event, SentenceStarted, Speech, TurnEnded
from agent.memory import Memory, Transcript
from agent.outbox import Outbox
from agent.presenter import Presenter
from agent.turn import Turn

log = logging.getLogger(__name__)


class Session:
    """New words cancel and await the running turn; that is the whole of barge-in."""

    def __init__(self, presenter: Presenter, *, buffer: int = 64) -> None:
        self._presenter = presenter
        self._outbox = Outbox(buffer)
        self._task: asyncio.Task[None] | None = None
        self._turn = 0
        self._played: dict[int, float] = {}
        self.memory = Memory(presenter.limits.history_exchanges)

    async def handle(self, command: Command) -> None:
        match command:
            case Say():
                await self.say(command)
            case Interrupt(turn, heard):
                await self.interrupt(turn, heard)
            case Heard(turn, seconds):
                self._heard(turn, seconds)

    async def say(self, say: Say) -> int:
        """Start a turn for the user's words and return its number."""
        if await self._stop():
            self.memory.cut(self._turn, None)
        self._turn += 1
        self._played.clear()
        self._task = asyncio.create_task(self._run(self._turn, say), name=f"turn {self._turn}")
        return self._turn

    async def interrupt(self, turn: int | None = None, heard: float | None = None) -> None:
        """Stop turn `turn`, or the current one. An earlier turn's late interrupt does nothing."""
        if turn is None or turn == self._turn:
            await self._stop()
            self.memory.cut(self._turn, heard)

    async def close(self) -> None:
        await self._stop()

    async def event(self) -> Event:
        """The next event; one reader at a time."""
        return await self._outbox.get()

    def _heard(self, turn: int, seconds: float) -> None:
        if turn == self._turn:
            self._played[turn] = seconds
            self.memory.played(turn, seconds)

    async def _stop(self) -> bool:
        """Cancel and await the running turn; False when none was running."""
        task, self._task = self._task, None
        if task is None or task.done():
            return False
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return True

    async def _run(self, number: int, say: Say) -> None:
        turn, transcript = Turn(number, self._presenter), Transcript()

        async def emit(event: Event) -> None:
            _record(transcript, event)
            await self._outbox.put(event)

        end = TurnEnded(number, "failed", fallback="internal")
        try:
            end = await turn.run(say, self.memory.messages(), emit)
        except asyncio.CancelledError:
            end = TurnEnded(number, "interrupted", timings=turn.timings())
            self._outbox.withdraw(number)
            raise
        except Exception:  # noqa: BLE001 - a turn ends here, whatever went wrong in it
            log.exception("turn %d failed", number)
        finally:
            self.memory.answered(number, say.text, transcript)
            for played in self._played.items():
                self.memory.played(*played)
            self._outbox.put_now(end)


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
