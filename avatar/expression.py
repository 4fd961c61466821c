"""What the face and hands do when the model marks nothing: one emotion and gesture for a kind of reply."""

from dataclasses import dataclass
from typing import Literal

from avatar.motion import Emotion, Gesture

Tone = Literal["greeting", "answer", "refusal", "apology"]


@dataclass(frozen=True, slots=True)
class Expression:
    emotion: Emotion | None = None
    gesture: Gesture | None = None


_FIRST = {
    "greeting": Expression("happy", "wave"),
    "answer": Expression("happy", "present"),
    "refusal": Expression("thinking", "think"),
    "apology": Expression("sad", "rest"),
}


def express(tone: Tone, sentence: int) -> Expression:
    """The default for a reply's `sentence` (from 0): set at the start, back to rest from the third on."""
    if sentence == 0:
        return _FIRST[tone]
    return Expression("neutral", "rest") if sentence == 2 else Expression()
