"""The whole conversation with one device: what it says as commands, what is to be said as JSON and paced Opus."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from agent.commands import Commit, Interrupt, Listen, Microphone, OfferTools, Reply, Say, ToolAnswered
from agent.events import (
    Event,
    Fault,
    Floor,
    Motion,
    Posture,
    SentenceEnded,
    SentenceStarted,
    Speech,
    ToolCalled,
    Transcribed,
    TurnEnded,
    TurnStarted,
    Unheard,
)
from avatar.hearing import Opus
from avatar.speech import Audio
from configs.language import Lang
from server.protocols.base import (
    Answer,
    Cut,
    Decoded,
    Frame,
    Hello,
    Hold,
    Leave,
    Outgoing,
    Paced,
    Pong,
    Posted,
    Rejected,
    Welcome,
)
from server.protocols.xiaozhi.faces import FACES, face
from server.protocols.xiaozhi.framing import VERSIONS, unwrap, wrap
from server.protocols.xiaozhi.tools import DeviceTools

log = logging.getLogger(__name__)

RATE = 24000
FRAME = 0.06
"""Seconds of sound in a packet."""
_PROTOCOL_ERROR = 1002
_NORMAL = 1000
_RATES = (8000, 12000, 16000, 24000, 48000)
_MODES = {
    "auto": Listen(half_duplex=True, interrupt=False),
    "manual": Listen(turns="manual", interrupt=False),
    "realtime": Listen(),
}
_STATUS: dict[Lang, str] = {"zh": "出错了", "en": "Error"}


class Outlet(Protocol):
    """Sound as Opus packets of 60 ms at 24 kHz."""

    def feed(self, audio: Audio) -> list[bytes]: ...

    def flush(self) -> list[bytes]:
        """What was fed and makes no whole packet, with silence after it."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """`version`: of its binary frames; None: as its hello says. `lang`: the device's own language. `user`: a secret
    that its user is known by."""

    version: int | None
    wake_words: tuple[str, ...]
    question_characters: int
    vision: str
    lang: Lang | None = None
    user: str | None = None


class XiaozhiCodec:
    """One connection. It keeps where the present turn is, for the device's messages are of a turn that it is told."""

    def __init__(self, terms: Terms, outlet: Outlet) -> None:
        self._terms, self._outlet = terms, outlet
        self._version = terms.version or 1
        self._wake = {_folded(word) for word in terms.wake_words}
        self._tools = DeviceTools(terms.vision)
        self._session = ""
        self._greeted = self._mcp = self._told = self._listening = False
        self._mode = "auto"
        self._rate = 16000
        self._lang: Lang = terms.lang or "zh"
        self._turn = self._dead = 0
        self._open = self._faced = self._pressed = False
        self._face = self._shown = ""
        self._subtitle: str | None = None
        self._faces: deque[tuple[float, str]] = deque()
        self._begins = 0.0
        """Of the present sentence, in seconds of its turn."""
        self._laid = self._packets = 0
        """Packets of the present turn, and of all."""

    @property
    def greeted(self) -> bool:
        return self._greeted

    def decode(self, frame: Frame) -> Sequence[Decoded]:
        try:
            data = unwrap(self._version, frame) if isinstance(frame, bytes) else frame
            if isinstance(data, bytes):
                return self._sound(data)
            message = orjson.loads(data)
        except ValueError as error:
            return self._misread(f"帧无法读懂 / a frame that cannot be read: {error}")
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            return self._misread("消息须是带 type 的 JSON 对象 / a message is a JSON object with a string 'type'")
        if message["type"] != "hello" and not self._greeted:
            return [Leave(_PROTOCOL_ERROR, "hello first")]
        return self._message(message)

    def encode(self, event: Event | Answer) -> Sequence[Outgoing]:
        match event:
            case Welcome(session):
                return self._welcome(session)
            case Pong():
                return []
            case Rejected(_, message):
                return [self._alert(message)]
            case Floor(state=state):
                return self._silence() if state == "yielded" else [Hold(state != "resumed")]
            case Unheard(code=code, message=message) if code not in ("nothing_heard", "commit_empty"):
                return [self._alert(message)]
            case Fault(message=message):
                return [self._alert(message)]
            case Transcribed(text=text, final=True) if text:
                return [self._json("stt", text=text)]
            case ToolCalled(_, call, name, arguments):
                return [self._json("mcp", payload=self._tools.called(call, name, orjson.loads(arguments)))]
        return self._told_of_turn(event)

    def _told_of_turn(self, event: Event) -> Sequence[Outgoing]:
        match event:
            case TurnStarted(turn, lang):
                stopped = self._silence()
                self._turn, self._lang, self._faced, self._laid = turn, lang, False, 0
                return stopped
            case TurnEnded():
                return self._ended(event)
            case _ if event.turn == self._dead:
                return []
            case Posture(posture="thinking"):
                return self._show("thinking")
            case SentenceStarted(text=text, at=at):
                self._subtitle, self._begins = text.strip(), at
            case Motion(emotions=cues):
                self._faces += [(self._begins + cue.at, face(cue.emotion, cue.intensity)) for cue in cues]
            case Speech(audio=audio):
                return [*self._begun(), *self._packed(self._outlet.feed(audio))]
            case SentenceEnded():
                return [*self._begun(), *self._sentence_ended()]
        return []

    def _message(self, message: dict[str, Any]) -> Sequence[Decoded]:
        match message:
            case {"type": "hello"}:
                return self._hello(message)
            case {"type": "listen", "state": "start"}:
                return self._listen(message.get("mode"))
            case {"type": "listen", "state": "stop"}:
                self._listening = False
                return [*self._press(False), Commit(), Listen(active=False, turns="manual", interrupt=False)]
            case {"type": "listen", "state": "detect", "text": str(text)}:
                return [*self._press(False), *self._detected(text.strip())]
            case {"type": "abort"}:
                return [Posted(tuple(self._aborted())), Interrupt()]
            case {"type": "mcp", "payload": payload} if self._mcp:
                return [self._relayed(item) for item in self._tools.received(payload)]
            case {"type": "goodbye"}:
                return [Leave(_NORMAL, "goodbye")]
        log.debug("a device's message was ignored")
        return []

    def _hello(self, message: dict[str, Any]) -> Sequence[Decoded]:
        match message.get("audio_params"):
            case {"format": str(name)} if name != "opus":
                reason = "只支持 Opus 音频 / send Opus: audio_params.format is opus"
                return [Rejected("unsupported_audio", reason), Leave(_PROTOCOL_ERROR, "Opus only")]
            case {"sample_rate": int(rate)} if rate in _RATES:
                self._rate = rate
        if self._terms.version is None and message.get("version") in VERSIONS:
            self._version = message["version"]
        features = message.get("features")
        self._mcp = isinstance(features, dict) and features.get("mcp") is True
        self._greeted = True
        return [Hello(self._terms.lang, user=self._terms.user, voice_only=True)]

    def _listen(self, mode: object) -> Sequence[Decoded]:
        self._mode = mode if isinstance(mode, str) and mode in _MODES else self._mode
        self._listening = True
        return [*self._press(self._mode == "manual"), _MODES[self._mode]]

    def _press(self, pressed: bool) -> Sequence[Decoded]:
        """A device that is told of speech while its button is pressed closes its microphone: nothing begins then."""
        if pressed == self._pressed:
            return []
        self._pressed = pressed
        return [Posted((Hold(pressed, fresh=True),))]

    def _sound(self, packet: bytes) -> Sequence[Decoded]:
        if not self._greeted:
            return [Leave(_PROTOCOL_ERROR, "hello first")]
        return [Microphone(packet, Opus(self._rate))] if self._listening else []

    def _detected(self, text: str) -> Sequence[Decoded]:
        if not text or _folded(text) in self._wake:
            return [Reply()]
        if len(text) > self._terms.question_characters:
            limit = self._terms.question_characters
            return [Rejected("question_too_long", f"最多 {limit} 个字符 / at most {limit} characters")]
        return [Posted((self._json("stt", text=text),)), Say(text)]

    def _relayed(self, item: dict[str, Any] | OfferTools | ToolAnswered) -> Decoded:
        return Posted((self._json("mcp", payload=item),)) if isinstance(item, dict) else item

    def _misread(self, message: str) -> Sequence[Decoded]:
        """Told once: a device that sends one such frame sends many."""
        if not self._greeted:
            return [Leave(_PROTOCOL_ERROR, "hello first")]
        told, self._told = self._told, True
        return [] if told else [Rejected("bad_frame", message)]

    def _welcome(self, session: str) -> Sequence[Outgoing]:
        self._session = session
        audio = {"format": "opus", "sample_rate": RATE, "channels": 1, "frame_duration": round(FRAME * 1000)}
        hello = self._json("hello", transport="websocket", audio_params=audio)
        return [hello, self._json("mcp", payload=self._tools.begin())] if self._mcp else [hello]

    def _begun(self) -> list[Outgoing]:
        """What goes before the sound that follows."""
        frames: list[Frame] = []
        if not self._open:
            frames += self._due_faces()
            frames += [] if self._faced else self._show("neutral")
            frames.append(self._json("tts", state="start"))
            self._open = self._faced = True
        if self._subtitle is not None:
            self._shown, self._subtitle = self._subtitle, None
            frames += [self._json("tts", state="sentence_start", text=self._shown)] if self._shown else []
        return [Paced(self._turn, frame) for frame in frames]

    def _sentence_ended(self) -> list[Outgoing]:
        shown, self._shown = self._shown, ""
        return [Paced(self._turn, self._json("tts", state="sentence_end", text=shown))] if shown else []

    def _due_faces(self) -> list[Frame]:
        """Those that change before the end of the next packet."""
        frames: list[Frame] = []
        while self._faces and self._faces[0][0] < (self._laid + 1) * FRAME:
            frames += self._show(self._faces.popleft()[1])
            self._faced = True
        return frames

    def _packed(self, packets: list[bytes]) -> list[Outgoing]:
        frames: list[Outgoing] = []
        for packet in packets:
            frames += [Paced(self._turn, shown) for shown in self._due_faces()]
            at = round(self._packets * FRAME * 1000)
            frames.append(Paced(self._turn, wrap(self._version, packet, at), FRAME))
            self._packets += 1
            self._laid += 1
        return frames

    def _ended(self, end: TurnEnded) -> Sequence[Outgoing]:
        if end.turn != self._turn:
            return []
        if end.reason == "interrupted":
            return self._silence()
        if not self._open:
            return []
        rest = self._packed(self._outlet.flush())
        self._open = False
        return [*rest, Paced(end.turn, self._json("tts", state="stop"), last=True)]

    def _aborted(self) -> list[Outgoing]:
        """A device that aborts waits for the stop, whether it heard anything or not."""
        self._pressed = False
        self._silence()
        return [Cut(), self._json("tts", state="stop")]

    def _silence(self) -> list[Outgoing]:
        """Nothing more is said of the present turn, and the device is told where it does not know yet."""
        self._dead, self._subtitle, self._shown, self._face = self._turn, None, "", ""
        self._faces.clear()
        self._outlet.flush()
        stop = self._json("tts", state="stop")
        cut: list[Outgoing] = [Cut(), stop] if self._open else [Cut(stop)]
        self._open = False
        return [*cut, Hold(True, fresh=True)] if self._pressed else cut

    def _show(self, name: str) -> list[Frame]:
        shown, self._face = self._face, name
        return [] if name == shown else [self._json("llm", emotion=name, text=FACES[name])]

    def _alert(self, message: str) -> str:
        return self._json("alert", status=_STATUS[self._lang], message=message, emotion="sad")

    def _json(self, kind: str, **fields: object) -> str:
        return orjson.dumps({"session_id": self._session, "type": kind, **fields}).decode()


def _folded(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
