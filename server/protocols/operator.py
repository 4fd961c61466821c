"""zhubo.operator.v1, what operators' consoles speak: JSON text frames both ways. docs/protocol.md describes it."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from agent.commands import Direction, GiveBack, Line, TakeOver, Whisper
from agent.standing import Standing
from agent.watchers import Asked, Missed, Seen
from server.protocols.events import Json, body

NAME = "zhubo.operator.v1"
TEXT = 1000
"""Characters of a line or a whisper."""
_NAME = 40
_REF = 40


@dataclass(frozen=True, slots=True)
class Hello:
    name: str


@dataclass(frozen=True, slots=True)
class Watch:
    session: str
    ref: str


@dataclass(frozen=True, slots=True)
class Unwatch:
    session: str
    ref: str


@dataclass(frozen=True, slots=True)
class Direct:
    session: str
    direction: Direction
    ref: str


@dataclass(frozen=True, slots=True)
class Ping:
    pass


@dataclass(frozen=True, slots=True)
class Bad:
    """A frame that is not understood; the message says what to do."""

    code: str
    message: str
    ref: str = ""


Request = Hello | Watch | Unwatch | Direct | Ping | Bad


def decode(frame: str | bytes) -> Request:
    try:
        message: Json = orjson.loads(frame) if isinstance(frame, str) else {}
    except orjson.JSONDecodeError:
        message = {}
    match message:
        case {"type": "ping"}:
            return Ping()
        case {"type": "hello", "name": str(name)} if _is_name(name):
            return Hello(name.strip())
        case {"type": "hello"}:
            return Bad("bad_message", f"hello takes name, 1 to {_NAME} characters: who is at the console")
        case {"type": str(kind), "session": str(session)}:
            ref = message.get("ref", "")
            return _about(kind, session, message, ref if isinstance(ref, str) and len(ref) <= _REF else "")
        case {"type": str()}:
            return Bad("bad_message", "session is missing: the id of one of the sessions listed")
    return Bad("bad_message", "a message is a JSON object with a string 'type', in a text frame")


def _about(kind: str, session: str, message: Json, ref: str) -> Request:
    match kind, message.get("text"):
        case "watch", _:
            return Watch(session, ref)
        case "unwatch", _:
            return Unwatch(session, ref)
        case "take", _:
            return Direct(session, TakeOver(""), ref)
        case "give", _:
            return Direct(session, GiveBack(), ref)
        case "line", str(text) if text.strip() and len(text) <= TEXT:
            return Direct(session, Line(text.strip()), ref)
        case "whisper", str(text) if len(text) <= TEXT:
            return Direct(session, Whisper(text.strip()), ref)
        case (("line" | "whisper"), _):
            return Bad("bad_message", f"{kind} takes text, at most {TEXT} characters", ref)
    return Bad("unknown_type", f"no message type {kind[:40]!r} in {NAME}", ref)


def _is_name(name: str) -> bool:
    return 0 < len(name.strip()) <= _NAME and name.isprintable()


def welcome() -> Json:
    return {"type": "welcome", "protocol": NAME, "limits": {"text": TEXT}}


def listed(standings: Iterable[Standing], operators: Iterable[str]) -> Json:
    return {"type": "sessions", "operators": list(operators), "sessions": [standing(one) for one in standings]}


def standing(one: Standing) -> Json:
    return {
        "id": one.id,
        "since": one.since.isoformat(timespec="seconds"),
        "lang": one.lang,
        "state": one.state,
        "operator": one.operator,
        "refusals": one.refusals,
        "wanted": one.wanted,
        "wanted_since": one.wanted_since.isoformat(timespec="seconds") if one.wanted_since else None,
        "whispers": one.whispers,
        "reached": one.reached,
    }


def seen(session: str, event: Seen | None) -> Json:
    """None: the session is over."""
    match event:
        case None:
            return {"type": "closed", "session": session}
        case Asked(turn, text):
            told: Json = {"type": "asked", "turn": turn, "text": text}
        case Missed(count):
            told = {"type": "missed", "count": count}
        case _:
            told = body(event)
    return {"type": "event", "session": session, "event": told}


def done(ref: str) -> Json:
    return {"type": "done", "ref": ref}


def failed(code: str, message: str, ref: str = "") -> Json:
    return {"type": "error", "code": code, "message": message, "ref": ref}
