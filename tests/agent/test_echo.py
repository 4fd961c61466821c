"""Our own voice in the user's microphone: through a loudspeaker, a room and a delay it is not taken for the user."""

import asyncio
from collections.abc import AsyncGenerator

import numpy as np
import pytest

from agent.commands import Microphone
from agent.events import Committed, SentenceStarted, Speech, TurnEnded
from agent.listening.echo import Echo, envelope, likenesses
from avatar.hearing import RATE, Pcm
from avatar.speech import Audio, SpeechPart, Utterance
from configs.language import Lang
from configs.listening import ListeningSettings
from tests import virtual
from tests.agent.hearing import CHUNK, LANGS, Caller, answering
from tests.agent.noises import babble, louder, room
from tests.doubles import presenter

DELAYS = (0.0, 0.15, 0.4)
LEVELS = (-6.0, -20.0, -30.0)


def heard(pcm: bytes, delay: float, level: float, seed: int = 0) -> bytes:
    """By a loudspeaker that has no depth, in a room that rings, with its hiss."""
    random = np.random.default_rng(seed)
    sound = np.frombuffer(pcm, "<i2").astype(float)
    ring = random.normal(size=RATE // 4) * np.exp(-np.arange(RATE // 4) / (0.05 * RATE)) * 0.12
    ring[0] = 1.0
    size = len(sound) + len(ring)
    frequencies = np.fft.rfftfreq(size, 1 / RATE)
    colour = frequencies / (frequencies + 250) / (1 + (frequencies / 3500) ** 2)
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(ring, size) * colour, size)[: len(sound)]
    late = np.concatenate([np.zeros(int(delay * RATE)), wet * 10 ** (level / 20)])
    hiss = np.frombuffer(room(len(late) / RATE + 0.1, seed), "<i2")[: len(late)]
    return bytes(np.clip(late + hiss, -32768, 32767).astype("<i2").tobytes())


def given(pcm: bytes) -> Echo:
    echo = Echo()
    echo.said(SentenceStarted(1, 0, "A sentence.", 0.0))
    step = RATE // 5 * 2
    for at in range(0, len(pcm), step):
        echo.said(Speech(1, 0, at / 2 / RATE, Audio(pcm[at : at + step], RATE)))
    return echo


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("delay", DELAYS)
def test_what_was_played_is_known_again_however_late_soft_and_coloured(delay: float, level: float) -> None:
    found = 0
    for seed in range(6):
        played = babble(seed)
        echo, position = given(played), 1.0 + 0.4 * seed
        start = int((position + delay) * RATE) * 2
        echo.heard(heard(played, delay, level, seed)[start : start + 3 * RATE])
        found += echo.sounds(position)
        assert echo.known == bool(found) or seed
    assert found >= 5


def test_somebody_else_is_not_the_echo_at_any_length() -> None:
    wrong = 0
    for seed in range(12):
        echo = given(babble(seed))
        other = heard(babble(100 + seed), 0.0, 0.0, seed)
        for at in range(0, 2 * RATE * 2, 1024):
            echo.heard(other[at : at + 1024])
            if echo.sounds(2.0):
                wrong += 1
                break
    assert wrong <= 1


def test_the_user_over_the_echo_is_heard() -> None:
    """Who is louder than what comes back of the presenter."""
    wrong = 0
    for seed in range(8):
        played, user = babble(seed), np.frombuffer(babble(200 + seed), "<i2").astype(int)
        back = np.frombuffer(heard(played, 0.1, -20.0, seed), "<i2").astype(int)[: len(user)]
        both = np.clip(user[: len(back)] + back, -32768, 32767).astype("<i2").tobytes()
        echo = given(played)
        echo.heard(bytes(both[2 * RATE : 4 * RATE]))
        wrong += echo.sounds(0.5)
    assert wrong == 0


def test_tones_and_silence_are_like_nothing() -> None:
    flat = bytes((np.where(np.arange(RATE) % 2, 1, -1) * 8000).astype("<i2").tobytes())
    theirs = envelope(babble(3), RATE)
    for sound in (flat, bytes(2 * RATE), b""):
        scores = likenesses(envelope(sound, RATE), theirs)
        assert not scores.size or scores.max() < 0.5


class Babbler:
    """A voice whose sound changes as speech does, 0.2 s a unit of text."""

    rate = RATE

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        units = len(utterance.text.split() if utterance.lang == "en" else utterance.text)
        sound = babble(len(utterance.text), 0.2 * units)
        for at in range(0, len(sound), RATE // 2):
            yield Audio(sound[at : at + RATE // 2], RATE)

    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...


def come_back(caller: Caller, turn: int, late: float, level: float) -> bytes:
    """What the microphone hears in a step of what the loudspeaker played `late` seconds before."""
    size, ring = int(CHUNK * RATE), RATE // 20
    said = [one.event for one in caller.told if isinstance(one.event, Speech) and one.event.turn == turn]
    played = np.frombuffer(b"".join(event.audio.pcm for event in said), "<i2").astype(float)
    end = int((caller.loudspeaker.position(caller.now) - late) * RATE)
    stretch = np.zeros(size + ring)
    if caller.loudspeaker.plays and end > 0:
        known = played[max(0, end - size - ring) : end]
        stretch[len(stretch) - len(known) :] = known
    echo = np.exp(-np.arange(ring) / (0.012 * RATE)) * np.random.default_rng(1).normal(size=ring) * 0.2
    echo[0] = 1.0
    wet = np.convolve(stretch, echo)[ring : ring + size]
    return louder(bytes(np.clip(wet, -32768, 32767).astype("<i2").tobytes()), level)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("late", "level"), [(0.05, -6.0), (0.15, -14.0), (0.4, -20.0)])
def test_an_answer_played_into_the_microphone_is_heard_out(lang: Lang, late: float, level: float) -> None:
    """All of it comes back, as loud as a user, and the recogniser makes a question of it each time."""

    async def go() -> None:
        caller = Caller(settings=ListeningSettings(background=60.0), by=presenter(voice=Babbler()))
        turn = await answering(caller, lang, 0.3)
        misheard = "这附近有没有地铁站" if lang == "zh" else "Is there a subway station nearby"
        caller.speaking.heard = lambda pcm: misheard  # type: ignore[method-assign]
        async with asyncio.timeout(120):
            while caller.session.stage.sounding:
                await caller.send(Microphone(come_back(caller, turn, late, level), Pcm(RATE)))
                await asyncio.sleep(CHUNK)
        await caller.quiet(1.5)
        assert caller.session.stage.number == turn
        assert len(caller.events(Committed)) == 1, "only the question was the user's"
        floors = caller.floors()
        assert ("resumed", "echo") in floors and "yielded" not in [state for state, _ in floors]
        assert [one.reason for one in caller.events(TurnEnded)] == ["done"]
        await caller.leave()

    virtual.run(go())


@pytest.mark.parametrize("lang", LANGS)
def test_words_of_the_answer_that_come_back_are_an_echo(lang: Lang) -> None:
    """Where the sound is too distorted to be known again, its words are not."""

    async def go() -> None:
        caller = Caller()
        turn = await answering(caller, lang)
        said = caller.loudspeaker.sentences[0].text
        await caller.say(said, 2.0, 1.0)
        assert caller.floors()[-1] == ("resumed", "echo")
        assert caller.session.stage.number == turn
        await caller.leave()

    virtual.run(go())
