"""zhubo.v1, the native protocol: JSON text frames, and sound as binary frames with a small header, both ways.

docs/protocol.md describes it; docs/protocol.schema.json is its schema.
"""

import re
import struct
from dataclasses import dataclass
from typing import Any

import orjson

from agent.commands import Call, Clear, Command, Commit, Configure, Consent, Heard, Interrupt, Reply, Say
from agent.events import Caption, Event, Motion, Speech
from avatar.speech import Manner
from configs.language import Lang
from server.protocols.base import Answer, Frame, Hello, Pong, Rejected, Welcome
from server.protocols.events import Json, body
from server.protocols.microphone import FRAME_BYTES, UserSound

NAME = "zhubo.v1"
AUDIO_HEADER = struct.Struct("<BBHIIf")
"""Kind (1: audio), flags (0), sentence, turn, sequence number, seconds from the sentence's first sample."""
_AUDIO = 1
_WISHES = ("motion", "captions", "minor", "voice_only")
LABEL = {"zh": "数字人 · AI生成", "en": "AI-generated digital human"}
"""What is shown as long as the presenter is: GB 45438-2025 asks for the characters 数字人 and AI生成."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{16,128}")
"""Sessions and users are known by secrets: too long to be guessed, and harmless in a log."""
INSTRUCTIONS = 4000
"""Characters that a client may tell the model beside the persona's own."""
MANNER = {"speed": (0.25, 4.0), "pitch": (-12.0, 12.0), "volume": (0.0, 2.0)}
_DEAF = "no speech recognition is set up here: please type / 这里没有接上语音识别，请打字"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a client is told on arrival and what its words are held to. `hearing`: the formats that the user's sound
    may have; none: nothing recognises speech here."""

    base: str
    persona: Json
    rate: int
    question_characters: int
    message_bytes: int
    hearing: tuple[str, ...] = ()


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
        self._sound = UserSound(terms.hearing)
        self._manner = Manner()
        self._sequence = 0

    @property
    def greeted(self) -> bool:
        return self._client is not None

    def decode(self, frame: Frame) -> list[Command | Hello | Answer]:
        if isinstance(frame, bytes):
            return self._binary(frame)
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return [Rejected("not_json", "send one JSON object a text frame / 每个文本帧须为一个 JSON 对象")]
        match message:
            case {"type": "hello"}:
                return [self._hello(message)]
            case {"type": "ping"}:
                return [Pong()]
            case {"type": str()} if self._client is None:
                return [_greet_first()]
            case {"type": str(kind)}:
                return [self._command(kind, message)]
        return [
            Rejected(
                "bad_message", "a message is a JSON object with a string 'type' / 消息须为带字符串 type 的 JSON 对象"
            )
        ]

    def _command(self, kind: str, message: Json) -> Command | Answer:
        match kind:
            case "say":
                return self._say(message)
            case "interrupt":
                return _interrupt(message)
            case "heard":
                return _heard(message)
            case "call":
                return Call()
            case "consent":
                return _consent(message)
            case "configure":
                return self._configure(message)
            case "listen" | "commit" | "clear" if not self._terms.hearing:
                return Rejected("no_recognizer", _DEAF)
            case "listen":
                return self._sound.listen(message)
            case "commit":
                return Commit()
            case "clear":
                return Clear()
            case "reply":
                return _reply(message)
        return Rejected("unknown_type", f"no message type {kind[:40]!r} in {NAME} / {NAME} 没有这种消息类型")

    def _binary(self, frame: bytes) -> list[Command | Hello | Answer]:
        if self._client is None:
            return [_greet_first()]
        if not self._terms.hearing:
            return [Rejected("no_recognizer", _DEAF)]
        return [*self._sound.frame(frame)]

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
                return Rejected("unknown_protocol", f"this server speaks {NAME} / 本服务使用 {NAME} 协议")
            case {"lang": lang} if lang not in ("auto", "zh", "en"):
                return _bad("lang is one of auto, zh, en", "lang 须为 auto、zh 或 en")
            case {"audio": audio} if audio not in ("pcm", "none"):
                return _bad("audio is one of pcm, none", "audio 须为 pcm 或 none")
            case _ if wrong := [wish for wish in _WISHES if not isinstance(message.get(wish, True), bool)]:
                return _bad(f"{wrong[0]} is true or false", f"{wrong[0]} 须为 true 或 false")
            case _ if wrong := [name for name in ("resume", "user") if not _secret(message.get(name))]:
                return _bad(
                    f"{wrong[0]} is 16 to 128 letters, digits, - and _",
                    f"{wrong[0]} 须为 16 到 128 个字母、数字、- 或 _",
                )
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
                return _bad("lang is one of zh, en", "lang 须为 zh 或 en")
            case {"text": str(text)}:
                spoken = self._client.lang if self._client else None
                return Say(text.strip(), message.get("lang", spoken))
        return _bad("say takes text, a string", "say 须带字符串 text")

    def _configure(self, message: Json) -> Command | Answer:
        match message:
            case {"instructions": told} if not (isinstance(told, str) and len(told) <= INSTRUCTIONS):
                return _bad(
                    f"instructions are at most {INSTRUCTIONS} characters", f"instructions 最多 {INSTRUCTIONS} 个字符"
                )
            case {"spoken": spoken} if not isinstance(spoken, bool):
                return _bad("spoken is true or false", "spoken 须为 true 或 false")
        wanted = {name: message[name] for name in MANNER if name in message}
        for name, value in wanted.items():
            least, most = MANNER[name]
            if not (_is_number(value) and least <= value <= most):
                return _bad(f"{name} is {least:g} to {most:g}", f"{name} 须为 {least:g} 到 {most:g}")
        self._manner = Manner(**{**{name: getattr(self._manner, name) for name in MANNER}, **wanted})
        return Configure(message.get("instructions"), self._manner if wanted else None, message.get("spoken"))

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
            "hearing": {"formats": terms.hearing, "frame_bytes": FRAME_BYTES} if terms.hearing else None,
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


def _greet_first() -> Rejected:
    return Rejected("hello_required", 'begin with {"type":"hello","protocol":"zhubo.v1"} / 请先发送 hello')


def _bad(message: str, chinese: str) -> Rejected:
    return Rejected("bad_message", f"{message} / {chinese}")


def _interrupt(message: Json) -> Command | Answer:
    match message:
        case {"turn": turn} if not _is_turn(turn):
            return _bad("interrupt's turn is a whole number from 1", "interrupt 的 turn 须为从 1 起的整数")
        case {"heard": heard} if not _is_seconds(heard):
            return _bad("interrupt's heard is a number of seconds, not negative", "interrupt 的 heard 须为非负的秒数")
    return Interrupt(message.get("turn"), message.get("heard"))


def _heard(message: Json) -> Command | Answer:
    match message:
        case {"turn": turn, "seconds": seconds} if _is_turn(turn) and _is_seconds(seconds):
            return Heard(turn, float(seconds))
    return _bad(
        "heard takes turn, a whole number from 1, and seconds, not negative",
        "heard 须带 turn（从 1 起的整数）和 seconds（非负的秒数）",
    )


def _consent(message: Json) -> Command | Answer:
    match message:
        case {"given": bool(given)}:
            return Consent(given)
    return _bad("consent takes given, true or false", "consent 须带 given：true 或 false")


def _reply(message: Json) -> Command | Answer:
    match message.get("instructions", ""):
        case str(told) if len(told) <= INSTRUCTIONS:
            return Reply(told)
    return _bad(f"instructions are at most {INSTRUCTIONS} characters", f"instructions 最多 {INSTRUCTIONS} 个字符")


def _secret(value: object) -> bool:
    return value is None or (isinstance(value, str) and _SECRET.fullmatch(value) is not None)


def _is_turn(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_seconds(value: Any) -> bool:
    return _is_number(value) and bool(value >= 0)
