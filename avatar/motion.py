"""Motion cues on the sentence's own clock: seconds from its first sample."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Shape = Literal["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"]
Emotion = Literal["neutral", "happy", "sad", "angry", "surprised", "thinking", "shy"]
Gesture = Literal["rest", "wave", "present", "thumbs_up", "point_up", "welcome", "think"]

SHAPES: tuple[Shape, ...] = get_args(Shape)
EMOTIONS: tuple[Emotion, ...] = get_args(Emotion)
GESTURES: tuple[Gesture, ...] = get_args(Gesture)

LASTS: Mapping[Gesture, float] = {
    "wave": 2.6,
    "present": 3.2,
    "thumbs_up": 2.6,
    "point_up": 2.8,
    "welcome": 3.0,
    "think": 4.0,
}
"""Seconds that a gesture is held before the hands return to rest, as in the rig."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a persona may show; `neutral` and `rest` it always may."""

    emotions: tuple[Emotion, ...] = EMOTIONS
    gestures: tuple[Gesture, ...] = GESTURES


EVERYTHING = Vocabulary()


@dataclass(frozen=True, slots=True)
class Viseme:
    """One mouth shape (Oculus set of 15) from `at` until the next viseme; `weight` 0 to 1."""

    at: float
    shape: Shape
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class EmotionCue:
    at: float
    emotion: Emotion
    intensity: float = 1.0


@dataclass(frozen=True, slots=True)
class GestureCue:
    at: float
    gesture: Gesture
