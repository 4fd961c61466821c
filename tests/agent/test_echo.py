"""Our own voice in the user's microphone: through a loudspeaker, a room and a delay it is not taken for the user."""

import numpy as np
import pytest

from agent.events import SentenceStarted, Speech
from agent.listening.echo import Echo, envelope, likenesses
from avatar.hearing import RATE
from avatar.speech import Audio
from configs.language import Lang
from tests import virtual
from tests.agent.hearing import LANGS, Caller, answering
from tests.agent.noises import babble, room

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
