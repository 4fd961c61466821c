"""Silero: what it takes for speech, and what becomes of those who wait when it fails or is closed."""

import asyncio
import threading

import pytest

from avatar.engines.silero import FRAME, Silero, SileroOptions
from avatar.hearing import RecognizerError
from configs.home import current
from tests.agent.noises import mixed, noise
from tests.avatar.voiced import hiss, music, share, told, voiced

pytestmark = pytest.mark.packaged


async def test_noise_and_music_are_not_speech() -> None:
    silero = Silero(SileroOptions(), current())
    for sound in (hiss(10, -20), music(10), noise("cough"), noise("door")):
        assert share(await told(silero, sound)) < 0.1
    await silero.aclose()


async def test_speech_over_noise_is_speech() -> None:
    silero = Silero(SileroOptions(), current())
    for lang, text in (("zh", "请问洗手间在哪里？"), ("en", "Where can I leave my luggage?")):
        spoken = await voiced(text, lang)  # type: ignore[arg-type]
        assert share(await told(silero, mixed(spoken, hiss(len(spoken) / 32000 + 1, -40)))) > 0.6
    await silero.aclose()


async def test_the_model_runs_beside_the_loop() -> None:
    silero = Silero(SileroOptions(), current())
    threads = set[str]()
    run = silero._run

    def watched(jobs: object) -> None:
        threads.add(threading.current_thread().name)
        run(jobs)  # type: ignore[arg-type]

    silero._run = watched  # type: ignore[method-assign,assignment]
    await silero.warm()
    await silero.aclose()
    assert threads == {"silero_0"}


async def test_a_failure_is_told_to_all_who_waited_and_the_next_are_heard() -> None:
    silero = Silero(SileroOptions(), current())
    run, failing = silero._run, [True]

    def broken(jobs: object) -> None:
        if failing:
            failing.clear()
            raise RuntimeError("out of memory")
        run(jobs)  # type: ignore[arg-type]

    silero._run = broken  # type: ignore[method-assign,assignment]
    first, second = silero.listen(), silero.listen()
    feeds = [asyncio.create_task(one.feed(bytes(FRAME * 2))) for one in (first, second)]
    ends = await asyncio.gather(*feeds, return_exceptions=True)
    assert any(isinstance(end, RecognizerError) and end.code == "failed" for end in ends)
    assert len(await first.feed(bytes(FRAME * 2))) == 1
    await silero.aclose()


async def test_who_waits_when_it_is_closed_is_told() -> None:
    silero = Silero(SileroOptions(), current())
    feeds = [asyncio.create_task(silero.listen().feed(bytes(FRAME * 2 * 5000))) for _ in range(40)]
    await asyncio.sleep(0.01)
    async with asyncio.timeout(60):
        await silero.aclose()
        ends = await asyncio.gather(*feeds, return_exceptions=True)
        assert all(isinstance(end, RecognizerError | list) for end in ends)
        with pytest.raises(RecognizerError):
            await silero.listen().feed(bytes(FRAME * 2))
