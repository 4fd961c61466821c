"""The voices that need a server: faults are VoiceErrors, and a turn that stops lets the server know at once."""

import asyncio
import contextlib
import re
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from avatar.engines.edge import Edge, EdgeOptions
from avatar.engines.mp3 import Mp3, Mp3Error
from avatar.engines.openai import OpenAISpeech, OpenAISpeechOptions
from avatar.engines.wav import Wav, WavError
from avatar.speech import Audio, Utterance, Voice, VoiceError, WordSpan
from configs.home import current
from tests.avatar.edge_standin import Mode as EdgeMode
from tests.avatar.edge_standin import Service, mp3
from tests.avatar.speech_server import Mode, SpeechServer

HELLO = Utterance("Hello 世界 & friends", "en")


async def _all(voice: Voice, utterance: Utterance = HELLO) -> list[object]:
    return [part async for part in voice.synthesize(utterance)]


async def test_edge_speaks_with_its_words_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    async with service.running() as url:
        monkeypatch.setattr("edge_tts.communicate.WSS_URL", url)
        parts = await _all(Edge(EdgeOptions(), current()))
    words = [part for part in parts if isinstance(part, WordSpan)]
    seconds = sum(part.seconds for part in parts if isinstance(part, Audio))
    assert [(word.text, round(word.start, 2)) for word in words[:3]] == [("Hello", 0), ("世", 0.33), ("界", 0.67)]
    assert "世界" in service.heard[0]
    assert len(words) / 3 < seconds < len(words) / 3 + 0.4


BEFORE_ANY_SOUND: list[EdgeMode] = [
    *("silent", "stalls", "refuses", "forbids", "garbled"),
    *("miscounts", "other path", "other type", "odd metadata", "no metadata", "tiny frame"),
]


@pytest.mark.parametrize("mode", BEFORE_ANY_SOUND)
async def test_a_fault_of_the_edge_service_is_tried_once_more_and_then_an_error(
    mode: EdgeMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(mode)
    async with service.running() as url:
        monkeypatch.setattr("edge_tts.communicate.WSS_URL", url)
        with pytest.raises(VoiceError, match="edge voice failed: .+"):
            async with asyncio.timeout(60):
                await _all(Edge(EdgeOptions(receive_timeout=1.5 if mode == "stalls" else 60), current()))
    assert service.greeted == 2 * (2 if mode == "forbids" else 1)  # the client itself answers 403 by another try


@pytest.mark.parametrize("mode", ["breaks off", "cut short", "stalls midway"])
async def test_edge_sound_that_ends_in_the_middle_is_an_error_and_is_not_said_again(
    mode: EdgeMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, heard = Service(mode), 0.0
    async with service.running() as url:
        monkeypatch.setattr("edge_tts.communicate.WSS_URL", url)
        voice = Edge(EdgeOptions(receive_timeout=3 if mode == "stalls midway" else 60), current())
        with pytest.raises(VoiceError, match="in the middle|nothing for"):
            async with asyncio.timeout(60), aclosing(voice.synthesize(HELLO)) as parts:
                async for part in parts:
                    heard += part.seconds if isinstance(part, Audio) else 0
    assert service.greeted == 1 and 0.2 < heard < 1.3


@pytest.mark.parametrize("mode", ["hangs up once", "forbids once"])
async def test_edge_speaks_after_a_fault_that_passes(mode: EdgeMode, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(mode)
    async with service.running() as url:
        monkeypatch.setattr("edge_tts.communicate.WSS_URL", url)
        parts = await _all(Edge(EdgeOptions(), current()))
    assert service.greeted == 2
    assert [part.text for part in parts if isinstance(part, WordSpan)] == ["Hello", "世", "界", "friends"]


async def test_edge_is_told_how_fast_and_how_high(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    async with service.running() as url:
        monkeypatch.setattr("edge_tts.communicate.WSS_URL", url)
        voice = Edge(EdgeOptions(rate="+10%"), current())
        await _all(voice, Utterance("你好", "zh"))
        await _all(voice, Utterance("Hello", "en", speed=1.5, pitch=-12))
        await _all(voice, Utterance("Hello", "en", speed=4, volume=0.2))
    told = [dict(re.findall(r"(\w+)='([^']*)'", one)) for one in service.prosody]
    assert [(one["rate"], one["pitch"], one["volume"]) for one in told] == [
        *(("+10%", "+0Hz", "+0%"), ("+65%", "-100Hz", "+0%"), ("+100%", "+0Hz", "+0%"))
    ]


async def test_edge_stops_at_once_when_cancelled_though_the_service_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service("stalls")
    async with service.running() as url:
        monkeypatch.setattr("edge_tts.communicate.WSS_URL", url)
        speaking = asyncio.create_task(_all(Edge(EdgeOptions(receive_timeout=600), current())))
        while not service.heard:
            await asyncio.sleep(0)
        speaking.cancel()
        done, _ = await asyncio.wait({speaking}, timeout=60)
    assert done and speaking.cancelled()


async def test_edge_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_tts.communicate.WSS_URL", "ws://127.0.0.1:9/none?x=1")
    with pytest.raises(VoiceError):
        await _all(Edge(EdgeOptions(), current()))


async def test_edge_speaks_with_the_voice_of_the_utterance(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service()
    async with service.running() as url:
        monkeypatch.setattr("edge_tts.communicate.WSS_URL", url)
        voice = Edge(EdgeOptions(), current())
        await _all(voice, Utterance("你好", "zh"))
        await _all(voice, Utterance("你好", "zh", voice="zh-CN-YunyangNeural"))
        await _all(voice, Utterance("Hello", "en", voice="en-GB-RyanNeural"))
        with pytest.raises(VoiceError, match="list-voices"):
            await _all(voice, Utterance("Hello", "en", voice="ryan"))
    assert [name.split(", ")[1].rstrip(")") for name in service.voices] == [
        *("XiaoxiaoNeural", "YunyangNeural", "RyanNeural")
    ]


def test_edge_options_are_checked() -> None:
    with pytest.raises(ValidationError):
        EdgeOptions.model_validate({"voices": {"zh": "xiaoxiao"}})


async def test_openai_sends_the_text_and_the_key() -> None:
    server = SpeechServer()
    async with server.running() as url:
        options = {"base_url": url, "model": "tts", "api_key": "k", "voices": {"zh": "晓晓", "en": "nova"}}
        voice = OpenAISpeech(OpenAISpeechOptions.model_validate(options), current())
        parts = await _all(voice)
        await _all(voice, Utterance("你好", "zh"))
        await _all(voice, Utterance("你好", "zh", voice="云扬"))
        await voice.aclose()
    assert server.asked[0] == {"model": "tts", "input": HELLO.text, "voice": "nova", "response_format": "pcm"}
    assert server.asked[1]["voice"] == "晓晓"
    assert server.asked[2]["voice"] == "云扬"
    pcm = b"".join(part.pcm for part in parts if isinstance(part, Audio))
    assert len(pcm) == 2400 * len(HELLO.text) and set(pcm[::2]) == {0}


@pytest.mark.parametrize("mode", ["refuses", "sends mp3", "breaks off", "stalls"])
async def test_openai_faults(mode: Mode) -> None:
    async with SpeechServer(mode).running() as url:
        voice = OpenAISpeech(OpenAISpeechOptions(base_url=url, model="tts", timeout=0.05), current())
        with pytest.raises(VoiceError):
            await _all(voice)
        await voice.aclose()


async def _sound(mode: Mode, **options: object) -> list[Audio]:
    async with SpeechServer(mode).running() as url:
        values = {"base_url": url, "model": "tts", **options}
        voice = OpenAISpeech(OpenAISpeechOptions.model_validate(values), current())
        parts = [part async for part in voice.synthesize(HELLO)]
        await voice.aclose()
    return [part for part in parts if isinstance(part, Audio)]


@pytest.mark.parametrize("utterance", [HELLO, Utterance("你好，世界。", "zh")], ids=["en", "zh"])
async def test_openai_sound_is_heard_before_the_server_has_made_the_rest(utterance: Utterance) -> None:
    server = SpeechServer("waits")
    async with server.running() as url:
        voice = OpenAISpeech(OpenAISpeechOptions(base_url=url, model="tts", extra={"stream": True}), current())
        async with asyncio.timeout(60), aclosing(voice.synthesize(utterance)) as parts:
            first = await anext(aiter(parts))
            assert isinstance(first, Audio) and len(first.pcm) == 7000
            server.more.set()
            rest = [part.pcm async for part in parts if isinstance(part, Audio)]
        await voice.aclose()
    assert len(first.pcm + b"".join(rest)) == 2400 * len(utterance.text)
    assert server.asked[0]["stream"] is True and "speed" not in server.asked[0]


@pytest.mark.parametrize(
    ("mode", "seconds"), [("wav", 1.35), ("long wav", 0.9), ("stereo wav", 0.675), ("untyped", 0.9)]
)
async def test_openai_wav_is_read_as_it_comes_at_any_rate(mode: Mode, seconds: float) -> None:
    audio = await _sound(mode, response_format="pcm" if mode == "untyped" else "wav")
    assert {part.rate for part in audio} == {24000}
    assert sum(part.seconds for part in audio) == pytest.approx(seconds, abs=0.001)


async def test_openai_mp3_is_read_where_it_was_asked_for() -> None:
    audio = await _sound("sends mp3", response_format="mp3", rate=16000)
    assert {part.rate for part in audio} == {16000}
    assert 0.9 <= sum(part.seconds for part in audio) < 1.0


@pytest.mark.parametrize("mode", ["float wav", "half a head"])
async def test_openai_wav_that_cannot_be_played_is_an_error(mode: Mode) -> None:
    with pytest.raises(VoiceError, match="cannot be played"):
        await _sound(mode, response_format="wav")


async def test_openai_is_told_how_fast() -> None:
    server = SpeechServer()
    async with server.running() as url:
        voice = OpenAISpeech(OpenAISpeechOptions(base_url=url, model="tts"), current())
        await _all(voice, Utterance("Hello", "en", speed=1.5))
        await voice.aclose()
    assert server.asked[0]["speed"] == 1.5


WAV = b"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80>\x00\x00\x00}\x00\x00\x02\x00\x10\x00"
WAV += b"data\x64\x00\x00\x00" + bytes(range(100)) + b"LIST\x00\x00\x00\x00"


@given(st.lists(st.integers(0, len(WAV)), max_size=12))
def test_a_wav_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    wav, edges = Wav(), [0, *sorted(cuts), len(WAV)]
    assert b"".join(wav.feed(WAV[a:b]) for a, b in zip(edges, edges[1:], strict=False)) == bytes(range(100))
    assert wav.rate == 16000


@given(st.binary(max_size=200))
def test_any_bytes_are_a_wav_or_a_wav_error(data: bytes) -> None:
    for start in (b"", WAV[:12], WAV[:36]):
        with contextlib.suppress(WavError):
            Wav().feed(start + data)


async def test_openai_server_learns_that_nobody_listens() -> None:
    server = SpeechServer("stalls")
    async with server.running() as url:
        voice = OpenAISpeech(OpenAISpeechOptions(base_url=url, model="tts"), current())
        async with aclosing(voice.synthesize(HELLO)) as parts:
            await anext(aiter(parts))
        await asyncio.wait_for(server.gone.wait(), 60)
        await voice.aclose()


def test_a_key_is_not_shown() -> None:
    assert "secret" not in repr(OpenAISpeechOptions(base_url="http://h", model="m", api_key=SecretStr("secret")))


TONE = mp3(1.5)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, len(TONE)), max_size=20))
def test_mp3_decodes_the_same_however_it_is_cut(cuts: list[int]) -> None:
    def decoded(edges: list[int]) -> bytes:
        decoder = Mp3()
        parts = [decoder.feed(TONE[start:end]) for start, end in zip(edges, edges[1:], strict=False)]
        return b"".join([*parts, decoder.end()])

    whole, pieces = decoded([0, len(TONE)]), decoded([0, *sorted(cuts), len(TONE)])
    assert len(whole) == len(pieces) and 1.4 < len(whole) / 48000 < 1.7
    assert max(abs(a - b) for a, b in zip(whole[1::2], pieces[1::2], strict=True)) <= 1


def test_other_bytes_are_no_mp3() -> None:
    with pytest.raises(Mp3Error):
        Mp3().feed(b"ID3 or something else")
