"""What every recogniser promises, asked of each: scripted, Whisper, an OpenAI-compatible server, FunASR's two."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress

import pytest

from avatar.engines.funasr import FunAsr, FunAsrOptions
from avatar.engines.scripted_ears import ScriptedEars, ScriptedEarsOptions
from avatar.engines.transcription import Transcription, TranscriptionOptions
from avatar.engines.whisper import Whisper, WhisperOptions
from avatar.hearing import Expectation, Hearing, Recognition, Recognizer, RecognizerError
from configs.home import current
from configs.language import Lang
from tests.avatar.funasr_server import FunAsrServer, Kind
from tests.avatar.transcription_server import TranscriptionServer
from tests.avatar.voiced import hiss, music, silence, voiced

Opened = AbstractAsyncContextManager[Recognizer]
Open = Callable[[], Opened]

SAID: dict[Lang, str] = {"zh": "请问洗手间在哪里？", "en": "Where can I leave my luggage?"}
KEYS: dict[Lang, tuple[str, ...]] = {"zh": ("请问", "哪里"), "en": ("where can i leave", "luggage")}
"""What must be in any hearing of it."""
PATIENCE = 60.0
CHUNK = 640


def known(sounds: dict[bytes, str]) -> Callable[[bytes], str]:
    """A server's ears: it knows each sound by how it begins."""
    return lambda pcm: next((text for sound, text in sounds.items() if sound[:3200] in pcm[:16000]), "")


async def ears() -> Callable[[bytes], str]:
    return known({await voiced(text, lang): text for lang, text in SAID.items()})


@asynccontextmanager
async def _scripted() -> AsyncIterator[Recognizer]:
    yield ScriptedEars(ScriptedEarsOptions(texts=tuple(SAID.values())), current())


@asynccontextmanager
async def _whisper() -> AsyncIterator[Recognizer]:
    engine = Whisper(WhisperOptions(partials=0.3, timeout=PATIENCE), current())
    yield engine
    await engine.aclose()


@asynccontextmanager
async def _openai() -> AsyncIterator[Recognizer]:
    async with TranscriptionServer(await ears()).running() as url:
        engine = Transcription(TranscriptionOptions(base_url=url, model="whisper-1", timeout=PATIENCE), current())
        yield engine
        await engine.aclose()


def _funasr(kind: Kind) -> Open:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Recognizer]:
        async with FunAsrServer(await ears(), kind).running() as url:
            engine = FunAsr(FunAsrOptions.model_validate({"url": url, "timeout": PATIENCE}), current())
            yield engine
            await engine.aclose()

    return opened


SCRIPTED = pytest.param(_scripted, id="scripted")
ENGINES = [
    pytest.param(_whisper, id="whisper", marks=pytest.mark.packaged),
    pytest.param(_openai, id="openai", marks=pytest.mark.packaged),
    pytest.param(_funasr("cpp"), id="funasr-cpp", marks=pytest.mark.packaged),
    pytest.param(_funasr("python"), id="funasr-python", marks=pytest.mark.packaged),
]
every = pytest.mark.parametrize("opened", [SCRIPTED, *ENGINES])
listening = pytest.mark.parametrize("opened", ENGINES)
"""Those that hear what is there; the scripted one hears what it is told to."""


def ask(lang: Lang | None) -> Expectation:
    return Expectation(lang)


def feed(hearing: Hearing, pcm: bytes, size: int = CHUNK) -> None:
    for start in range(0, len(pcm), size):
        hearing.feed(pcm[start : start + size])


async def heard(engine: Recognizer, pcm: bytes, lang: Lang | None = None, size: int = CHUNK) -> Recognition:
    hearing = engine.hear(ask(lang))
    try:
        feed(hearing, pcm, size)
        async with asyncio.timeout(PATIENCE):
            return await hearing.finish()
    finally:
        await hearing.aclose()


async def followed(engine: Recognizer, pcm: bytes, lang: Lang) -> tuple[Recognition, list[Recognition]]:
    """With its partials."""
    hearing = engine.hear(ask(lang))
    told: list[Recognition] = []

    async def follow() -> None:
        async with aclosing(hearing.partials()) as partials:
            async for partial in partials:
                told.append(partial)

    following = asyncio.create_task(follow())
    for start in range(0, len(pcm), CHUNK):
        hearing.feed(pcm[start : start + CHUNK])
        await asyncio.sleep(0.01)
    await _until(lambda: bool(told) or isinstance(engine, Transcription))
    recognition = await hearing.finish()
    async with asyncio.timeout(PATIENCE):
        await following
    await hearing.aclose()
    return recognition, told


def right(recognition: Recognition, lang: Lang) -> bool:
    return recognition.lang == lang and all(key in recognition.text.lower() for key in KEYS[lang])


@every
async def test_each_language_is_heard_whether_it_was_expected_or_not(opened: Open) -> None:
    async with opened() as engine:
        await engine.warm()
        for lang in SAID:
            for expected in (lang, None):
                recognition = await heard(engine, await voiced(SAID[lang], lang), expected)
                assert expected is None and isinstance(engine, ScriptedEars) or right(recognition, lang), recognition


@every
async def test_nothing_said_is_nothing_heard_and_no_error(opened: Open) -> None:
    async with opened() as engine:
        for sound in (b"", b"\x01"):
            hearing = engine.hear()
            hearing.feed(sound)
            assert (isinstance(engine, ScriptedEars) and sound) or await hearing.finish() == Recognition("")
            await hearing.aclose()


@every
@pytest.mark.parametrize("size", [1, 333, 32001])
async def test_the_cut_makes_no_difference_even_within_a_sample(opened: Open, size: int) -> None:
    async with opened() as engine:
        pcm = await voiced(SAID["en"], "en")
        assert right(await heard(engine, pcm, "en", size), "en")


@listening
async def test_minutes_of_silence_are_no_words(opened: Open) -> None:
    async with opened() as engine:
        for sound in (silence(180), hiss(40, -75)):
            assert (await heard(engine, sound, size=32000)).text == ""


@listening
async def test_noise_and_music_are_no_words(opened: Open) -> None:
    async with opened() as engine:
        for sound in (hiss(4, -25), music(6)):
            assert (await heard(engine, sound)).text == ""


@listening
async def test_what_follows_a_long_silence_is_heard(opened: Open) -> None:
    async with opened() as engine:
        for lang in SAID:
            pcm = silence(0.2) + await voiced(SAID[lang], lang) + silence(1.0)
            assert right(await heard(engine, pcm, lang), lang)


@every
async def test_partials_tell_what_is_understood_so_far_and_end_with_the_utterance(opened: Open) -> None:
    async with opened() as engine:
        for lang in SAID:
            recognition, told = await followed(engine, await voiced(SAID[lang], lang), lang)
            assert right(recognition, lang)
            assert bool(told) != isinstance(engine, Transcription)
            assert all(partial.text for partial in told)


@every
async def test_two_at_once_do_not_meet(opened: Open) -> None:
    async with opened() as engine:
        hearings = {lang: engine.hear(ask(lang)) for lang in SAID}
        sounds = {lang: await voiced(SAID[lang], lang) for lang in SAID}
        for start in range(0, max(map(len, sounds.values())), CHUNK):
            for lang, hearing in hearings.items():
                hearing.feed(sounds[lang][start : start + CHUNK])
        ends = await asyncio.gather(*(hearing.finish() for hearing in hearings.values()))
        assert all(right(recognition, lang) for lang, recognition in zip(SAID, ends, strict=True)), ends
        for hearing in hearings.values():
            await hearing.aclose()


@every
async def test_a_hearing_may_be_closed_in_any_state_and_the_next_is_well(opened: Open) -> None:
    async with opened() as engine:
        pcm = await voiced(SAID["en"], "en")
        for state in ("new", "fed", "followed", "finishing", "finished"):
            hearing = engine.hear(ask("en"))
            partials, waiting = hearing.partials(), asyncio.create_task(asyncio.sleep(0))
            if state != "new":
                feed(hearing, pcm)
            if state == "followed":
                waiting = asyncio.create_task(_first(partials))
                await asyncio.sleep(0.05)
            if state == "finishing":
                waiting = asyncio.create_task(_ended(hearing))
                await asyncio.sleep(0.05)
                waiting.cancel()
            if state == "finished":
                await hearing.finish()
            async with asyncio.timeout(PATIENCE):
                await hearing.aclose()
                await asyncio.gather(waiting, return_exceptions=True)
                await partials.aclose()
                await hearing.aclose()
            hearing.feed(pcm)
        assert right(await heard(engine, pcm, "en"), "en")


@every
async def test_a_cancelled_end_stops_at_once(opened: Open) -> None:
    async with opened() as engine:
        pcm = await voiced(SAID["zh"], "zh")
        for wait in (0.0, 0.02):
            hearing = engine.hear(ask("zh"))
            feed(hearing, pcm)
            finishing = asyncio.create_task(hearing.finish())
            await asyncio.sleep(wait)
            finishing.cancel()
            async with asyncio.timeout(PATIENCE):
                with suppress(asyncio.CancelledError):
                    await finishing
                await hearing.aclose()
        assert right(await heard(engine, pcm, "zh"), "zh")


@listening
async def test_a_closed_engine_leaves_nobody_waiting(opened: Open) -> None:
    async with opened() as engine:
        hearing = engine.hear(ask("en"))
        feed(hearing, await voiced(SAID["en"], "en"))
        following = asyncio.create_task(_first(hearing.partials()))
        await asyncio.sleep(0.05)
        await engine.aclose()
        async with asyncio.timeout(PATIENCE):
            with suppress(RecognizerError):
                await hearing.finish()
            await hearing.aclose()
            await asyncio.gather(following, return_exceptions=True)
        await engine.aclose()


async def _first(partials: AsyncGenerator[Recognition, None]) -> None:
    async with aclosing(partials):
        async for _ in partials:
            return


async def _ended(hearing: Hearing) -> None:
    with suppress(RecognizerError):
        await hearing.finish()


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():
            await asyncio.sleep(0.02)
