"""The ear of a session: hears its user out, knows when they have finished, and gives them the floor they want."""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any

from agent.commands import Add, Audible, Clear, Commit, Listen, Microphone, Reply, Withdraw
from agent.events import Cleared, Committed, Event, SpeechStarted, SpeechStopped, Transcribed
from agent.listening.backchannels import meant
from agent.listening.clauses import clause
from agent.listening.complaints import Complaints
from agent.listening.contest import Contest
from agent.listening.ear import Host
from agent.listening.inbound import Inbound
from agent.listening.inlet import Frame, Inlet
from agent.listening.organs import Organs
from agent.listening.patience import Patience
from agent.listening.replying import Ended, Replying
from agent.listening.segments import Change, Segments
from agent.listening.utterance import Utterance
from avatar.hearing import Expectation, RecognizerError
from configs.language import Lang, detect

log = logging.getLogger(__name__)

_BRIEF = 0.09
"""Seconds of speech from which a user is told that they are heard."""
_EAGER = 0.1
"""Seconds of a pause after which an answer may be begun that will be taken back if the user goes on."""
_EARLY = 0.4
"""Seconds of an answer in which nobody could have found out that it comes too early, and stopped speaking."""


class Listener:
    def __init__(self, organs: Organs, host: Host) -> None:
        self._organs, self._host, self._settings = organs, host, organs.settings
        self._listen = Listen()
        self._inbound = Inbound()
        self._inlet = Inlet(organs.detector, organs.intakes)
        pause = min(_EAGER, organs.settings.pause) if organs.settings.speculate else organs.settings.pause
        self._segments = Segments(self._inlet.seconds, pause)
        self._segments.threshold = organs.settings.threshold
        self._patience = Patience(organs.settings, organs.turns, self._weigh)
        self._contest = Contest(host, organs.settings, self._weigh)
        self._replying = Replying(host, lambda: self._open is not None and self._open.confirmed, self._understood)
        self._before: deque[bytes] = deque(maxlen=1 + round(organs.settings.prefix / self._inlet.seconds))
        self._open: Utterance | None = None
        self._count = 0
        self._at = 0.0
        self._complaints = Complaints(host)
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        """Not to be cut short: what they close is another's."""
        self._spoken = 0.0
        self._closed = False

    async def handle(self, command: Audible) -> None:
        if self._closed:
            return
        if not self._tasks:
            self._own(self._run(), "ear")
            self._own(self._replying.run(), "answers to speech")
        if not await self._inbound.put(command):
            self._complaints.lost()

    def given(self, event: Event) -> None:
        self._contest.given(event)

    async def aclose(self) -> None:
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._contest.close()
        await self._patience.aclose()
        if self._open is not None:
            await self._open.aclose()
        await self._replying.aclose()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def _own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self) -> None:
        while True:
            gap = self._settings.gap if self._open is not None and self._listen.turns == "auto" else None
            command = await self._inbound.next(gap)
            try:
                await self._obey(command)
            except RecognizerError as error:
                log.warning("the detector failed: %s", error.code)
                self._drop()
                self._inlet.reset()
                self._complaints.broken(error.code)
            except Exception:  # noqa: BLE001 - a session hears on, whatever broke
                log.exception("an ear stumbled")
                self._drop()

    async def _obey(self, command: Audible | None) -> None:
        match command:
            case None:
                self._fall_silent()
            case Microphone():
                await self._hear(command)
            case Listen():
                self._listen_so(command)
            case Commit():
                self._commit()
            case Clear():
                self._drop()
                self._inlet.reset()
                self._host.tell(Cleared(self._turn))
            case Add() | Reply():
                self._replying.put(command)
            case Withdraw():
                self._replying.withdraw()

    @property
    def _turn(self) -> int:
        return self._host.stage.number

    def _listen_so(self, listen: Listen) -> None:
        before, self._listen = self._listen, listen
        self._segments.threshold = listen.threshold or self._settings.threshold
        if listen.turns != before.turns:
            self._drop()
        elif not listen.active and listen.turns == "auto" and self._open is not None:
            if self._contest.open:
                self._open.finish()
            else:
                self._end()
        self._complaints.well()

    async def _hear(self, sound: Microphone) -> None:
        if not self._listen.active:
            return
        if self._listen.half_duplex and self._host.stage.sounding:
            self._drop()
            self._segments.end(ignoring=True)  # the last words come back after they were played
            self._inlet.reset()
            return
        try:
            async for frame in self._inlet.frames(sound):
                self._frame(frame)
        except ValueError as error:
            log.warning("sound that is none: %s", type(error).__name__)
            self._complaints.bad(getattr(error, "code", "bad_audio"))
        else:
            self._complaints.well()

    def _frame(self, frame: Frame) -> None:
        self._at += self._inlet.seconds
        change = self._segments.feed(frame.speech)
        if self._listen.turns == "manual":
            self._push(frame)
            return
        if change == "onset":
            self._begin()
        utterance = self._open
        if utterance is not None:
            utterance.feed(frame.pcm)
            self._contest.hear(frame, speaking=self._segments.silence == 0)
            self._changed(utterance, change)
            self._weigh()
        else:
            self._before.append(frame.pcm)

    def _changed(self, utterance: Utterance, change: Change | None) -> None:
        if change == "pause":
            utterance.finish()
            self._patience.paused(utterance, self._lang(utterance))
        elif change == "resumed":
            self._patience.resumed()
            utterance.go_on()

    def _push(self, frame: Frame) -> None:
        """Push to talk: all of it, until the button is let go."""
        if self._open is None:
            self._open = self._new(self._at - self._inlet.seconds)
            self._segments.end()
            self._spoken = 0.0
        self._spoken += self._inlet.seconds * (frame.speech >= self._segments.threshold)
        self._open.confirmed = self._spoken >= _BRIEF
        self._open.feed(frame.pcm)

    def _fall_silent(self) -> None:
        """A client that sends nothing where nobody speaks."""
        for _ in range(round(self._settings.gap / self._inlet.seconds)):
            if self._open is None:
                return
            self._changed(self._open, self._segments.feed(0.0))
            self._weigh()

    def _begin(self) -> None:
        self._open = self._new(self._at - self._segments.speech)
        for pcm in self._before:
            self._open.feed(pcm)
        self._before.clear()
        if self._listen.interrupt and self._host.stage.current is not None:
            self._contest.begin()

    def _new(self, at: float) -> Utterance:
        self._count += 1
        words = tuple(self._organs.words())[: self._settings.names]
        return Utterance(
            self._count,
            max(0.0, at),
            self._organs.recognizer,
            Expectation(self._listen.lang, words),
            self._learn,
            limit=self._settings.longest,
            patience=self._settings.recognition,
        )

    def _learn(self, utterance: Utterance) -> None:
        """More is understood of it."""
        if utterance is not self._open:
            return
        self._patience.learnt(utterance, self._lang(utterance))
        self._anticipate(utterance)
        self._weigh()
        if utterance is self._open and utterance.confirmed and utterance.heard.text and not utterance.settled:
            heard, lang = utterance.heard, self._lang(utterance)
            self._host.tell(Transcribed(self._turn, utterance.number, heard.text, lang, False, utterance.seconds))

    def _anticipate(self, utterance: Utterance) -> None:
        """Once it can be all of it, and is meant for the presenter."""
        text, lang = utterance.heard.text, self._lang(utterance)
        if self._settings.anticipate and utterance.confirmed and text and clause(text, lang) != "unfinished":
            self._host.expect(text)

    def _weigh(self) -> None:
        """Whether what is known now gives the user the floor, or ends their turn."""
        utterance = self._open
        if utterance is None or self._listen.turns == "manual":
            return
        if self._contest.open:
            match self._contest.weigh(utterance, self._segments, self._lang(utterance)):
                case "yield":
                    self._take()
                    self._confirm(utterance)
                case "resume":
                    self._let_go(utterance)
                    return
                case _:
                    if not utterance.full:
                        return
                    self._contest.give_up()
                    self._let_go(utterance)
                    return
        if not utterance.confirmed and self._segments.speech >= _BRIEF:
            self._confirm(utterance)
        if utterance.full or self._over(utterance):
            self._end()

    def _take(self) -> None:
        """The user has the floor. What they said before goes on where nothing was answered to it yet."""
        if (taken := self._contest.take()) is not None:
            turn, heard = taken
            if heard <= _EARLY:
                self._replying.take_back(turn, self._listen.answer)
            self._own(self._host.interrupt(turn, heard), "interruption")

    def _over(self, utterance: Utterance) -> bool:
        if not self._segments.paused:
            return False
        if not utterance.confirmed:
            self._let_go(utterance)
            return False
        wanted = self._listen.silence or self._patience.silence(utterance, self._lang(utterance))
        return self._segments.silence >= wanted - 1e-6

    def _confirm(self, utterance: Utterance) -> None:
        utterance.confirmed = True
        self._host.tell(SpeechStarted(self._turn, utterance.number, utterance.at))

    def _end(self) -> None:
        utterance, self._open = self._open, None
        if utterance is None:
            return
        if not utterance.confirmed and self._listen.turns == "auto":
            self._open = utterance
            self._let_go(utterance)
            return
        if self._listen.turns == "auto":
            stopped = self._at - self._segments.silence
            self._host.tell(SpeechStopped(self._turn, utterance.number, max(utterance.at, stopped)))
        self._segments.end()
        self._patience.resumed()
        self._contest.learn_level()
        self._commit_utterance(utterance)

    def _commit_utterance(self, utterance: Utterance) -> None:
        utterance.finish()
        self._host.tell(Committed(self._turn, utterance.number))
        self._replying.put(Ended(utterance, self._listen.answer, not self._listen.interrupt))

    def _commit(self) -> None:
        utterance = self._open
        if utterance is None or not utterance.seconds:
            self._complaints.empty()
        elif self._listen.turns == "manual":
            self._open = None
            self._segments.end()
            self._commit_utterance(utterance)
        else:
            self._take()
            if not utterance.confirmed:
                self._confirm(utterance)
            self._end()

    def _let_go(self, utterance: Utterance) -> None:
        """It was not meant for the presenter."""
        self._open = None
        self._segments.end(ignoring=True)
        self._patience.resumed()
        leaving = asyncio.create_task(utterance.aclose(), name="an utterance let go")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        self._replying.quiet()

    def _drop(self) -> None:
        """Forget what is being said."""
        self._contest.give_up()
        if self._open is not None:
            self._let_go(self._open)
        self._segments.end()
        self._before.clear()

    def _lang(self, utterance: Utterance) -> Lang:
        heard = utterance.heard
        return heard.lang or detect(heard.text) or self._listen.lang or self._host.lang

    def _understood(self, utterance: Utterance) -> bool:
        """Words, and no recogniser's make-believe of noise."""
        text, lang = utterance.heard.text, self._lang(utterance)
        return utterance.confirmed and meant(text, lang, final=True) != "nothing"
