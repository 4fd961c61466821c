"""Loudness is what BS.1770 and ffmpeg say it is, and a voice comes out at the one that was asked for."""

import asyncio
import re
import subprocess
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.loudness import Levelled, Limiter, Meter
from avatar.speech import Audio, SpeechPart, Utterance, Voice, WordSpan
from configs.home import current
from tests.avatar.lip_texts import HELD_OUT
from tests.doubles import tone

Floats = NDArray[np.float64]


def sine(decibels: float, seconds: float, rate: int = 48000, pitch: float = 1000) -> Floats:
    time = np.arange(round(rate * seconds)) / rate
    return 10 ** (decibels / 20) * np.sin(2 * np.pi * pitch * time)


def measured(samples: Floats, rate: int) -> float:
    meter = Meter(rate)
    meter.feed(samples)
    return meter.integrated()


def ebur128(pcm: bytes, rate: int) -> float:
    command = f"ffmpeg -nostats -hide_banner -f s16le -ar {rate} -ac 1 -i - -af ebur128=framelog=verbose -f null -"
    told = subprocess.run(command.split(), input=pcm, capture_output=True, check=True).stderr.decode()
    return float(re.findall(r"I:\s+(-?[\d.]+) LUFS", told)[-1])


@pytest.mark.parametrize("rate", [16000, 22050, 24000, 48000])
def test_a_sine_of_1_khz_is_as_loud_as_the_standard_says(rate: int) -> None:
    """EBU Tech 3341, case 1 is two channels at -23 dBFS, -23 LUFS; one channel alone is 3 LU less."""
    assert measured(sine(-23, 10, rate), rate) == pytest.approx(-23 - 3.01, abs=0.1)
    assert measured(sine(-33, 10, rate), rate) == pytest.approx(-33 - 3.01, abs=0.1)


def test_soft_parts_and_silence_do_not_count() -> None:
    """EBU Tech 3341, case 3: -36, -23 and -36 dBFS; and silence, which a mean without gates would halve."""
    loud = sine(-23, 20)
    assert measured(np.concatenate([sine(-36, 4), loud, sine(-36, 4)]), 48000) == pytest.approx(-26.0, abs=0.15)
    assert measured(np.concatenate([loud, np.zeros(48000 * 10)]), 48000) == pytest.approx(-26.0, abs=0.1)
    assert measured(np.zeros(48000), 48000) == -np.inf


@pytest.mark.parametrize("pitch", [60, 200, 1000, 4000])
def test_pitches_weigh_as_in_ffmpeg(pitch: int) -> None:
    samples = sine(-20, 5, 24000, pitch)
    pcm = (samples * 32767).astype("<i2").tobytes()
    assert measured(samples, 24000) == pytest.approx(ebur128(pcm, 24000), abs=0.2)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 48000), max_size=8))
def test_loudness_does_not_depend_on_how_the_sound_was_cut(cuts: list[int]) -> None:
    samples = np.concatenate([sine(-30, 0.6, 24000), sine(-18, 0.8, 24000, 300), sine(-40, 0.6, 24000)])
    meter = Meter(24000)
    edges = [0, *sorted(cuts), len(samples)]
    for start, end in zip(edges, edges[1:], strict=False):
        meter.feed(samples[start:end])
    assert meter.integrated() == pytest.approx(measured(samples, 24000), abs=0.01)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 24000), max_size=8), st.integers(0, 99))
def test_the_limiter_holds_every_peak_and_loses_no_sample(cuts: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    samples = random.normal(0, 0.2, 24000)
    samples[random.integers(0, 24000, 20)] *= 30
    limiter, edges = Limiter(24000), [0, *sorted(cuts), 24000]
    pieces = [limiter.feed(samples[a:b]) for a, b in zip(edges, edges[1:], strict=False)]
    limited = np.concatenate([*pieces, limiter.flush()])
    whole = Limiter(24000)
    assert len(limited) == 24000 and np.abs(limited).max() <= 10 ** (-1 / 20) + 1e-9
    assert np.allclose(limited, np.concatenate([whole.feed(samples), whole.flush()]))


def test_the_limiter_leaves_alone_what_is_below_its_ceiling() -> None:
    limiter, samples = Limiter(24000), sine(-2, 1, 24000)
    assert np.array_equal(np.concatenate([limiter.feed(samples), limiter.flush()]), samples)


def test_the_limiter_makes_no_steps() -> None:
    limiter, samples = Limiter(24000), np.concatenate([sine(-10, 1, 24000, 200), sine(5, 1, 24000, 200)])
    limited = np.concatenate([limiter.feed(samples), limiter.flush()])
    assert np.abs(np.diff(limited)).max() < 1.5 * np.abs(np.diff(samples)).max() / 10 ** (5 / 20)


class Speaker:
    """Two seconds of a sine, in pieces of 100 ms, so many dB below full scale as its text says."""

    rate = 24000

    def __init__(self) -> None:
        self.volumes: list[float] = []

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        self.volumes.append(utterance.volume)
        pcm = (sine(float(utterance.text), 2, self.rate) * 32767).astype("<i2").tobytes()
        yield WordSpan(utterance.text, 0.0, 2.0)
        for start in range(0, len(pcm), 4800):
            yield Audio(pcm[start : start + 4800], self.rate)

    async def warm(self) -> None:
        pass

    async def aclose(self) -> None:
        pass


async def sound(voice: Voice, utterance: Utterance) -> bytes:
    return b"".join([part.pcm async for part in voice.synthesize(utterance) if isinstance(part, Audio)])


def level(pcm: bytes) -> float:
    return measured(np.frombuffer(pcm, "<i2") / 32768, 24000)


@pytest.mark.parametrize("decibels", ["-30", "-8", "-18"])
async def test_every_voice_comes_to_the_same_loudness_from_its_first_words_on(decibels: str) -> None:
    voice = Levelled(Speaker(), -16.0)
    told = [level(await sound(voice, Utterance(decibels, "zh"))) for _ in range(2)]
    assert told[-1] == pytest.approx(-16.0, abs=0.2)
    assert told[0] == pytest.approx(-16.0, abs=1.0 if decibels != "-30" else 8.0)


async def test_the_gain_stands_within_an_utterance_and_belongs_to_a_voice() -> None:
    voice = Levelled(Speaker(), -16.0)
    await sound(voice, Utterance("-30", "zh", voice="soft"))
    await sound(voice, Utterance("-12", "zh", voice="loud"))
    soft = np.frombuffer(await sound(voice, Utterance("-30", "zh", voice="soft")), "<i2")
    assert np.ptp(np.abs(soft.reshape(-1, 240)).max(1)[2:-2]) <= 2
    loud = await sound(voice, Utterance("-12", "zh", voice="loud"))
    assert level(soft.tobytes()) == pytest.approx(level(loud), abs=0.3)


@pytest.mark.parametrize("target", [-16.0, None])
async def test_volume_is_a_factor_on_top_and_the_engine_is_not_told_of_it(target: float | None) -> None:
    speaker = Speaker()
    voice = Levelled(speaker, target)
    await sound(voice, Utterance("-18", "en"))
    usual = level(await sound(voice, Utterance("-18", "en")))
    assert level(await sound(voice, Utterance("-18", "en", volume=0.5))) == pytest.approx(usual - 6.02, abs=0.1)
    assert await sound(voice, Utterance("-18", "en", volume=0.0)) == bytes(2 * 48000)
    loudest = await sound(voice, Utterance("-1", "en", voice="other", volume=2.0))
    assert np.abs(np.frombuffer(loudest, "<i2")).max() <= 32768 * 10 ** (-1 / 20) + 1
    assert set(speaker.volumes) == {1.0}


async def test_without_a_target_a_voice_is_left_as_it_is() -> None:
    utterance = Utterance("你好，世界。", "zh")
    assert [part async for part in Levelled(tone(), None).synthesize(utterance)] == [
        part async for part in tone().synthesize(utterance)
    ]


async def test_no_sample_is_lost_and_each_span_comes_before_its_sound() -> None:
    utterance = Utterance("你好，世界。", "zh")
    plain = [part async for part in tone().synthesize(utterance)]
    found = [part async for part in Levelled(tone()).synthesize(utterance)]
    assert [part for part in found if not isinstance(part, Audio)] == [
        part for part in plain if not isinstance(part, Audio)
    ]
    size: Callable[[list[SpeechPart]], int] = lambda parts: sum(len(p.pcm) for p in parts if isinstance(p, Audio))  # noqa: E731
    assert size(found) == size(plain)


async def test_a_sentence_that_is_broken_off_teaches_too() -> None:
    voice = Levelled(Speaker(), -16.0)
    async with aclosing(voice.synthesize(Utterance("-30", "en"))) as parts:
        heard = 0
        async for part in parts:
            heard += isinstance(part, Audio)
            if heard == 15:
                break
    assert level(await sound(voice, Utterance("-30", "en"))) == pytest.approx(-16.0, abs=0.3)


@pytest.mark.packaged
async def test_kokoro_is_at_the_target_as_ffmpeg_hears_it() -> None:
    kokoro = Kokoro(KokoroOptions(), current())
    voice = Levelled(kokoro)
    for lang, name in (("zh", None), ("en", None)):
        texts = HELD_OUT["zh" if lang == "zh" else "en"][1:3]
        utterances = [Utterance(text, "zh" if lang == "zh" else "en", voice=name) for text in texts]
        said = [await sound(voice, utterance) for utterance in utterances]
        assert ebur128(b"".join(said[1:]), voice.rate) == pytest.approx(-16.0, abs=1.0), lang
    await voice.aclose()
    await asyncio.sleep(0)
