"""Take emotion and gesture tags out of the model's text, and marks that must not be spoken. No I/O."""

import re
from dataclasses import dataclass
from typing import TypeGuard

from avatar.motion import EMOTIONS, GESTURES, Emotion, Gesture

_TAG = re.compile(r"\[\s*(emotion|gesture)\s*[:：]\s*([a-z_]{1,24})\s*\]", re.IGNORECASE)
_REFERENCE = re.compile(r"\[\^?\d{1,3}\]")
_LONGEST_TAG = 48


@dataclass(frozen=True, slots=True)
class EmotionTag:
    emotion: Emotion


@dataclass(frozen=True, slots=True)
class GestureTag:
    gesture: Gesture


Piece = str | EmotionTag | GestureTag


class Markup:
    """`feed` the model's text as it comes; take plain text and tags out, in order.

    Grammar: `[emotion:NAME]` and `[gesture:NAME]`. A name outside the vocabulary is dropped, never spoken.
    Reference marks (`[1]`) and Markdown emphasis, code and heading marks are dropped too.
    """

    def __init__(self) -> None:
        self._held = ""
        self._line_start = True

    def feed(self, text: str) -> list[Piece]:
        text, self._held = self._held + text, ""
        bracket = text.rfind("[")
        if bracket >= 0 and "]" not in text[bracket:] and len(text) - bracket <= _LONGEST_TAG:
            text, self._held = text[:bracket], text[bracket:]
        return self._pieces(text)

    def flush(self) -> list[Piece]:
        text, self._held = self._held, ""
        return [] if text.startswith("[") and "]" not in text else self._pieces(text)

    def _pieces(self, text: str) -> list[Piece]:
        pieces: list[Piece] = []
        start = 0
        for match in _TAG.finditer(text):
            self._plain(text[start : match.start()], pieces)
            start = match.end()
            tag = _tag(match[1].lower(), match[2].lower())
            if tag is not None:
                pieces.append(tag)
        self._plain(text[start:], pieces)
        return pieces

    def _plain(self, text: str, pieces: list[Piece]) -> None:
        out = []
        for char in _REFERENCE.sub("", text):
            if char in "*`" or (char in "#> \t" and self._line_start):
                continue
            self._line_start = char == "\n"
            out.append(char)
        if out:
            pieces.append("".join(out))


def _tag(kind: str, name: str) -> EmotionTag | GestureTag | None:
    if kind == "emotion" and _is_emotion(name):
        return EmotionTag(name)
    if kind == "gesture" and _is_gesture(name):
        return GestureTag(name)
    return None


def _is_emotion(name: str) -> TypeGuard[Emotion]:
    return name in EMOTIONS


def _is_gesture(name: str) -> TypeGuard[Gesture]:
    return name in GESTURES
