"""A client in virtual time: it plays what it is sent as long as the sound is, tells what it heard, and checks by rules
of its own, not the agent's, that what it is sent makes sense."""

import asyncio
from dataclasses import dataclass, field

from agent.commands import Heard, Interrupt, Say
from agent.events import (
    Caption,
    Citation,
    Citations,
    Event,
    Fault,
    Motion,
    Notice,
    SentenceEnded,
    SentenceStarted,
    Speaker,
    Speech,
    TextDelta,
    TurnEnded,
    TurnStarted,
)
from agent.session import Session
from avatar.speech import WordSpan
from configs.language import Lang

TICK, REPORT = 0.25, 1.0
"""Seconds between two looks at the player, and of sound between two reports of what was heard."""
LINE = 0.03
"""Seconds that an event takes to come: a session always has some that are still to be delivered."""


@dataclass
class Sentence:
    text: str
    at: float
    words: list[WordSpan] = field(default_factory=list)
    sound: float = 0.0
    ended: bool = False


@dataclass
class Shown:
    """A turn as it reached the user. `sound`: when each stretch begins to play, where it stands in the turn, and how
    long it is. `stopped`: seconds heard of a turn that was stopped, as the server knows them."""

    number: int
    question: str = ""
    asked: float | None = None
    lang: Lang = "zh"
    by: Speaker = "presenter"
    started: bool = False
    text: str = ""
    sentences: list[Sentence] = field(default_factory=list)
    sound: list[tuple[float, float, float]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    answered: float | None = None
    """When the first sound or fault came."""
    end: TurnEnded | None = None
    reported: float = 0.0
    silenced: bool = False
    cuts: bool = False
    """What was still being played was silenced for it."""
    over: bool = False
    """The server has said that it stopped it, too."""
    stopped: float | None = None

    @property
    def ends(self) -> float:
        """When all that has come of it will have been played."""
        return self.sound[-1][0] + self.sound[-1][2] if self.sound else 0.0

    def position(self, now: float) -> float:
        """Seconds of it that were played by `now`."""
        played = (at + min(now - begins, seconds) for begins, at, seconds in self.sound if now > begins)
        return round(max(played, default=0.0), 3)

    @property
    def heard(self) -> str:
        """What the user knows of it: words that began to sound, and whole what was played to its end."""
        if self.stopped is None:
            return "".join(sentence.text for sentence in self.sentences).strip()
        return "".join(_heard(sentence, self.stopped - sentence.at) for sentence in self.sentences).strip()


def _heard(sentence: Sentence, seconds: float) -> str:
    if seconds <= 0:
        return ""
    if sentence.ended and seconds > sentence.sound - 0.002:
        return sentence.text
    rest, said = sentence.text, ""
    for word in sentence.words:
        if word.start < seconds and word.text in rest:
            before, _, rest = rest.partition(word.text)
            said += before + word.text
    return said


class Viewer:
    """`turns`: by their order in the whole conversation, over several sessions. `wrong`: every rule that was broken."""

    def __init__(self) -> None:
        self.turns: list[Shown] = []
        self.wrong: list[str] = []
        self._session: Session
        self._tasks: list[asyncio.Task[None]] = []
        self._open: Shown | None = None
        self._first = 0

    def join(self, session: Session) -> None:
        """Its turns are numbered from 1 again."""
        self._session, self._first, self._open = session, len(self.turns), None
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._listen())]

    async def leave(self) -> None:
        """Without a word: the server knows what was reported."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        last = self.turns[-1]
        if self._playing(last) or last.end is None:
            self._silence(last, last.reported)

    async def say(self, text: str) -> Shown:
        last = self.turns[-1] if len(self.turns) > self._first else None
        if last is not None and (self._playing(last) or last.end is None) and not last.silenced:
            await self._session.handle(Heard(last.number, last.position(self._now)))
            self._silence(last, last.position(self._now))
        asked = self._now
        turn = self._turn(await self._session.say(Say(text)))
        for before in self.turns[self._first : -1]:
            before.over = True
        turn.question, turn.asked = text, asked
        return turn

    async def interrupt(self) -> None:
        last = self.turns[-1]
        seconds = last.position(self._now)
        self._silence(last, seconds)
        await self._session.handle(Interrupt(last.number, seconds))
        last.over = True

    async def listen(self, turn: Shown, seconds: float) -> None:
        """Until so much of it was heard."""
        async with asyncio.timeout(120):
            while turn.position(self._now) < seconds:
                await asyncio.sleep(0.05)

    async def hear_out(self) -> None:
        """All that is being said, until nothing more comes for a while."""
        async with asyncio.timeout(300):
            quiet = 0.0
            while quiet < 1:
                last = self.turns[-1]
                busy = last.end is None or self._playing(last)
                quiet = 0.0 if busy else quiet + TICK
                await asyncio.sleep(TICK)

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _playing(self, turn: Shown) -> bool:
        return not turn.silenced and turn.ends > self._now

    def _silence(self, turn: Shown, heard: float) -> None:
        turn.silenced, turn.stopped = True, heard

    def _turn(self, number: int) -> Shown:
        while len(self.turns) < self._first + number:
            self.turns.append(Shown(len(self.turns) - self._first + 1))
        return self.turns[self._first + number - 1]

    async def _listen(self) -> None:
        """Reports about once a second, and at the end of what was played."""
        while True:
            await asyncio.sleep(TICK)
            for turn in self.turns[-2:]:
                seconds = turn.position(self._now)
                due = seconds - turn.reported >= REPORT or not self._playing(turn)
                if turn.number and not turn.silenced and seconds > turn.reported and due:
                    turn.reported = seconds
                    await self._session.handle(Heard(turn.number, seconds))

    async def _read(self) -> None:
        while True:
            event = await self._session.event()
            late = event.turn > 0 and self._turn(event.turn).over
            await asyncio.sleep(LINE)
            try:
                self._take(event, late)
            except AssertionError as wrong:
                self.wrong.append(f"turn {event.turn}: {type(event).__name__}: {wrong}")

    def _take(self, event: Event, late: bool) -> None:
        """`late`: it left the server after the turn was stopped there."""
        if event.turn == 0:
            assert isinstance(event, Notice), "only a notice comes before any turn"
            return
        turn = self._turn(event.turn)
        match event:
            case TurnStarted(lang=lang, by=by):
                assert self._open is None, "begins before the one before has ended"
                assert not turn.started, "begins twice"
                self._open, turn.started, turn.lang, turn.by = turn, True, lang, by
                self._superseded(turn)
            case TurnEnded():
                assert self._open is turn and turn.end is None, "ends without having begun, or twice"
                may_cut = turn.question or {"takeover", "returned"} & set(turn.notices)
                assert may_cut or not turn.cuts, "cut the turn before it off, unasked"
                self._open, turn.end = None, event
                cited = {number for one in turn.citations for number in one.sentences}
                whole = all(one.ended for one in turn.sentences) and cited <= set(range(len(turn.sentences)))
                assert whole or event.reason == "interrupted", "a sentence is open, or one is cited that was not said"
                if event.reason == "interrupted" and turn.stopped is None:
                    self._silence(turn, turn.reported)
            case Notice(code=code):
                turn.notices.append(code)
            case _:
                assert self._open is turn, "belongs to a turn that is not running"
                assert not late, "comes of a turn that was stopped"
                self._shown(turn, event)

    def _superseded(self, turn: Shown) -> None:
        """A client stops what it plays of another turn."""
        for before in self.turns[: self.turns.index(turn)][-2:]:
            if self._playing(before):
                self._silence(before, before.reported)
                turn.cuts = True

    def _shown(self, turn: Shown, event: Event) -> None:
        now = self._now
        match event:
            case TextDelta(text=text):
                turn.text += text
            case SentenceStarted(sentence=number, text=text, at=at):
                last = turn.sentences[-1] if turn.sentences else Sentence("", 0.0, ended=True)
                assert last.ended and number == len(turn.sentences), "sentences are in order"
                assert abs(at - (last.at + last.sound)) < 1e-6, "the clock of sentences has a gap"
                turn.sentences.append(Sentence(text, at))
            case Caption(sentence=number, words=words):
                self._sounding(turn, number).words += words
            case Motion(sentence=number, visemes=visemes, emotions=emotions, gestures=gestures):
                sounded = self._sounding(turn, number).sound
                cues = (*visemes, *emotions, *gestures)
                assert all(one.at >= sounded - 1e-6 for one in cues), "a cue is for sound that is over"
                turn.moves += [*(one.emotion for one in emotions), *(one.gesture for one in gestures)]
            case Speech(sentence=number, at=at, audio=audio):
                sentence = self._sounding(turn, number)
                assert abs(at - sentence.sound) < 1e-6, "the sound has a gap"
                turn.sound.append((max(now, turn.ends), sentence.at + at, audio.seconds))
                sentence.sound += audio.seconds
            case SentenceEnded(sentence=number, seconds=seconds):
                sentence = self._sounding(turn, number)
                assert abs(seconds - sentence.sound) < 1e-6, "its length is another"
                sentence.ended = True
            case Citations(citations=citations):
                turn.citations += citations
            case Fault(code=code):
                turn.faults.append(code)
            case _:
                pass
        if isinstance(event, Speech | Fault) and turn.answered is None:
            turn.answered = now

    def _sounding(self, turn: Shown, number: int) -> Sentence:
        assert turn.sentences and number == len(turn.sentences) - 1, "belongs to another sentence"
        assert not turn.sentences[-1].ended, "comes after the end of its sentence"
        return turn.sentences[-1]
