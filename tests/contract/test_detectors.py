"""What every detector promises, asked of each: energy and Silero."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import numpy as np
import pytest

from avatar.engines.energy import Energy, EnergyOptions
from avatar.engines.silero import Silero, SileroOptions
from avatar.hearing import RATE, Detector
from configs.home import current
from configs.language import Lang
from tests.avatar.voiced import hiss, scaled, share, silence, told, voiced

Opened = AbstractAsyncContextManager[Detector]
Open = Callable[[], Opened]
SAID: dict[Lang, str] = {"zh": "请问洗手间在哪里？", "en": "Where can I leave my luggage?"}


@asynccontextmanager
async def _energy() -> AsyncIterator[Detector]:
    yield Energy(EnergyOptions(), current())


@asynccontextmanager
async def _silero() -> AsyncIterator[Detector]:
    detector = Silero(SileroOptions(), current())
    yield detector
    await detector.aclose()


ENGINES = [
    pytest.param(_energy, id="energy"),
    pytest.param(_silero, id="silero", marks=pytest.mark.packaged),
]
every = pytest.mark.parametrize("opened", ENGINES)


@every
async def test_speech_is_told_from_the_room_it_is_in(opened: Open) -> None:
    async with opened() as detector:
        await detector.warm()
        for lang, text in SAID.items():
            spoken = await voiced(text, lang)
            found = await told(detector, hiss(2.0) + spoken + hiss(2.0))
            begin, end = round(2.0 * RATE / detector.frame), round((2.0 + len(spoken) / 32000) * RATE / detector.frame)
            assert share(found[: begin - 1]) == 0
            assert share(found[begin:end]) > 0.7
            assert share(found[end + 12 :]) == 0


@every
async def test_each_whole_frame_has_one_probability_however_the_sound_is_cut(opened: Open) -> None:
    async with opened() as detector:
        pcm = await voiced(SAID["en"], "en")
        whole = await told(detector, pcm, len(pcm))
        assert len(whole) == len(pcm) // 2 // detector.frame and all(0 <= one <= 1 for one in whole)
        for size in (1, 333, 1024, 9999):
            assert np.allclose(await told(detector, pcm, size), whole, atol=1e-4)


@every
async def test_nothing_is_no_frame(opened: Open) -> None:
    async with opened() as detector:
        detection = detector.listen()
        assert await detection.feed(b"") == []
        assert await detection.feed(b"\1") == []


@every
async def test_minutes_of_silence_are_never_speech(opened: Open) -> None:
    async with opened() as detector:
        for sound in (silence(120), hiss(60)):
            found = await told(detector, sound, 32000)
            assert len(found) == len(sound) // 2 // detector.frame and share(found) == 0


@every
async def test_a_faint_voice_and_a_clipped_one_are_speech(opened: Open) -> None:
    async with opened() as detector:
        spoken = await voiced(SAID["zh"], "zh")
        for sound in (scaled(spoken, 0.1), scaled(spoken, 4)):
            found = await told(detector, silence(1.0) + sound)
            assert share(found[round(RATE / detector.frame) :]) > 0.6


@every
async def test_a_reset_forgets_what_was_heard(opened: Open) -> None:
    async with opened() as detector:
        pcm = await voiced(SAID["en"], "en")
        fresh = await detector.listen().feed(pcm)
        detection = detector.listen()
        await detection.feed(hiss(3.0, -25) + b"\1")
        detection.reset()
        assert np.allclose(await detection.feed(pcm), fresh, atol=1e-4)


@every
async def test_many_microphones_at_once_do_not_meet(opened: Open) -> None:
    async with opened() as detector:
        sounds = [await voiced(text, lang) for lang, text in SAID.items()] + [silence(2.0), hiss(2.0, -30)]
        alone = [await told(detector, pcm) for pcm in sounds]
        together = await asyncio.gather(*(told(detector, pcm) for pcm in sounds * 5))
        for index, found in enumerate(together):
            assert np.allclose(found, alone[index % len(sounds)], atol=1e-3)


@every
async def test_a_cancelled_feed_leaves_the_others_whole(opened: Open) -> None:
    async with opened() as detector:
        pcm = await voiced(SAID["zh"], "zh")
        whole = await told(detector, pcm)
        leaving = [asyncio.create_task(detector.listen().feed(pcm * 20)) for _ in range(3)]
        staying = asyncio.create_task(told(detector, pcm))
        await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        assert np.allclose(await staying, whole, atol=1e-3)


@every
async def test_feeds_that_overlap_are_taken_in_their_order(opened: Open) -> None:
    async with opened() as detector:
        pcm = await voiced(SAID["en"], "en")
        whole = await told(detector, pcm)
        detection = detector.listen()
        parts = await asyncio.gather(*(detection.feed(pcm[at : at + 4000]) for at in range(0, len(pcm), 4000)))
        assert np.allclose([one for part in parts for one in part], whole, atol=1e-3)


@every
async def test_closing_twice_is_well(opened: Open) -> None:
    async with opened() as detector:
        await detector.aclose()
        await detector.aclose()


async def test_the_loud_is_not_told_from_speech_by_energy_until_it_lasts() -> None:
    found = await told(Energy(EnergyOptions(), current()), hiss(30, -25))
    assert share(found[:30]) > 0.9 and share(found[-100:]) == 0
