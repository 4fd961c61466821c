"""Recordings for a browser's fake microphone: what detectors, and a browser's noise suppression, take for speech."""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

RATE = 48_000
_SYLLABLE = 0.18
_FORMANTS = ((700, 1200, 2600), (400, 2000, 2700), (500, 900, 2500), (300, 2300, 3000))


def recorded(path: Path, parts: Sequence[tuple[str, float]]) -> Path:
    """A WAV file of `speech` and `quiet`, in seconds each. A browser plays it from its start whenever it opens the
    microphone, again and again."""
    dice = np.random.default_rng(7)
    sound = np.concatenate([_part(kind, seconds, dice) for kind, seconds in parts])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def _part(kind: str, seconds: float, dice: np.random.Generator) -> np.ndarray:
    count = round(seconds * RATE)
    room = dice.normal(0, 0.0005, count)
    if kind == "quiet":
        return room
    syllables = [_syllable(number, dice) for number in range(int(np.ceil(seconds / _SYLLABLE)))]
    return np.concatenate(syllables)[:count] + room


def _syllable(number: int, dice: np.random.Generator) -> np.ndarray:
    """A voiced sound with formants and a falling pitch, loud at once."""
    at = np.arange(round(_SYLLABLE * RATE)) / RATE
    pitch = 150 * (1 + 0.2 * dice.random()) * (1 - 0.6 * at)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    formants = _FORMANTS[number % len(_FORMANTS)]
    sound = np.zeros_like(at)
    for harmonic in range(1, 28):
        hertz = harmonic * 150
        strength = sum(np.exp(-(((hertz - formant) / 180) ** 2)) for formant in formants) + 0.3 / harmonic
        sound += strength * np.sin(harmonic * phase)
    envelope = np.minimum(1, at / 0.008) * np.minimum(1, (_SYLLABLE - at) / 0.03) ** 0.5
    voiced: np.ndarray = 0.6 * envelope * sound / np.abs(sound).max()
    return voiced
