"""A client of the Realtime codec, and what tests of it say often."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from agent.events import (
    Event,
    SentenceEnded,
    SentenceStarted,
    Speech,
    TextDelta,
    TurnEnded,
    TurnStarted,
)
from avatar.speech import Audio
from server.protocols.base import Posted, Welcome
from server.protocols.realtime import Defaults, Dialect, RealtimeCodec, SessionBody

EVENTS: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


OURS = "zhubo."


class Client:
    """A codec and what its client saw of it, each event valid by OpenAI's own models."""

    def __init__(self, *, led: bool = False, session: SessionBody | None = None, **dialect: bool) -> None:
        counts: dict[str, itertools.count[int]] = {}

        def new(prefix: str) -> str:
            return f"{prefix}_{next(counts.setdefault(prefix, itertools.count(1)))}"

        defaults = Defaults("zhubo", 0.6, 0.5)
        spoken = Dialect(noticed=not led, **dialect)
        self.beta = bool(dialect.get("beta"))
        self.codec = RealtimeCodec(session or SessionBody(), defaults, spoken, question_characters=50, new=new)
        self.seen: list[dict[str, Any]] = []
        self.take(Welcome("secret"))

    def take(self, *events: Any) -> list[dict[str, Any]]:
        """What the client is sent of these events."""
        return self.took([frame for event in events for frame in self.codec.encode(event)])

    def took(self, frames: Sequence[Any]) -> list[dict[str, Any]]:
        told = [json.loads(frame) for frame in frames]
        for one in told:
            assert one["event_id"].startswith("event_")
            if not one["type"].startswith(OURS) and not self.beta:
                EVENTS.validate_python(one, strict=False)
        self.seen += told
        return told

    def send(self, kind: str, **fields: Any) -> tuple[list[Any], list[dict[str, Any]]]:
        """The commands that it comes to, and what the client is sent at once."""
        items = list(self.codec.decode(json.dumps({"type": kind, **fields})))
        told = self.took([frame for item in items if isinstance(item, Posted) for frame in item.frames])
        return [item for item in items if not isinstance(item, Posted)], told

    def says(self, text: str) -> None:
        self.send("conversation.item.create", item=message(text))

    def configure(self, **session: Any) -> list[Any]:
        commands, _ = self.send("session.update", session={"type": "realtime", **session})
        return commands


def message(text: str, role: str = "user", kind: str = "input_text") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def types(events: Sequence[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def spoken(turn: int, sentence: int, text: str, at: float, seconds: float = 1.0) -> list[Event]:
    pcm = b"\1\0" * round(24_000 * seconds)
    return [
        TextDelta(turn, text),
        SentenceStarted(turn, sentence, text, at),
        Speech(turn, sentence, 0.0, Audio(pcm, 24_000)),
        SentenceEnded(turn, sentence, seconds),
    ]


def answer(turn: int = 1, text: str = "一张六十元。") -> list[Event]:
    return [TurnStarted(turn, "zh"), *spoken(turn, 0, text, 0.0), TurnEnded(turn, "done")]


WHOLE = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta",
    "response.output_audio.done",
    "response.output_audio_transcript.done",
    "response.content_part.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]


TOOL = {"type": "function", "name": "light", "description": "开关灯", "parameters": {"type": "object"}}
