"""Sentences as Kokoro says them, 16 kHz mono s16. What it said once is kept beside its weights."""

import asyncio
import hashlib

import numpy as np

from avatar.engines.kokoro import Kokoro, KokoroOptions
from avatar.hearing import RATE, Detector
from avatar.resampling import resampled
from avatar.speech import Audio, Utterance
from configs.home import current
from configs.language import Lang

VOICES: dict[Lang, str] = {"zh": "zf_xiaoxiao", "en": "af_heart"}
_SOFT = 400


async def voiced(text: str, lang: Lang, voice: str = "") -> bytes:
    """Without the silence around it."""
    voice = voice or VOICES[lang]
    key = hashlib.sha256(f"{lang} {voice} {text}".encode()).hexdigest()[:24]
    path = current().cache / "tests" / "voiced" / f"{key}.pcm"
    if not path.exists():
        pcm = await _said(Utterance(text, lang, voice=voice))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(pcm)
        part.replace(path)
    return path.read_bytes()


def spoken(text: str, lang: Lang, voice: str = "") -> bytes:
    """For where no loop runs."""
    return asyncio.run(voiced(text, lang, voice))


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE))


def hiss(seconds: float, level: float = -62.0) -> bytes:
    """A quiet room; `level` in dB re full scale."""
    made = np.random.default_rng(1).normal(0, 32768 * 10 ** (level / 20), round(seconds * RATE))
    return bytes(np.clip(made, -32768, 32767).astype("<i2").tobytes())


def music(seconds: float) -> bytes:
    """Chords of decaying tones, four a second."""
    random, step = np.random.default_rng(2), RATE // 4
    times = np.arange(step) / RATE
    roots = random.choice([220.0, 246.9, 261.6, 293.7, 329.6, 392.0], round(seconds * 4))
    chords = [
        sum(np.sin(2 * np.pi * root * part * times) / part for part in (1, 1.25, 1.5, 2, 3)) * np.exp(-3 * times)
        for root in roots
    ]
    line = np.concatenate(chords)
    return bytes((line / np.abs(line).max() * 9000).astype("<i2").tobytes())


async def told(detector: Detector, pcm: bytes, size: int = 640) -> list[float]:
    """The probability of speech in each frame, fed `size` bytes at a time."""
    detection = detector.listen()
    found = []
    for start in range(0, len(pcm), size):
        found += await detection.feed(pcm[start : start + size])
    return found


def share(found: list[float]) -> float:
    """Of the frames that are speech."""
    return sum(one >= 0.5 for one in found) / max(1, len(found))


def scaled(pcm: bytes, gain: float, offset: int = 0) -> bytes:
    samples = np.frombuffer(pcm, "<i2") * gain + offset
    return bytes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())


async def _said(utterance: Utterance) -> bytes:
    kokoro = Kokoro(KokoroOptions(threads=1), current())
    try:
        parts = [part.pcm async for part in kokoro.synthesize(utterance) if isinstance(part, Audio)]
    finally:
        await kokoro.aclose()
    pcm = resampled(b"".join(parts), kokoro.rate, RATE)
    samples = np.frombuffer(pcm, "<i2")
    loud = np.flatnonzero(np.abs(samples.astype(int)) > _SOFT)
    return bytes(samples[max(0, loud[0] - 320) : loud[-1] + 320].tobytes())
