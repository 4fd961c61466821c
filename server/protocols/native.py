"""zhubo.v1, the native protocol: JSON text frames, and audio as binary frames with a 16-byte header.

docs/protocol.md describes it; docs/protocol.schema.json is its schema.
"""

import re
import struct
from dataclasses import dataclass

import orjson

from agent.commands import Call, Command, Consent, Heard, Interrupt, Say
from agent.events import Caption, Event, Motion, Speech
from configs.language import Lang
from server.protocols.base import Answer, Frame, Hello, Pong, Rejected, Welcome
from server.protocols.events import Json, body

NAME = "zhubo.v1"
AUDIO_HEADER = struct.Struct("<BBHIIf")
"""Kind (1: audio), flags (0), sentence, turn, sequence number, seconds from the sentence's first sample."""
_AUDIO = 1
_WISHES = ("motion", "captions", "minor", "voice_only")
LABEL = {"zh": "数字人 · AI生成", "en": "AI-generated digital human"}
"""What is shown as long as the presenter is: GB 45438-2025 asks for the characters 数字人 and AI生成."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")
"""Sessions and users are known by secrets: too long to be guessed, and harmless in a log."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a client is told on arrival and what its words are held to."""

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

    def decode(self, frame: Frame) -> list[Command | Hello | Answer]:
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
            case {"type": "call"}:
                return [Call()]
            case {"type": "consent"}:
                return [_consent(message)]
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
                return [self._json(self._welcome(event))]
            case Pong():
                return [self._json({"type": "pong"})]
            case Rejected(code, message):
                return [self._json({"type": "error", "code": code, "message": message})]
        return [self._json(body(event))]

    def _hello(self, message: Json) -> Hello | Answer:
        match message:
            case {"protocol": protocol} if protocol != NAME:
                return Rejected("unknown_protocol", f"this server speaks {NAME}")
            case {"lang": lang} if lang not in ("auto", "zh", "en"):
                return Rejected("bad_message", "lang is one of auto, zh, en")
            case {"audio": audio} if audio not in ("pcm", "none"):
                return Rejected("bad_message", "audio is one of pcm, none")
            case _ if wrong := [wish for wish in _WISHES if not isinstance(message.get(wish, True), bool)]:
                return Rejected("bad_message", f"{wrong[0]} is true or false")
            case _ if wrong := [name for name in ("resume", "user") if not _secret(message.get(name))]:
                return Rejected("bad_message", f"{wrong[0]} is 16 to 128 letters, digits, - and _")
        lang = message.get("lang", "auto")
        self._client = Capabilities(
            None if lang == "auto" else lang,
            message.get("audio", "pcm") == "pcm",
            message.get("motion", True),
            message.get("captions", True),
        )
        return Hello(
            self._client.lang,
            message.get("resume"),
            message.get("user"),
            message.get("minor", False),
            message.get("voice_only", False),
        )

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

    def _welcome(self, welcome: Welcome) -> Json:
        terms, client = self._terms, self._client
        audio = {"format": "pcm_s16le", "rate": terms.rate, "channels": 1} if client and client.audio else None
        return {
            "type": "welcome",
            "protocol": NAME,
            "session": welcome.session,
            "base": terms.base,
            "persona": terms.persona,
            "audio": audio,
            "limits": {"question_characters": terms.question_characters, "message_bytes": terms.message_bytes},
            "label": LABEL,
            "aigc": dict(welcome.aigc),
            "memory": welcome.memory,
            "resumed": welcome.resumed,
            "history": [{"question": question, "answer": answer} for question, answer in welcome.history],
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


def _consent(message: Json) -> Command | Answer:
    match message:
        case {"given": bool(given)}:
            return Consent(given)
    return Rejected("bad_message", "consent takes given, true or false")


def _secret(value: object) -> bool:
    return value is None or (isinstance(value, str) and _SECRET.fullmatch(value) is not None)


def _is_turn(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
