"""What every voice promises, asked of each: engines on this machine, services by stand-ins, and what wraps a voice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from avatar.engines.chain import Chain, ChainOptions
from avatar.engines.cosyvoice import CosyVoice, CosyVoiceOptions
from avatar.engines.edge import Edge, EdgeOptions
from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.engines.openai import OpenAISpeech, OpenAISpeechOptions
from avatar.engines.piper import Piper, PiperOptions
from avatar.engines.tone import Tone, ToneOptions
from avatar.loudness import Levelled
from avatar.remembered import Remembered
from avatar.speech import Audio, PhonemeSpan, SpeechPart, UnknownVoice, Utterance, Voice, WordSpan
from configs.home import current
from tests.avatar.cosyvoice_server import CosyVoiceServer
from tests.avatar.edge_standin import Service
from tests.avatar.speech_server import SpeechServer
from tests.avatar.test_piper import PROGRAM, model

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


@asynccontextmanager
async def _cosyvoice() -> AsyncIterator[Voice]:
    async with CosyVoiceServer().running() as url:
        voice = CosyVoice(CosyVoiceOptions(base_url=url), current())
        yield voice
        await voice.aclose()


@asynccontextmanager
async def _piper() -> AsyncIterator[Voice]:
    with TemporaryDirectory() as folder:
        models = {"zh": model(Path(folder) / "lan", 16000), "en": model(Path(folder) / "joe")}
        options = PiperOptions.model_validate({"command": PROGRAM, "models": models, "ready": False})
        voice = Piper(options, current())
        yield voice
        await voice.aclose()


@asynccontextmanager
async def _levelled() -> AsyncIterator[Voice]:
    voice = Levelled(Tone(ToneOptions(), current()))
    for utterance in (CHINESE, ENGLISH):
        await spoken(voice, utterance)
    yield voice


@asynccontextmanager
async def _chain() -> AsyncIterator[Voice]:
    """Of a server that is not there, which rests, and the tone."""
    dead = {"engine": "openai", "options": {"base_url": "http://127.0.0.1:9/v1", "model": "tts"}}
    tone = {"engine": "tone", "options": {"rate": 22050}}
    voice = Chain(ChainOptions.model_validate({"voices": [dead, tone], "failures": 1, "rest": 600}), current())
    for utterance in (CHINESE, ENGLISH):
        await spoken(voice, utterance)
    yield voice
    await voice.aclose()


VOICES = [
    pytest.param(_tone, id="tone"),
    pytest.param(_remembered, id="remembered"),
    pytest.param(_levelled, id="levelled"),
    pytest.param(_chain, id="chain"),
    pytest.param(_cosyvoice, id="cosyvoice"),
    pytest.param(_piper, id="piper"),
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


UNKNOWN = [voice for voice in VOICES if voice.id not in ("openai", "cosyvoice", "chain")]
"""Those servers alone know their voices; in the chain stands one that might know any."""


@pytest.mark.parametrize("open_voice", UNKNOWN)
async def test_a_voice_that_there_is_not_is_an_error_that_says_which_there_are(
    open_voice: Callable[[], Opened],
) -> None:
    async with open_voice() as voice:
        for utterance in (CHINESE, ENGLISH):
            with pytest.raises(UnknownVoice, match="there are|list-voices"):
                await spoken(voice, replace(utterance, voice="nobody"))


FASTER = [voice for voice in VOICES if voice.id in ("tone", "remembered", "levelled", "kokoro", "piper")]


@pytest.mark.parametrize("open_voice", FASTER)
async def test_speed_makes_speech_shorter_and_the_spans_with_it(open_voice: Callable[[], Opened]) -> None:
    async with open_voice() as voice:
        usual, fast = [await spoken(voice, replace(CHINESE, speed=speed)) for speed in (1.0, 1.6)]
        _tiling(fast)
        assert 0.5 < _seconds(fast) / _seconds(usual) < 0.8


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


def _seconds(parts: list[SpeechPart]) -> float:
    return sum(part.seconds for part in parts if isinstance(part, Audio))


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
