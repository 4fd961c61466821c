"""The model's text as plain words and tags, in order: what a tag asks for, and nothing of markup to say. No I/O."""

import re
from dataclasses import dataclass

from avatar.markdown import Prose
from avatar.motion import EMOTIONS, EVERYTHING, GESTURES, Emotion, Gesture, Vocabulary

_NEAR = 160
"""Characters within which a bracket must close to be a tag: the most that is held back."""

_KINDS = "(?:emotion|gesture|expression|表情|情绪|动作|手势)"
_INSIDE = r"[^\[\]【】［］\n]{0,40}"
_TAG = re.compile(
    r"\s*(emotion|gesture)\s*[:：]\s*([a-z](?:[a-z_ -]{0,22}[a-z])?)(?:[\s,，:：]+(\d?\.?\d{1,4}))?\s*", re.IGNORECASE
)
_UNKNOWN = re.compile(rf"\s*{_KINDS}\s*[:：].*", re.IGNORECASE)
_NESTED = re.compile(rf"[\[【［]\s?{_KINDS}{_INSIDE}[\[【［]{_INSIDE}[\]】］]{_INSIDE}[\]】］]", re.IGNORECASE)
_HALF = re.compile(
    rf"[\[【［]\s{{0,3}}{_KINDS}\s{{0,3}}[:：]\s{{0,3}}[a-z_]{{0,24}}(?:[ ,，]{{0,2}}\d?\.?\d{{1,4}})?", re.IGNORECASE
)
_WHOLE = re.compile(rf"[\[【［]\s{{0,3}}{_KINDS}\s{{0,3}}[:：]{_INSIDE}[\]】］]", re.IGNORECASE)

_PLAIN = re.compile(r"[^\[【［<]+|[\[【［]+(?=[\[【［])")
_EDGE = re.compile(r"[\[\]【】［］\n]")
_THOUGHT = re.compile(r"<think(?:ing)?\b|</think(?:ing)?\s?>", re.IGNORECASE)
_THOUGHT_END = re.compile(r"</think(?:ing)?\s?>", re.IGNORECASE)
_THOUGHT_TAG = re.compile(r"</?think(?:ing)?\s?>", re.IGNORECASE)
_LONGEST_END = 12
_CONTROL = re.compile(r"<\|[^<>\n]{0,40}>")


@dataclass(frozen=True, slots=True)
class EmotionTag:
    emotion: Emotion
    intensity: float = 1.0


@dataclass(frozen=True, slots=True)
class GestureTag:
    gesture: Gesture


Tag = EmotionTag | GestureTag
Piece = str | Tag


class Markup:
    """`feed` the model's text as it comes; take plain text and tags out, in order, however it was cut.

    Grammar: `[emotion:NAME]`, `[emotion:NAME 0.6]` (0 to 1) and `[gesture:NAME]`; full-width marks will do. A name
    outside `vocabulary` or alone in brackets, half a tag, a tag inside a tag, thoughts and a chat template's control
    tokens are dropped.
    The text is what `Prose` leaves of it.
    """

    def __init__(self, vocabulary: Vocabulary = EVERYTHING) -> None:
        self._vocabulary = vocabulary
        self._prose = Prose()
        self._held = ""
        self._thinking = False

    def feed(self, text: str) -> list[Piece]:
        return self._read(text, last=False)

    def flush(self) -> list[Piece]:
        pieces = self._read("", last=True)
        return [*pieces, text] if (text := self._prose.flush()) else pieces

    def _read(self, text: str, last: bool) -> list[Piece]:
        buffer, at = self._held + text, 0
        pieces: list[Piece] = []
        while at < len(buffer):
            after, piece = self._step(buffer, at, last)
            if after == at:
                break
            at = after
            if isinstance(piece, str):
                piece = self._prose.feed(piece)
            if piece:
                pieces.append(piece)
        self._held = "" if last else buffer[at:]
        return pieces

    def _step(self, buffer: str, at: int, last: bool) -> tuple[int, Piece | None]:
        """Where to read on, `at` itself where more must come first; and what was read."""
        if self._thinking:
            end = _THOUGHT_END.search(buffer, at)
            self._thinking = end is None
            return (end.end() if end else max(at, len(buffer) - _LONGEST_END)), None
        if plain := _PLAIN.match(buffer, at):
            return plain.end(), plain[0]
        return self._angle(buffer, at, last) if buffer[at] == "<" else self._bracket(buffer, at, last)

    def _angle(self, buffer: str, at: int, last: bool) -> tuple[int, Piece | None]:
        ahead = buffer[at : at + _LONGEST_END].lower()
        whole = len(ahead) == _LONGEST_END or last or ">" in ahead
        if not whole and any(ahead.startswith(begun[: len(ahead)]) for begun in ("<think", "</think")):
            return at, None
        if thought := _THOUGHT.match(buffer, at):
            self._thinking = not thought[0].startswith("</")
            return thought.end(), None
        if control := _CONTROL.match(buffer, at):
            return control.end(), None
        if ahead in ("<", "<|") or (ahead.startswith("<|") and len(buffer) - at < 42 and ">" not in buffer[at:]):
            return (at + 1, "<") if last else (at, None)
        return at + 1, "<"

    def _bracket(self, buffer: str, at: int, last: bool) -> tuple[int, Piece | None]:
        edge = _EDGE.search(buffer, at + 1, at + _NEAR)
        near = len(buffer) - at < _NEAR and not last
        if edge is not None and edge[0] in "]】］":
            return self._tag(buffer, at, edge)
        if edge is None and near:
            return at, None
        if half := _HALF.match(buffer, at):
            nested = _NESTED.match(buffer, at)
            if nested is None and near and edge is not None and edge[0] != "\n":
                return at, None
            return (nested or half).end(), None
        end = edge.start() if edge else len(buffer)
        inside = buffer[at + 1 : end].strip().lower() if edge is None or edge[0] == "\n" else "["
        if any(kind.startswith(inside) for kind in ("emotion", "gesture")):
            return end, None
        return at + 1, buffer[at]

    def _tag(self, buffer: str, at: int, edge: re.Match[str]) -> tuple[int, Piece | None]:
        if tag := _TAG.fullmatch(buffer, at + 1, edge.start()):
            return edge.end(), self._known(tag[1].lower(), tag[2].lower(), tag[3])
        bare = buffer[at + 1 : edge.start()].strip().lower()
        if bare in EMOTIONS or bare in GESTURES or _UNKNOWN.fullmatch(buffer, at + 1, edge.start()):
            return edge.end(), None
        return at + 1, buffer[at]

    def _known(self, kind: str, name: str, intensity: str | None) -> Tag | None:
        name = name.replace(" ", "_").replace("-", "_")
        if kind == "gesture":
            return next((GestureTag(known) for known in self._vocabulary.gestures if known == name), None)
        weight = min(1.0, float(intensity or 1))
        return next((EmotionTag(known, weight) for known in self._vocabulary.emotions if known == name), None)


def stripped(text: str) -> str:
    """Words that are not the model's own, a user's or a document's, without what reads as a tag or a thought's end."""
    bare = _bare(text)
    if bare == text or _bare(bare) == bare:
        return bare
    return bare.translate({ord(bracket): "" for bracket in "[]【】［］<>"})


def _bare(text: str) -> str:
    return _HALF.sub("", _WHOLE.sub("", _THOUGHT_TAG.sub("", text)))
