"""What every voice promises, asked of each: the tone, Kokoro, edge-tts, an OpenAI-compatible server, a memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from avatar.engines.edge import Edge, EdgeOptions
from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.engines.openai import OpenAISpeech, OpenAISpeechOptions
from avatar.engines.tone import Tone, ToneOptions
from avatar.remembered import Remembered
from avatar.speech import Audio, PhonemeSpan, SpeechPart, Utterance, Voice, VoiceError, WordSpan
from configs.home import current
from tests.avatar.edge_standin import Service
from tests.avatar.speech_server import SpeechServer

Opened = AbstractAsyncContextManager[Voice]

CHINESE = Utterance("你好，科学馆上午9:30开门。", "zh", keep=True)
ENGLISH = Utterance("Hello, the museum opens at 9:30 daily.", "en", keep=True)


@asynccontextmanager
async def _tone() -> AsyncIterator[Voice]:
    yield Tone(ToneOptions(), current())


@asynccontextmanager
async def _remembered() -> AsyncIterator[Voice]:
    yield Remembered(Tone(ToneOptions(), current()), 1_000_000)


@asynccontextmanager
async def _kokoro() -> AsyncIterator[Voice]:
    voice = Kokoro(KokoroOptions(), current())
    yield voice
    await voice.aclose()


@asynccontextmanager
async def _edge() -> AsyncIterator[Voice]:
    with pytest.MonkeyPatch.context() as patch:
        async with Service().running() as url:
            patch.setattr("edge_tts.communicate.WSS_URL", url)
            yield Edge(EdgeOptions(), current())


@asynccontextmanager
async def _openai() -> AsyncIterator[Voice]:
    async with SpeechServer().running() as url:
        voice = OpenAISpeech(OpenAISpeechOptions(base_url=url, model="tts"), current())
        yield voice
        await voice.aclose()


VOICES = [
    pytest.param(_tone, id="tone"),
    pytest.param(_remembered, id="remembered"),
    pytest.param(_kokoro, id="kokoro", marks=pytest.mark.packaged),
    pytest.param(_edge, id="edge"),
    pytest.param(_openai, id="openai"),
]


async def spoken(voice: Voice, utterance: Utterance) -> list[SpeechPart]:
    return [part async for part in voice.synthesize(utterance)]


@pytest.mark.parametrize("open_voice", VOICES)
async def test_a_voice_keeps_its_promises(open_voice: Callable[[], Opened]) -> None:
    async with open_voice() as voice:
        for utterance in (CHINESE, ENGLISH):
            parts = await spoken(voice, utterance)
            _sound(parts, voice.rate)
            _spans([part for part in parts if isinstance(part, WordSpan)], parts)
            _spans([part for part in parts if isinstance(part, PhonemeSpan)], parts)
            _tiling(parts)
            _in_order(utterance.text, [part.text for part in parts if isinstance(part, WordSpan)])


@pytest.mark.parametrize("open_voice", VOICES)
async def test_nothing_to_say_is_no_error(open_voice: Callable[[], Opened]) -> None:
    async with open_voice() as voice:
        for text in ("", "  ", "😀！", "……"):
            assert await spoken(voice, Utterance(text, "zh")) == []


UNKNOWN = [voice for voice in VOICES if voice.id != "openai"]  # that server alone knows its voices


@pytest.mark.parametrize("open_voice", UNKNOWN)
async def test_a_voice_that_there_is_not_is_an_error_that_says_which_there_are(
    open_voice: Callable[[], Opened],
) -> None:
    async with open_voice() as voice:
        for utterance in (CHINESE, ENGLISH):
            with pytest.raises(VoiceError, match="there are|list-voices"):
                await spoken(voice, replace(utterance, voice="nobody"))


@pytest.mark.parametrize("open_voice", VOICES)
async def test_two_at_once_do_not_meet(open_voice: Callable[[], Opened]) -> None:
    async with open_voice() as voice:
        alone = [await spoken(voice, utterance) for utterance in (CHINESE, ENGLISH)]
        together = await asyncio.gather(spoken(voice, CHINESE), spoken(voice, ENGLISH))
        assert [_joined(parts) for parts in together] == [_joined(parts) for parts in alone]


@pytest.mark.parametrize("open_voice", VOICES)
async def test_stopping_early_leaves_the_voice_whole(open_voice: Callable[[], Opened]) -> None:
    async with open_voice() as voice:
        whole = await spoken(voice, ENGLISH)
        async with aclosing(voice.synthesize(CHINESE)) as parts:
            await anext(aiter(parts))
        cancelled = asyncio.create_task(spoken(voice, CHINESE))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        assert _joined(await spoken(voice, ENGLISH)) == _joined(whole)


def _sound(parts: list[SpeechPart], rate: int) -> None:
    audio = [part for part in parts if isinstance(part, Audio)]
    assert all(part.rate == rate and len(part.pcm) % 2 == 0 and part.seconds > 0 for part in audio)
    assert 0.5 < sum(part.seconds for part in audio) < 8
    assert any(part.pcm.strip(b"\0") for part in audio)


def _spans(spans: list[WordSpan] | list[PhonemeSpan], parts: list[SpeechPart]) -> None:
    """Ascending, apart, and each before its own audio."""
    assert all(span.start <= span.end for span in spans)
    assert all(earlier.end <= later.start + 1e-9 for earlier, later in pairwise(spans))
    heard = 0.0
    for part in parts:
        if isinstance(part, Audio):
            heard += part.seconds
        elif part in spans:
            assert part.start >= heard - 1e-3


def _tiling(parts: list[SpeechPart]) -> None:
    phonemes = [part for part in parts if isinstance(part, PhonemeSpan)]
    if phonemes:
        audio = [part for part in parts if isinstance(part, Audio)]
        samples = sum(len(part.pcm) // 2 for part in audio)
        assert phonemes[0].start == 0
        assert all(abs(earlier.end - later.start) < 1e-9 for earlier, later in pairwise(phonemes))
        assert abs(phonemes[-1].end * audio[0].rate - samples) < 1


def _in_order(text: str, words: list[str]) -> None:
    at = 0
    for word in words:
        at = text.index(word, at) + len(word)


def _joined(parts: list[SpeechPart]) -> tuple[bytes, list[SpeechPart]]:
    pcm = b"".join(part.pcm for part in parts if isinstance(part, Audio))
    return pcm, [part for part in parts if not isinstance(part, Audio)]
