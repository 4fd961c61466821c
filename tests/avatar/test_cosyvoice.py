"""CosyVoice's own server, by a stand-in that reads forms as it does: each mode, its sound as it comes, its faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from avatar.engines.cosyvoice import CosyVoice, CosyVoiceOptions
from avatar.speech import Audio, Utterance, VoiceError
from configs.engines import ConfigError, EngineSpec, options_of
from configs.home import current
from tests.avatar.cosyvoice_server import CosyVoiceServer

CHINESE = Utterance("科学馆上午九点半开门。", "zh")
ENGLISH = Utterance("The museum opens at half past nine & closes at 5.", "en")


@asynccontextmanager
async def opened(server: CosyVoiceServer, **options: object) -> AsyncIterator[CosyVoice]:
    async with server.running() as url:
        voice = CosyVoice(CosyVoiceOptions.model_validate({"base_url": url, **options}), current())
        yield voice
        await voice.aclose()


async def sound(voice: CosyVoice, utterance: Utterance) -> bytes:
    return b"".join([part.pcm async for part in voice.synthesize(utterance) if isinstance(part, Audio)])


@pytest.mark.parametrize("utterance", [CHINESE, ENGLISH], ids=["zh", "en"])
async def test_a_speaker_of_the_model_says_the_text(utterance: Utterance) -> None:
    server = CosyVoiceServer()
    async with opened(server) as voice:
        assert voice.rate == 22050
        assert len(await sound(voice, utterance)) == 2400 * len(utterance.text)
        await sound(voice, Utterance("你好", "zh", voice="中文男"))
    own = "中文女" if utterance.lang == "zh" else "英文女"
    assert server.asked[0] == ("sft", {"tts_text": utterance.text, "spk_id": own})
    assert server.asked[1][1]["spk_id"] == "中文男"


async def test_each_mode_sends_the_form_that_its_path_reads(tmp_path: Path) -> None:
    recording = tmp_path / "她的声音.wav"
    recording.write_bytes(b"RIFF\r\n--\x00\xff")
    server = CosyVoiceServer()
    told = {"prompt_wav": str(recording), "prompt_text": "希望你好。", "instruction": "开心地说"}
    async with server.running() as url:
        for mode in ("zero_shot", "cross_lingual", "instruct", "instruct2"):
            values = {"base_url": url, "mode": mode, "rate": 24000, **told}
            voice = CosyVoice(CosyVoiceOptions.model_validate(values), current())
            assert await sound(voice, CHINESE)
            await voice.aclose()
    wav = recording.read_bytes()
    assert server.asked == [
        ("zero_shot", {"tts_text": CHINESE.text, "prompt_text": "希望你好。", "prompt_wav": wav}),
        ("cross_lingual", {"tts_text": CHINESE.text, "prompt_wav": wav}),
        ("instruct", {"tts_text": CHINESE.text, "spk_id": "中文女", "instruct_text": "开心地说"}),
        ("instruct2", {"tts_text": CHINESE.text, "instruct_text": "开心地说", "prompt_wav": wav}),
    ]


async def test_the_first_sound_is_heard_before_the_last_is_made() -> None:
    server = CosyVoiceServer()
    server.more.clear()
    async with opened(server) as voice, asyncio.timeout(60), aclosing(voice.synthesize(CHINESE)) as parts:
        first = await anext(parts)
        assert isinstance(first, Audio) and len(first.pcm) == 4800
        server.more.set()
        rest = [part async for part in parts]
    assert rest


async def test_the_server_learns_that_nobody_listens() -> None:
    server = CosyVoiceServer()
    server.more.clear()
    async with opened(server) as voice:
        async with aclosing(voice.synthesize(CHINESE)) as parts:
            await anext(parts)
        await asyncio.wait_for(server.gone.wait(), 60)


async def test_faults_are_errors_that_say_what_to_look_at() -> None:
    async with opened(CosyVoiceServer()) as voice:
        with pytest.raises(VoiceError, match="speaker"):
            await sound(voice, Utterance("你好", "zh", voice="nobody"))
    async with opened(CosyVoiceServer("page")) as voice:
        with pytest.raises(VoiceError, match="text/plain"):
            await sound(voice, CHINESE)
    async with opened(CosyVoiceServer("breaks off")) as voice:
        with pytest.raises(VoiceError, match="closed"):
            await sound(voice, CHINESE)
    server = CosyVoiceServer()
    server.more.clear()
    async with opened(server, timeout=0.3) as voice:
        with pytest.raises(VoiceError, match="silent"):
            await sound(voice, CHINESE)
    nowhere = CosyVoice(CosyVoiceOptions(base_url="http://127.0.0.1:9"), current())
    with pytest.raises(VoiceError, match="reached"):
        await sound(nowhere, CHINESE)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"mode": "zero_shot"}, "prompt_wav"),
        ({"mode": "zero_shot", "prompt_wav": "a.wav"}, "prompt_text"),
        ({"mode": "instruct"}, "instruction"),
        ({"mode": "sing"}, "mode"),
    ],
)
def test_what_a_mode_needs_is_asked_for(options: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        options_of("voices", EngineSpec(engine="cosyvoice", options={"base_url": "http://h", **options}))


def test_a_recording_that_is_not_there_is_a_wrong_setting() -> None:
    values = {"base_url": "http://h", "mode": "cross_lingual", "prompt_wav": "/nowhere/a.wav"}
    with pytest.raises(ConfigError, match="prompt_wav"):
        CosyVoice(CosyVoiceOptions.model_validate(values), current())
