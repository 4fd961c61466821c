"""The emotions that the devices have faces for, and which of them ours are. No I/O."""

from collections.abc import Mapping

from avatar.motion import Emotion

FACES: Mapping[str, str] = {
    **{"neutral": "😶", "happy": "🙂", "laughing": "😆", "funny": "😂", "sad": "😔", "angry": "😠", "crying": "😭"},
    **{"loving": "😍", "embarrassed": "😳", "surprised": "😯", "shocked": "😱", "thinking": "🤔", "winking": "😉"},
    **{"cool": "😎", "relaxed": "😌", "delicious": "🤤", "kissy": "😘", "confident": "😏", "sleepy": "😴"},
    **{"silly": "😜", "confused": "🙄"},
}
_OURS: Mapping[Emotion, tuple[str, str]] = {
    "neutral": ("neutral", "neutral"),
    "happy": ("relaxed", "happy"),
    "sad": ("sad", "sad"),
    "angry": ("angry", "angry"),
    "surprised": ("surprised", "surprised"),
    "thinking": ("thinking", "thinking"),
    "shy": ("embarrassed", "embarrassed"),
}
"""Faintly and plainly."""
_PLAINLY = 0.4


def face(emotion: Emotion, intensity: float = 1.0) -> str:
    return _OURS[emotion][intensity >= _PLAINLY]
