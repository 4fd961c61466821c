"""A conversation with one client: who answers its user, by which rules, and who looks on."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import AbstractContextManager, aclosing
from datetime import UTC, datetime

from agent.announcements import Announcement, announced, awaited, shown, words
from agent.client import Client
from agent.commands import Call, Command, Consent, Direction, GiveBack, Heard, Interrupt, Line, Say, TakeOver, Whisper
from agent.completion import completed
from agent.conduct import Conduct, Exit, HandOver, Over, Reason, Remind
from agent.consent import kept
from agent.events import Event, Fault, Notice, Posture, Speaker, ToolCalled, TurnEnded
from agent.listening import Ears, deaf
from agent.memory import Memory
from agent.outbox import Outbox
from agent.performance import Emit
from agent.presenter import Presenter
from agent.situation import Situation
from agent.stage import Act, Clock, Stage
from agent.standing import Refused, Standing
from agent.turn import Spoken, Turn
from agent.watchers import Asked, Watcher, Watchers
from agent.whispers import Whispers
from configs.conduct import ConductSettings
from configs.language import LANGUAGES, Lang, detect


class Session:
    """New words cancel and await the running turn; that is the whole of barge-in.

    `changed` is called when `standing` may have; `staffed` tells whether an operator is there, `reached` whether
    what is said unasked gets to the user. `now` is wall time; `ears` gives it an ear for its user's voice.
    """

    def __init__(
        self,
        presenter: Presenter,
        *,
        id: str | None = None,
        user: str | None = None,
        memory: Memory | None = None,
        conduct: Conduct | None = None,
        clock: Clock | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        ears: Ears = deaf,
        buffer: int = 64,
    ) -> None:
        self.id = id or secrets.token_urlsafe(12)
        self.user = user
        self.memory = memory or Memory(presenter.limits.history_exchanges)
        self.conduct = conduct or Conduct(ConductSettings())
        self.changed: Callable[[], None] = lambda: None
        self.staffed: Callable[[], bool] = lambda: False
        self.reached: Callable[[], bool] = lambda: True
        self._client = Client(self._ask, ears(self))
        self._presenter, self._now = presenter.beside(self._client.tools), now
        self._clock = clock or asyncio.get_running_loop().time
        self._outbox = Outbox(buffer, self._given)
        self._watchers = Watchers(self.conduct.settings.watching)
        self._whispers = Whispers(self.conduct.settings.whispers)
        self.stage = Stage(self._presenter, self.memory, self._outbox, self._see, self._act_ended, self._clock)
        self._commands = asyncio.Lock()
        self._since = now()
        self.lang: Lang = presenter.persona.language
        self.names = tuple(presenter.persona.name[one] for one in LANGUAGES)
        self._operator: str | None = None
        self._held: Say | None = None
        self._line: asyncio.Future[str] | None = None
        self._wanted: tuple[Reason, datetime] | None = None
        self._passages: tuple[str, ...] = ()
        self._ended = asyncio.Event()

    async def open(self, lang: Lang | None = None, *, voice_only: bool = False) -> None:
        """What every user is told first: that this is an AI. Aloud where nothing is shown."""
        self.lang, persona = lang or self.lang, self._presenter.persona
        self.tell(Notice(self.stage.number, "ai", shown(persona.ai_notice, lang)))
        if self.conduct.minor:
            self.tell(Notice(self.stage.number, "minors", shown(persona.minors, lang)))
        if voice_only:
            self.stage.later(self._announcement("ai_notice", owed=True))

    async def handle(self, command: Command) -> None:
        await self._outbox.relieved()
        match command:
            case Say():
                await self.say(command)
            case Interrupt(turn, heard):
                await self.interrupt(turn, heard)
            case Heard(turn, seconds):
                self.stage.heard(turn, seconds)
            case Call():
                await self._call()
            case Consent(given):
                await self._consent(given)
            case _:
                await self._client.obey(command)

    async def say(self, say: Say) -> int:
        """Start a turn for the user's words and return its number."""
        async with self._commands:
            self._ended.clear()
            self.lang = self._presenter.language(say.text, say.lang)
            self._watchers.tell(Asked(self.stage.number + 1, say.text))
            act, after = self._reply(say)
            number = await self.stage.start(act)
            if after is not None:
                self.stage.later(after)
            self.changed()
            return number

    def expect(self, text: str) -> None:
        """The user may be about to say this."""
        self._presenter.expect(text, self.memory.messages())

    async def greet(self) -> None:
        """Say the persona's greeting."""
        async with self._commands:
            await self.stage.start(self._announcement("greeting"))

    async def interrupt(self, turn: int | None = None, heard: float | None = None) -> None:
        """Stop turn `turn`, or the current one. An earlier turn's late interrupt stops nothing.

        The turn's answer is remembered up to `heard`, else, of the current one, up to the last report, or as delivered.
        """
        async with self._commands:
            if turn in (None, self.stage.number):
                self._held = None
            await self.stage.stop(turn, heard)

    async def direct(self, direction: Direction) -> None:
        """Obey an operator. Raises Refused."""
        async with self._commands:
            match direction:
                case Whisper(text):
                    self._whispers.add(text)
                case Line(text):
                    self._speak(text)
                case TakeOver(name) if name != self._operator:
                    await self._take(name)
                case GiveBack():
                    await self._give()
            self.changed()

    def watch(self) -> AbstractContextManager[Watcher]:
        return self._watchers.watcher()

    def standing(self) -> Standing:
        reason, since = self._wanted or (None, None)
        waiting = self._line is not None and not self._line.done()
        return Standing(
            self.id,
            self._since,
            self.lang,
            "answering" if self._operator is None else "waiting" if waiting else "taken",
            self._operator,
            self.conduct.refusals,
            reason,
            since,
            len(self._whispers),
        )

    async def event(self) -> Event:
        """The next event; one reader at a time."""
        return await self._outbox.get()

    async def over(self) -> None:
        """Returns when the user gave the exit word, or their time is up, and has been sent and heard the goodbye."""
        while not self._ended.is_set() or self.stage.unheard > 0:
            await self._ended.wait()
            await self._outbox.delivered()
            await asyncio.sleep(self.stage.unheard)

    async def close(self) -> None:
        try:
            await completed(self._client.aclose, self.stage.close, self._presenter.leave)
        finally:
            self._watchers.close()

    def _reply(self, say: Say) -> tuple[Act, Act | None]:
        """What to do about the user's words now, and what besides when that is over."""
        match self.conduct.asked(say.text, self._clock()):
            case Exit():
                return self._announcement("ended", say, last=True), None
            case Over():
                return self._announcement("over", say, last=True), None
            case _ if self._operator is not None:
                return self._holding(say), None
            case HandOver("asked"):
                return self._handover("asked", say), None
            case HandOver(reason) if self._wanted is None and self.staffed():
                return self._handover(reason, say), None
            case HandOver(reason) if self._wanted is None:
                return self._answer(say), self._handover(reason)
        return self._answer(say), None

    def _answer(self, say: Say) -> Act:
        async def work(turn: Turn, emit: Emit) -> TurnEnded:
            lang = self._presenter.language(say.text, say.lang)
            if (line := await self.memory.reply(say.text, lang)) is not None:
                return await self._relay(turn, words(line, lang), lang, say)
            recalled = await self.memory.recall(say.text, lang)
            situation = Situation(
                session=self.id,
                user=self.user,
                history=recalled.history,
                summary=recalled.summary,
                facts=recalled.lines,
                whisper="\n".join(self._whispers.take()),
                minor=self.conduct.minor,
                passages=self._passages,
            )
            try:
                return await turn.run(say, self._client.minded(situation, say.instructions))
            finally:
                self._passages = turn.passages

        return Act(work, say)

    async def _relay(
        self, turn: Turn, lines: AsyncIterable[Spoken], lang: Lang, say: Say | None = None, by: Speaker = "presenter"
    ) -> TurnEnded:
        """What the presenter need not think of. The user's words before it are judged all the same."""
        situation = Situation(self.id, self.user, self.memory.messages(), minor=self.conduct.minor)
        return await turn.relay(lines, lang, by, say.text if say else "", self._client.minded(situation))

    async def _consent(self, given: bool) -> None:
        if not await kept(self.memory, given):
            self.tell(Fault(self.stage.number, "memory_unavailable", self._presenter.persona.unkept[self.lang]))

    async def _call(self) -> None:
        async with self._commands:
            if self._operator is None:
                await self.stage.start(self._handover("asked"))
                self.changed()

    def _handover(self, reason: Reason, say: Say | None = None) -> Act:
        """Ask for a human, and tell the user honestly whether one is there."""
        self._wanted = self._wanted or (reason, self._now())
        return self._announcement("handover" if self.staffed() else "alone", say, passing=True)

    def _announcement(
        self,
        what: Announcement,
        say: Say | None = None,
        *,
        last: bool = False,
        passing: bool = False,
        owed: bool = False,
    ) -> Act:
        async def work(turn: Turn, emit: Emit) -> TurnEnded:
            async with aclosing(announced(what, self._presenter.persona, self.lang, turn.number, emit)) as lines:
                return await self._relay(turn, lines, self.lang, say)

        return Act(work, say, last, passing, owed)

    def _speak(self, text: str) -> None:
        """An operator's words: the answer that the user waits for, or a turn of their own after the running one."""
        if self._line is not None and not self._line.done():
            self._line.set_result(text)
            return

        async def work(turn: Turn, emit: Emit) -> TurnEnded:
            lang = detect(text) or self.lang
            return await self._relay(turn, words(text, lang), lang, by="operator")

        if not self.stage.later(Act(work)):
            raise Refused("full", "several lines wait to be said already")

    async def _take(self, name: str) -> None:
        """An answer that is cut short is the operator's to give."""
        first, current = self._operator is None, self.stage.current
        self._operator, self._wanted = name, None
        self.stage.drop_passing()
        if first:
            cut = current.say if current is not None and not current.passing else None
            await self.stage.start(self._holding(cut, taking=True))

    def _holding(self, say: Say | None, *, taking: bool = False) -> Act:
        """A turn that waits for the operator's line where the user does, and is that line."""
        line = self._line = asyncio.get_running_loop().create_future() if say else None
        self._held = say

        async def lines(turn: Turn, emit: Emit) -> AsyncGenerator[Spoken, None]:
            if taking:
                async for spoken in announced("takeover", self._presenter.persona, self.lang, turn.number, emit):
                    yield spoken
            if line is not None:
                await emit(Posture(turn.number, "listening"))
                patience, hold = self.conduct.settings.hold, self._presenter.persona.hold
                async for spoken in awaited(line, hold[self.lang], self.lang, patience):
                    self._held = None if line.done() else self._held
                    yield spoken

        async def work(turn: Turn, emit: Emit) -> TurnEnded:
            by: Speaker = "presenter" if say is None else "operator"
            try:
                async with aclosing(lines(turn, emit)) as spoken:
                    return await self._relay(turn, spoken, self.lang, None if taking else say, by)
            finally:
                if line is not None:
                    line.cancel()
                self.changed()

        return Act(work, None if taking else say)

    async def _give(self) -> None:
        """The presenter answers what the operator did not."""
        if self._operator is None:
            return
        self._operator, held, self._held = None, self._held, None
        await self.stage.start(self._announcement("returned"))
        if held is not None:
            self.stage.later(self._answer(held))

    def _ask(self, call: str, name: str, arguments: str, more: int) -> None:
        self.tell(ToolCalled(self.stage.number, call, name, arguments, more))

    def _given(self, event: Event) -> None:
        self.stage.given(event)
        self._client.given(event)

    def tell(self, event: Event) -> None:
        self._outbox.put_now(event)
        self._see(event)

    def _see(self, event: Event) -> None:
        """An answer that tells of a hand-over has called for one, not knowing whether anybody is there."""
        calls = isinstance(event, Notice) and event.code == "handover" and self._operator is None
        if calls and (self.stage.current is None or not self.stage.current.passing):
            self._wanted = self._wanted or ("presenter", self._now())
            if not self.staffed():
                self.stage.drop_passing()
                self.stage.later(self._announcement("alone", passing=True))
            self.changed()
        self._watchers.tell(event)

    def _act_ended(self, act: Act, end: TurnEnded) -> None:
        if act.last and end.reason == "done":
            self._ended.set()
        if act.say is None:
            return
        match self.conduct.answered(end, self._clock()):
            case HandOver(reason) if self._wanted is None and self._operator is None:
                self.stage.later(self._handover(reason))
            case Remind():
                self.stage.later(self._announcement("reminder"))
        self.changed()
