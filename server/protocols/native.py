"""zhubo.v1, the native protocol: JSON text frames, and audio as binary frames with a 16-byte header.

docs/protocol.md describes it; docs/protocol.schema.json is its schema.
"""

import struct
from dataclasses import dataclass
from typing import Any

import orjson

from agent.commands import Command, Heard, Interrupt, Say
from agent.events import (
    Caption,
    Citation,
    Citations,
    Event,
    Fault,
    Motion,
    SentenceEnded,
    SentenceStarted,
    Speech,
    TextDelta,
    Timings,
    TurnEnded,
    TurnStarted,
)
from configs.language import Lang
from server.protocols.base import Answer, Frame, Pong, Rejected, Welcome

NAME = "zhubo.v1"
AUDIO_HEADER = struct.Struct("<BBHIIf")
"""Kind (1: audio), flags (0), sentence, turn, sequence number, seconds from the sentence's first sample."""
_AUDIO = 1

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a client is told on arrival and what its words are held to."""

    session: str
    base: str
    persona: Json
    rate: int
    question_characters: int
    message_bytes: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    lang: Lang | None
    audio: bool
    motion: bool
    captions: bool


class NativeCodec:
    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._client: Capabilities | None = None
        self._sequence = 0

    @property
    def greeted(self) -> bool:
        return self._client is not None

    def decode(self, frame: Frame) -> list[Command | Answer]:
        if isinstance(frame, bytes):
            return [Rejected("unexpected_binary", "zhubo.v1 clients send JSON text frames only")]
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return [Rejected("not_json", "the frame is not JSON; send one JSON object a text frame")]
        match message:
            case {"type": "hello"}:
                return [self._hello(message)]
            case {"type": "ping"}:
                return [Pong()]
            case {"type": str()} if self._client is None:
                return [Rejected("hello_required", 'begin with {"type":"hello","protocol":"zhubo.v1"}')]
            case {"type": "say"}:
                return [self._say(message)]
            case {"type": "interrupt"}:
                return [_interrupt(message)]
            case {"type": "heard"}:
                return [_heard(message)]
            case {"type": str(kind)}:
                return [Rejected("unknown_type", f"no message type {kind[:40]!r} in {NAME}")]
        return [Rejected("bad_message", "a message is a JSON object with a string 'type'")]

    def encode(self, event: Event | Answer) -> list[Frame]:
        match event:
            case Speech():
                return [self._audio(event)] if self._client and self._client.audio else []
            case Motion() if self._client and not self._client.motion:
                return []
            case Caption() if self._client and not self._client.captions:
                return []
            case Welcome():
                return [self._json(self._welcome())]
            case Pong():
                return [self._json({"type": "pong"})]
            case Rejected(code, message):
                return [self._json({"type": "error", "code": code, "message": message})]
        return [self._json(_body(event))]

    def _hello(self, message: Json) -> Answer:
        match message:
            case {"protocol": protocol} if protocol != NAME:
                return Rejected("unknown_protocol", f"this server speaks {NAME}")
            case {"lang": lang} if lang not in ("auto", "zh", "en"):
                return Rejected("bad_message", "lang is one of auto, zh, en")
            case {"audio": audio} if audio not in ("pcm", "none"):
                return Rejected("bad_message", "audio is one of pcm, none")
            case _ if not all(isinstance(message.get(wish, True), bool) for wish in ("motion", "captions")):
                return Rejected("bad_message", "motion and captions are true or false")
        lang = message.get("lang", "auto")
        self._client = Capabilities(
            None if lang == "auto" else lang,
            message.get("audio", "pcm") == "pcm",
            message.get("motion", True),
            message.get("captions", True),
        )
        return Welcome()

    def _say(self, message: Json) -> Command | Answer:
        limit = self._terms.question_characters
        match message:
            case {"text": str(text)} if not text.strip():
                return Rejected("question_empty", "the question is empty / 问题是空的")
            case {"text": str(text)} if len(text) > limit:
                return Rejected("question_too_long", f"at most {limit} characters / 最多 {limit} 个字符")
            case {"lang": lang} if lang not in ("zh", "en"):
                return Rejected("bad_message", "lang is one of zh, en")
            case {"text": str(text)}:
                spoken = self._client.lang if self._client else None
                return Say(text.strip(), message.get("lang", spoken))
        return Rejected("bad_message", "say takes text, a string")

    def _welcome(self) -> Json:
        terms, client = self._terms, self._client
        audio = {"format": "pcm_s16le", "rate": terms.rate, "channels": 1} if client and client.audio else None
        return {
            "type": "welcome",
            "protocol": NAME,
            "session": terms.session,
            "base": terms.base,
            "persona": terms.persona,
            "audio": audio,
            "limits": {"question_characters": terms.question_characters, "message_bytes": terms.message_bytes},
            "label": {"zh": "AI 数字人", "en": "AI-generated digital human"},
        }

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _json(self, body: Json) -> str:
        body["seq"] = self._next()
        return orjson.dumps(body).decode()

    def _audio(self, speech: Speech) -> bytes:
        header = AUDIO_HEADER.pack(_AUDIO, 0, speech.sentence, speech.turn, self._next(), speech.at)
        return header + speech.audio.pcm


def _interrupt(message: Json) -> Command | Answer:
    match message:
        case {"turn": turn} if not _is_turn(turn):
            return Rejected("bad_message", "interrupt's turn is a whole number from 1")
        case {"heard": heard} if not _is_seconds(heard):
            return Rejected("bad_message", "interrupt's heard is a number of seconds, not negative")
    return Interrupt(message.get("turn"), message.get("heard"))


def _heard(message: Json) -> Command | Answer:
    match message:
        case {"turn": turn, "seconds": seconds} if _is_turn(turn) and _is_seconds(seconds):
            return Heard(turn, float(seconds))
    return Rejected("bad_message", "heard takes turn, a whole number from 1, and seconds, not negative")


def _is_turn(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _body(event: Event) -> Json:
    match event:
        case TurnStarted(turn, lang):
            return {"type": "turn_started", "turn": turn, "lang": lang}
        case TextDelta(turn, text):
            return {"type": "text", "turn": turn, "text": text}
        case SentenceStarted(turn, sentence, text, at):
            return {"type": "sentence", "turn": turn, "sentence": sentence, "text": text, "at": round(at, 4)}
        case Motion():
            return _motion(event)
        case Caption(turn, sentence, words):
            timed = [[word.text, round(word.start, 3), round(word.end, 3)] for word in words]
            return {"type": "caption", "turn": turn, "sentence": sentence, "words": timed}
        case SentenceEnded(turn, sentence, seconds):
            return {"type": "sentence_ended", "turn": turn, "sentence": sentence, "seconds": round(seconds, 6)}
        case Citations(turn, citations):
            return {"type": "citations", "turn": turn, "citations": [cited(citation) for citation in citations]}
        case Fault(turn, code, message):
            return {"type": "error", "turn": turn, "code": code, "message": message}
        case TurnEnded():
            return _ended(event)
        case Speech():
            raise TypeError("speech is a binary frame")


def _motion(event: Motion) -> Json:
    body: Json = {
        "type": "motion",
        "turn": event.turn,
        "sentence": event.sentence,
        "visemes": [[round(v.at, 3), v.shape, round(v.weight, 2)] for v in event.visemes],
    }
    if event.emotion is not None:
        cue = event.emotion
        body["emotion"] = {"at": round(cue.at, 3), "name": cue.emotion, "intensity": cue.intensity}
    if event.gesture is not None:
        body["gesture"] = {"at": round(event.gesture.at, 3), "name": event.gesture.gesture}
    return body


def _ended(event: TurnEnded) -> Json:
    return {
        "type": "turn_ended",
        "turn": event.turn,
        "reason": event.reason,
        "refused": event.refused,
        "fallback": event.fallback,
        "timings": milliseconds(event.timings),
    }


def milliseconds(timings: Timings) -> dict[str, float | None]:
    stages = {
        "retrieval": timings.retrieval,
        "first_text": timings.first_text,
        "first_audio": timings.first_audio,
        "total": timings.total,
    }
    return {stage: None if value is None else round(value, 1) for stage, value in stages.items()}


def cited(citation: Citation) -> Json:
    place = citation.place
    return {
        "document": citation.document,
        "revision": citation.revision,
        "title": citation.title,
        "source": citation.source,
        "quote": citation.quote,
        "section": list(place.section),
        "page": place.page,
        "at": place.at,
        "start": place.start,
        "end": place.end,
        "sentences": list(citation.sentences),
    }
