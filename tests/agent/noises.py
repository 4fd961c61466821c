"""Sounds that are no speech, made from noise and tones. 16 kHz mono s16, the same every time."""

from collections.abc import Callable
from functools import cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

RATE = 16000
Floats = NDArray[np.float64]


def noise(name: str) -> bytes:
    made = _MADE[name](np.random.default_rng(crc32(name.encode())))
    return bytes((np.clip(made / np.abs(made).max() * 0.5, -1, 1) * 32767).astype("<i2").tobytes())


def room(seconds: float, seed: int = 0, level: float = -62.0) -> bytes:
    """The hiss of a quiet room, dB re full scale."""
    made = np.random.default_rng(seed).normal(0, 10 ** (level / 20), int(seconds * RATE))
    return bytes((made * 32767).astype("<i2").tobytes())


def louder(pcm: bytes, decibels: float) -> bytes:
    samples = np.frombuffer(pcm, "<i2") * 10 ** (decibels / 20)
    return bytes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())


def mixed(one: bytes, other: bytes) -> bytes:
    a, b = (np.frombuffer(pcm, "<i2").astype(int) for pcm in (one, other))
    return bytes(np.clip(a + b[: len(a)], -32768, 32767).astype("<i2").tobytes())


@cache
def babble(seed: int, seconds: float = 6.0) -> bytes:
    """Like speech to an envelope: syllables of changing colour and strength, and pauses. 16 kHz."""
    random, made = np.random.default_rng(seed), []
    while sum(map(len, made)) < seconds * RATE:
        count = int(random.uniform(0.08, 0.28) * RATE)
        spectrum = np.fft.rfft(random.normal(size=count))
        frequencies = np.fft.rfftfreq(count, 1 / RATE)
        peaks = [(random.uniform(250, 900), 150), (random.uniform(900, 2600), 250), (random.uniform(2600, 5500), 600)]
        shape = sum(random.uniform(0.1, 1) * np.exp(-(((frequencies - peak) / width) ** 2)) for peak, width in peaks)
        made.append(np.fft.irfft(spectrum * shape, count) * np.hanning(count) * random.uniform(0.3, 1))
        if random.uniform() < 0.2:
            made.append(np.zeros(int(random.uniform(0.05, 0.25) * RATE)))
    sound = np.concatenate(made)
    return bytes((sound / np.abs(sound).max() * 16000).astype("<i2").tobytes())


def _burst(random: np.random.Generator, seconds: float, low: float, high: float, decay: float) -> Floats:
    """Noise between two frequencies that dies away."""
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(random.normal(size=count))
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[(frequencies < low) | (frequencies > high)] = 0
    time = np.arange(count) / RATE
    return np.asarray(np.fft.irfft(spectrum, count) * np.exp(-time / decay) * np.minimum(1, time / 0.005))


def _gap(seconds: float) -> Floats:
    return np.zeros(int(seconds * RATE))


def _cough(random: np.random.Generator) -> Floats:
    one = np.concatenate([_burst(random, 0.07, 300, 6000, 0.05), 0.4 * _burst(random, 0.22, 250, 2500, 0.09)])
    return np.concatenate([one, _gap(0.12), 0.8 * one])


def _sneeze(random: np.random.Generator) -> Floats:
    return np.concatenate([0.15 * _burst(random, 0.3, 800, 5000, 1.0), _burst(random, 0.35, 1500, 7500, 0.12)])


def _door(random: np.random.Generator) -> Floats:
    return np.concatenate([_burst(random, 0.5, 30, 400, 0.08), _gap(0.1), 0.3 * _burst(random, 0.2, 50, 900, 0.05)])


def _typing(random: np.random.Generator) -> Floats:
    keys = [_burst(random, 0.05, 1500, 7000, 0.008) for _ in range(12)]
    return np.concatenate([part for key in keys for part in (key, _gap(float(random.uniform(0.05, 0.15))))])


def _glass(random: np.random.Generator) -> Floats:
    time = np.arange(int(0.8 * RATE)) / RATE
    tones = [np.sin(2 * np.pi * f * time) * np.exp(-time / d) for f, d in ((2310, 0.2), (3870, 0.12), (5120, 0.08))]
    return np.asarray(np.sum(tones, axis=0) + 0.5 * _burst(random, 0.8, 2000, 7500, 0.03))


def _music(random: np.random.Generator) -> Floats:
    notes = []
    for root in (262, 330, 392, 523, 392, 330):
        time = np.arange(int(0.3 * RATE)) / RATE
        notes.append(sum(np.sin(2 * np.pi * root * k * time) / k for k in (1, 2, 3, 4)) * np.exp(-time / 0.25))
    return np.concatenate(notes)


def _laugh(random: np.random.Generator) -> Floats:
    """Voiced puffs of breath, five a second, falling."""
    puffs = []
    for number in range(5):
        time = np.arange(int(0.11 * RATE)) / RATE
        pitch = 240 - 18 * number
        voice = sum(np.sin(2 * np.pi * pitch * k * time) / k for k in range(1, 10)) * np.hanning(len(time))
        puffs += [0.5 * voice + 0.6 * _burst(random, 0.11, 700, 4000, 0.05), _gap(0.09)]
    return np.concatenate(puffs)


def _clap(random: np.random.Generator) -> Floats:
    return np.concatenate([part for _ in range(3) for part in (_burst(random, 0.12, 900, 5500, 0.02), _gap(0.18))])


def _bark(random: np.random.Generator) -> Floats:
    """Two falling growls, voiced and rough."""
    time = np.arange(int(0.22 * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(520 - 900 * time) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 7)) * np.hanning(len(time))
    one = np.asarray(voice + 0.7 * _burst(random, 0.22, 400, 3000, 0.08))
    return np.concatenate([one, _gap(0.25), 0.9 * one])


def _rain(random: np.random.Generator) -> Floats:
    return _burst(random, 1.6, 1000, 7800, 20.0)


_MADE: dict[str, Callable[[np.random.Generator], Floats]] = {
    "cough": _cough,
    "cough2": lambda random: np.concatenate([_cough(random), _gap(0.3), 0.9 * _cough(random)]),
    "sneeze": _sneeze,
    "door": _door,
    "typing": _typing,
    "glass": _glass,
    "music": _music,
    "laugh": _laugh,
    "clap": _clap,
    "bark": _bark,
    "rain": _rain,
}
