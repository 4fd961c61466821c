"""Ears for tests in virtual time: sound that carries its words, a recogniser that reads them from it, and a client that
speaks, plays what it is sent, pauses when it is told to, and knows to the sample what its user has heard."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import TypeVar

import numpy as np

from agent.commands import Audible, Heard, Listen, Microphone
from agent.events import Caption, Event, Floor, SentenceEnded, SentenceStarted, Speech, TurnEnded, TurnStarted
from agent.listening import Listener, Organs
from agent.listening.inlet import Intakes
from agent.presenter import Presenter
from agent.session import Session
from avatar.hearing import RATE, Detector, Encoding, Expectation, Pcm, Recognition, RecognizerError
from avatar.speech import WordSpan
from configs.language import Lang, detect
from configs.listening import ListeningSettings
from tests.doubles import presenter

T = TypeVar("T")

LANGS: tuple[Lang, ...] = ("zh", "en")
FRAME = 512
CHUNK = 0.02
SOFT, LOUD = 400, 8000
ANYTHING = Expectation()


class Speaking:
    """Words as sound: each is a tone whose strength is its number. No words, but sound, is noise that a detector takes
    for speech."""

    def __init__(self) -> None:
        self._words = [""]

    def say(self, text: str, seconds: float, loud: int = LOUD) -> bytes:
        """Each Han character, or word, as long as the others."""
        units = list(text) if detect(text) == "zh" else [f"{word} " for word in text.split()]
        if not text:
            return self._tone(0, seconds, loud)
        return b"".join(self._word(unit, seconds / len(units), loud) for unit in units)

    def heard(self, pcm: bytes) -> str:
        strengths = np.abs(np.frombuffer(pcm, "<i2")[: len(pcm) // 2].astype(int)) % 400
        runs = [(number, len(list(run))) for number, run in groupby(strengths.tolist())]
        return "".join(self._words[number // 2] for number, length in runs if number % 2 and length > 200).strip()

    def _word(self, word: str, seconds: float, loud: int) -> bytes:
        self._words.append(word)
        return self._tone(len(self._words) - 1, seconds, loud)

    def _tone(self, number: int, seconds: float, loud: int) -> bytes:
        assert number < 200
        sign = np.where(np.arange(int(seconds * RATE)) % 2, 1, -1)
        return bytes((sign * (loud // 400 * 400 + 2 * number + (number > 0))).astype("<i2").tobytes())


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * RATE))


class Plain:
    def __init__(self, encoding: Encoding) -> None:
        pass

    def feed(self, data: bytes) -> bytes:
        return data


class Sure:
    """Sound is speech, silence none."""

    frame = FRAME

    def listen(self) -> "Sure.Stream":
        return Sure.Stream()

    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...

    class Stream:
        def __init__(self) -> None:
            self._rest = b""

        async def feed(self, pcm: bytes) -> list[float]:
            sound = self._rest + pcm
            whole = len(sound) // (2 * FRAME)
            self._rest = sound[whole * 2 * FRAME :]
            frames = np.frombuffer(sound, "<i2", whole * FRAME).reshape(-1, FRAME).astype(int)
            return [0.95 if one > 100 else 0.02 for one in np.abs(frames).mean(axis=1).tolist()]

        def reset(self) -> None:
            self._rest = b""


@dataclass
class Reader:
    """Reads the words from the sound, `delay` seconds late. `fails`: the code of its error; `deaf`: it never ends."""

    speaking: Speaking
    delay: float = 0.05
    fails: str | None = None
    open: int = 0
    hears: int = 0
    expected: list[Expectation] = field(default_factory=list)
    partial: bool = True

    def hear(self, expectation: Expectation = ANYTHING) -> "Reader.Reading":
        self.open += 1
        self.hears += 1
        self.expected.append(expectation)
        return Reader.Reading(self)

    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...

    class Reading:
        def __init__(self, engine: "Reader") -> None:
            self._engine, self._sound = engine, b""
            self._news, self._over = asyncio.Event(), False

        def feed(self, pcm: bytes) -> None:
            self._sound += pcm
            self._news.set()

        async def partials(self) -> AsyncGenerator[Recognition, None]:
            before = ""
            while not self._over and self._engine.partial:
                await self._news.wait()
                self._news.clear()
                text = self._engine.speaking.heard(self._sound)
                await asyncio.sleep(self._engine.delay)
                if text != before and not self._engine.fails:
                    before = text
                    yield Recognition(text, detect(text))

        async def finish(self) -> Recognition:
            await asyncio.sleep(self._engine.delay)
            if self._engine.fails:
                raise RecognizerError(self._engine.fails, "on purpose")
            text = self._engine.speaking.heard(self._sound)
            return Recognition(text, detect(text))

        async def aclose(self) -> None:
            self._over = True
            self._engine.open -= 1
            self._news.set()


@dataclass
class Told:
    at: float
    event: Event


class Caller:
    """A client with a loudspeaker and a microphone. `line`: seconds that an event takes; `reports`: seconds of sound
    between two reports of what was heard, None: it never reports; `obeys`: pauses when told to."""

    def __init__(
        self,
        *,
        settings: ListeningSettings | None = None,
        by: Presenter | None = None,
        line: float = 0.0,
        reports: float | None = 0.5,
        obeys: bool = True,
        delay: float = 0.05,
        fails: str | None = None,
        words: Callable[[], Sequence[str]] = tuple,
        detector: Detector | None = None,
        intakes: Intakes | None = None,
    ) -> None:
        self.speaking = Speaking()
        self.reader = Reader(self.speaking, delay, fails)
        organs = Organs(self.reader, detector or Sure(), intakes or Plain, settings or ListeningSettings(), None, words)
        self.session = Session(by or presenter(), ears=partial(Listener, organs))
        self.told: list[Told] = []
        self.loudspeaker = Loudspeaker()
        self._line, self._reports, self._obeys = line, reports, obeys
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._report())]

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def send(self, command: Audible) -> None:
        await self.session.handle(command)

    async def say(self, text: str, seconds: float = 1.0, quiet: float = 1.0, loud: int = LOUD) -> None:
        await self.sound(self.speaking.say(text, seconds, loud) + silence(quiet))

    async def sound(self, pcm: bytes) -> None:
        step = int(CHUNK * RATE) * 2
        for at in range(0, len(pcm), step):
            await self.session.handle(Microphone(pcm[at : at + step], Pcm(RATE)))
            await asyncio.sleep(CHUNK)

    async def quiet(self, seconds: float) -> None:
        await self.sound(silence(seconds))

    async def until(self, kind: type[Event], seconds: float = 60.0) -> Event:
        """The next of that kind after now, with a microphone that is open."""
        seen = len(self.told)
        async with asyncio.timeout(seconds):
            while True:
                for one in self.told[seen:]:
                    if isinstance(one.event, kind):
                        return one.event
                await self.quiet(CHUNK)

    def events(self, kind: type[T]) -> list[T]:
        return [one.event for one in self.told if isinstance(one.event, kind)]

    def floors(self) -> list[tuple[str, str]]:
        return [(one.state, one.reason) for one in self.events(Floor)]

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.session.close()
        assert self.reader.open == 0, "a hearing was left open"

    async def _read(self) -> None:
        while True:
            event = await self.session.event()
            if self._line:
                await asyncio.sleep(self._line)
            self.told.append(Told(self.now, event))
            self.loudspeaker.take(event, self.now, self._obeys)
            if isinstance(event, Floor) and event.state == "held" and self._obeys and self._reports is not None:
                await self.session.handle(Heard(event.turn, self.loudspeaker.position(self.now)))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(self._reports or 3600.0)
            if self._reports is not None and self.loudspeaker.turn:
                await self.session.handle(Heard(self.loudspeaker.turn, self.loudspeaker.position(self.now)))


@dataclass
class Spoken:
    at: float
    text: str
    words: list[WordSpan] = field(default_factory=list)
    sound: float = 0.0
    whole: bool = False

    def heard(self, position: float) -> str:
        """Words that began to sound; all of it where it was played to its end."""
        seconds, rest, said = position - self.at, self.text, ""
        if seconds <= 0:
            return ""
        if self.whole and seconds > self.sound - 0.002:
            return self.text
        for word in self.words:
            if word.start < seconds and word.text in rest:
                before, _, rest = rest.partition(word.text)
                said += before + word.text
        return said


class Loudspeaker:
    """Plays one turn after the other, and pauses. `heard`: of turns that were stopped, seconds and words."""

    def __init__(self) -> None:
        self.turn = 0
        self.heard: dict[int, tuple[float, str]] = {}
        self.sentences: list[Spoken] = []
        self.late: list[float] = []
        """When sound of a turn came that was stopped."""
        self._begun: float | None = None
        self._length = self._lost = self._sentence = 0.0
        self._paused: float | None = None

    @property
    def plays(self) -> bool:
        return self._begun is not None and self._paused is None

    def position(self, now: float) -> float:
        if self._begun is None:
            return 0.0
        now = now if self._paused is None else self._paused
        return max(0.0, min(self._length, now - self._begun - self._lost))

    def take(self, event: Event, now: float, obeys: bool) -> None:
        match event:
            case TurnStarted(turn=turn):
                self._stop(now)
                self.turn, self._begun, self._length, self._lost = turn, None, 0.0, 0.0
                self._paused, self.sentences = None, []
            case SentenceStarted(at=at, text=text):
                self._sentence = at
                self.sentences.append(Spoken(at, text))
            case Caption(words=words):
                self.sentences[-1].words.extend(words)
            case Speech(turn=turn) if turn in self.heard:
                self.late.append(now)
            case Speech(audio=audio):
                self.sentences[-1].sound += audio.seconds
                if self._begun is None:
                    self._begun = now
                elif self._paused is None and (dry := now - self._begun - self._lost - self._length) > 0:
                    self._lost += dry
                self._length += audio.seconds
            case Floor(turn=turn, state="held") if obeys and turn == self.turn:
                self._paused = now
            case Floor(turn=turn, state="resumed") if self._paused is not None and turn == self.turn:
                self._lost += now - self._paused
                self._paused = None
            case Floor(turn=turn, state="yielded") if turn == self.turn:
                self._stop(now)
            case TurnEnded(turn=turn, reason="interrupted") if turn == self.turn:
                self._stop(now)
            case SentenceEnded(turn=turn) if turn == self.turn and self.sentences:
                self.sentences[-1].whole = True
            case _:
                pass

    def _stop(self, now: float) -> None:
        if self.turn and self.turn not in self.heard:
            position = self.position(now)
            self.heard[self.turn] = position, "".join(one.heard(position) for one in self.sentences).strip()
            self._paused = now


async def answering(caller: Caller, lang: Lang, seconds: float = 1.0) -> int:
    """The presenter is in the middle of a long answer."""
    await caller.send(Listen())
    await caller.say("科学馆几点开门？" if lang == "zh" else "When does the museum open?", 1.2, 0.0)
    async with asyncio.timeout(30):
        while caller.loudspeaker.position(caller.now) < seconds:
            await caller.quiet(CHUNK)
    return caller.session.stage.number
