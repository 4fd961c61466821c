"""Bad sound and broken clients, through a whole session with the shipped engines that need no weights."""

import asyncio
import gc
import tracemalloc
from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest

from agent.commands import Add, Commit, Heard, Interrupt, Listen, Microphone, Reply, Say
from agent.events import (
    Committed,
    Event,
    Posture,
    Speech,
    Transcribed,
    TurnEnded,
    TurnStarted,
    Unheard,
)
from agent.listening import Listener, Organs
from agent.presenter import Presenter
from agent.session import Session
from avatar.engines.energy import Energy, EnergyOptions
from avatar.engines.scripted_ears import ScriptedEars, ScriptedEarsOptions
from avatar.hearing import RATE, Encoding, Pcm
from avatar.intake import Intake
from avatar.resampling import resampled
from configs.language import Lang
from tests import virtual
from tests.agent.hearing import CHUNK, LANGS, Caller, answering, silence
from tests.agent.noises import babble, louder, noise, room
from tests.doubles import HOME, presenter

QUESTION: dict[Lang, str] = {"zh": "科学馆几点开门？", "en": "When does the museum open?"}


MINE = Pcm(RATE)


class Client:
    """Sends sound to a session that hears with the energy detector and the scripted recogniser."""

    def __init__(self, lang: Lang, by: Presenter | None = None) -> None:
        ears = ScriptedEars(ScriptedEarsOptions(texts=(QUESTION[lang],)), HOME)
        organs = Organs(ears, Energy(EnergyOptions.model_validate({}), HOME), Intake)
        self.session = Session(by or presenter(), ears=partial(Listener, organs))
        self.events: list[Event] = []
        self._reader = asyncio.create_task(self._read())

    async def send(self, pcm: bytes, encoding: Encoding = MINE, *, step: int = 640, pace: float = CHUNK) -> None:
        for at in range(0, len(pcm), step):
            await self.session.handle(Microphone(pcm[at : at + step], encoding))
            await asyncio.sleep(pace)

    def of(self, kind: type[Event]) -> list[Event]:
        return [one for one in self.events if isinstance(one, kind)]

    async def leave(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self.session.close()

    async def _read(self) -> None:
        while True:
            self.events.append(await self.session.event())


def heard_once(client: Client, lang: Lang) -> None:
    final = [one.text for one in client.of(Transcribed) if isinstance(one, Transcribed) and one.final]
    assert final == [QUESTION[lang]] and len(client.of(TurnStarted)) == 1


def said(seconds: float = 1.2) -> bytes:
    sound = babble(1)[: int(seconds * RATE) * 2]
    return room(0.5) + sound + room(1.5, 1)


@pytest.mark.parametrize("lang", LANGS)
def test_clipped_and_offset_sound_is_heard(lang: Lang) -> None:
    offset = (np.clip(np.frombuffer(said(), "<i2").astype(int) + 1500, -32768, 32767)).astype("<i2").tobytes()

    async def go(sound: bytes) -> None:
        client = Client(lang)
        await client.send(sound)
        heard_once(client, lang)
        await client.leave()

    clipped = room(0.5) + louder(babble(1)[: RATE * 2], 30) + room(1.5, 1)
    for sound in (clipped, bytes(offset)):
        virtual.run(go(sound))


def test_a_constant_offset_is_no_sound() -> None:
    async def go() -> None:
        client = Client("zh")
        await client.send(bytes(np.full(20 * RATE, 1500, "<i2").tobytes()))
        assert not client.of(Committed) and not client.of(TurnStarted)
        await client.leave()

    virtual.run(go())


def test_music_is_no_question() -> None:
    """To a detector that takes it for speech; the recogniser makes nothing of it."""

    async def go() -> None:
        caller = Caller(detector=Energy(EnergyOptions.model_validate({}), HOME))
        await caller.sound(noise("music") * 2 + room(2.0))
        assert not caller.events(TurnStarted)
        assert {one.code for one in caller.events(Unheard)} <= {"nothing_heard"}
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("made", "told"), [(48000, 16000), (16000, 48000), (8000, 24000)])
def test_a_wrong_rate_is_survived_and_the_right_one_heard(lang: Lang, made: int, told: int) -> None:
    async def go() -> None:
        client = Client(lang)
        sound = said(0.8) if made == RATE else resampled(said(0.8), RATE, made)
        await client.send(sound, Pcm(told))
        await client.send(silence(2.0))
        await asyncio.sleep(30)
        turns = len(client.of(TurnStarted))
        await client.send(said())
        assert len(client.of(TurnStarted)) == turns + 1 and not client.of(Unheard)
        await client.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_a_rate_that_nothing_has_is_told_once(lang: Lang) -> None:
    async def go() -> None:
        client = Client(lang)
        await client.send(said(), Pcm(12345))
        assert [one.code for one in client.of(Unheard) if isinstance(one, Unheard)] == ["bad_encoding"]
        await client.send(said())
        heard_once(client, lang)
        await client.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("step", "pace"), [(333, 0.01), (7, 0.0002), (640, 0.0004), (640, 0.06)])
def test_odd_pieces_fifty_times_too_fast_and_three_times_too_slow(lang: Lang, step: int, pace: float) -> None:
    async def go() -> None:
        client = Client(lang)
        await client.send(said(), step=step, pace=pace)
        await asyncio.sleep(2)
        heard_once(client, lang)
        await client.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_fifteen_mebibytes_at_once_are_heard_to_their_end(lang: Lang) -> None:
    async def go() -> None:
        client = Client(lang)
        sound = silence(1.0) + babble(1)[: RATE * 2]
        await client.session.handle(Microphone(sound + bytes((15 << 20) - len(sound)), Pcm(RATE)))
        await asyncio.sleep(5)
        heard_once(client, lang)
        await client.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_two_answers_at_once_are_one_after_the_other(lang: Lang) -> None:
    async def go() -> None:
        client = Client(lang)
        await client.session.handle(Listen(turns="manual", answer=False))
        await client.session.handle(Commit())
        await client.session.handle(Add(QUESTION[lang]))
        commands: Sequence[Reply | Say] = (Reply(), Reply(), Say(QUESTION[lang]), Reply())
        await asyncio.gather(*map(client.session.handle, commands))
        await asyncio.sleep(30)
        open_turn = 0
        for event in client.events:
            match event:
                case TurnStarted(turn=turn):
                    assert open_turn == 0, "one turn at a time"
                    open_turn = turn
                case TurnEnded(turn=turn):
                    assert turn == open_turn
                    open_turn = 0
                case Speech(turn=turn) | Posture(turn=turn):
                    assert turn >= open_turn
                case _:
                    pass
        assert open_turn == 0 and client.of(TurnStarted)
        assert [one.code for one in client.of(Unheard) if isinstance(one, Unheard)][0] == "commit_empty"
        await client.leave()

    virtual.run(go())


def test_a_client_that_vanishes_in_mid_word_leaves_nothing_behind() -> None:
    async def go() -> None:
        for number in range(12):
            client = Client(LANGS[number % 2])
            speaking = asyncio.create_task(client.send(said() + said()))
            await asyncio.sleep(0.31 * number + 0.07)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            await client.leave()
            left = [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            assert left == [], number

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_a_clock_that_is_wrong_does_no_harm(lang: Lang) -> None:
    """Reports that run backwards, far ahead or below nothing: what was not sent was not heard, nor in less time than
    it takes; and the next interruption is minded."""

    async def go() -> None:
        caller = Caller(reports=None)
        turn = await answering(caller, lang)
        stage = caller.session.stage
        for seconds in (1e9, -5.0, 0.4, 3600.0, 0.2, float("inf")):
            await caller.session.handle(Heard(turn, seconds))
            assert 0 <= stage.position <= caller.loudspeaker.position(caller.now) + 0.5
        await caller.session.handle(Heard(turn + 7, 3.0))
        await caller.say("等一下" if lang == "zh" else "wait", 0.5, 0.5)
        assert caller.floors()[-1] == ("yielded", "interruption")
        await caller.leave()

        caller = Caller(reports=None)
        turn = await answering(caller, lang)
        await caller.session.handle(Interrupt(turn, 1e9))
        answer = "".join(one.text for one in caller.loudspeaker.sentences)
        assert caller.session.memory.exchanges[-1].heard in answer, "no more than was delivered"
        await caller.leave()

    virtual.run(go())


def test_a_recogniser_that_is_slow_to_close_is_waited_for() -> None:
    """A cough is let go, and the client leaves while its hearing is being closed."""

    async def go() -> None:
        caller = Caller()
        await answering(caller, "zh")
        reading = caller.reader.hear().__class__
        caller.reader.open -= 1
        closes = reading.aclose

        async def slowly(self: object) -> None:
            await asyncio.sleep(3.0)
            await closes(self)  # type: ignore[arg-type]

        reading.aclose = slowly  # type: ignore[method-assign]
        try:
            await caller.say("", 0.3, 0.3)
            await caller.leave()
        finally:
            reading.aclose = closes  # type: ignore[method-assign]

    virtual.run(go())


def test_five_hundred_connections_leave_the_memory_as_it_was() -> None:
    """Each is heard for a moment and vanishes in mid-word."""
    by = presenter()

    async def once(number: int) -> None:
        client = Client(LANGS[number % 2], by)
        await client.send(said()[RATE // 2 : RATE * 2], step=12800)
        await client.leave()

    async def go() -> tuple[int, int]:
        for number in range(40):
            await once(number)
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(500):
            await once(number)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        return grown, len(gc.get_objects())

    grown, objects = virtual.run(go())
    assert grown < 200_000, f"{grown} bytes for 500 connections, of {objects} objects"
