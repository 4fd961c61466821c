"""The presenter's turns as Realtime responses: each begins, has its items, and ends with `response.done`, always.

A turn that waits for one of the client's tools is several responses: the one that carries the call is done with it,
and the next one, which the client asks for, goes on. What the presenter says in between waits for that one.
"""

from dataclasses import dataclass, field

from agent.events import (
    Event,
    Fault,
    Motion,
    Notice,
    SentenceEnded,
    Speech,
    TextDelta,
    ToolCalled,
    TurnEnded,
    TurnStarted,
)
from agent.tokens import estimate
from server.protocols.events import Json
from server.protocols.realtime.items import Item, Items, Spoken, text
from server.protocols.realtime.message import Message, New, Piece
from server.protocols.realtime.session import Terms
from server.protocols.realtime.sound import Outgoing

_HELD = 256
"""Events of a turn that wait for the client to ask for its next response; then it begins by itself."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a `response.create` asked for."""

    terms: Terms
    metadata: dict[str, str] | None = None


@dataclass(slots=True)
class _Response:
    id: str
    wanted: Wanted
    output: list[Json] = field(default_factory=list)
    message: Message | None = None
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    moderated: bool = False
    fault: tuple[str, str] | None = None


class Speaking:
    """`wanted`: a response that was asked for and has not begun. `cancelled`: the client wants the running one ended.
    `terms`: those of a response that nobody asked for. `calls`: those of the running turn, not yet answered.
    `led`: seconds of the notice that this is an AI, made before anything was asked, to be said first of all.
    """

    def __init__(self, items: Items, new: New, conversation: str, terms: Terms, *, extended: bool, led: bool) -> None:
        self.terms, self.cancelled = terms, False
        self.wanted: Wanted | None = None
        self.calls: set[str] = set()
        self.turn = 0
        self.led: float | None = None
        self.heard = 0.0
        """Seconds of the user's sound that the next response answers."""
        self.audible = False
        """Sound was sent: the voice stays what it is."""
        self._items, self._new, self._conversation, self._extended = items, new, conversation, extended
        self._leading, self._lead = led, list[Piece]()
        self._response: _Response | None = None
        self._held: list[Event] | None = None
        self._texts = self._boundary = 0

    @property
    def answering(self) -> bool:
        return self._response is not None

    @property
    def active(self) -> bool:
        return self._response is not None or self.wanted is not None

    def feed(self, event: Event) -> list[Json]:
        match event:
            case TurnStarted(1, _, _) if self._leading:
                self.turn = 1
                return []
            case TurnStarted(turn, _, _):
                return self._started(turn)
            case _ if event.turn != self.turn:
                return []
            case _ if self.turn == 1 and self._leading:
                return self._leads(event)
            case ToolCalled():
                return self._called(event)
            case TurnEnded():
                return self._ended(event)
            case _ if self._held is not None and self._is_later(event):
                return self._hold(self._held, event)
        return self._told(event)

    def go_on(self, wanted: Wanted) -> list[Json]:
        """The client asks for the rest of the turn that called its tools."""
        held, self._held = self._held or [], None
        self.calls.clear()
        told = self._open(wanted)
        return [*told, *(one for event in held for one in self._told(event))]

    def give_up(self, code: str, message: str) -> list[Json]:
        """A response that was asked for cannot be: there is nothing to answer."""
        if self.wanted is None:
            return []
        told = self._open(self.wanted)
        return [*told, *self._done("failed", {"type": "failed", "error": _fault(code, message)})]

    def withdraw(self) -> list[Json]:
        """A response that was asked for is not wanted any more, before it began."""
        if self.wanted is None:
            return []
        told = self._open(self.wanted)
        return [*told, *self._done("cancelled", _cancelled("client_cancelled"))]

    @property
    def response(self) -> str | None:
        """The id of the one under way."""
        return self._response.id if self._response else None

    def _started(self, turn: int) -> list[Json]:
        self._leading, self.turn = False, turn
        self._texts, self._held = 0, None
        self.calls.clear()
        told = [] if self._response is None else self._done("cancelled", _cancelled("turn_detected"))
        return [*told, *self._open(self.wanted or Wanted(self.terms))]

    def _leads(self, event: Event) -> list[Json]:
        """The notice's turn is kept until a response with sound begins; one that was cut comes again by itself."""
        match event:
            case TurnEnded(_, reason):
                self._leading, self.turn = False, 0
                seconds = sum(piece.seconds for piece in self._lead if isinstance(piece, SentenceEnded))
                self._lead = self._lead if reason == "done" and seconds else []
                self.led = seconds if self._lead else None
            case piece if isinstance(piece, Piece) and not isinstance(piece, Motion):
                self._lead.append(piece)
        return []

    def _is_later(self, event: Event) -> bool:
        sentence = getattr(event, "sentence", None)
        return sentence is None or sentence >= self._boundary

    def _hold(self, held: list[Event], event: Event) -> list[Json]:
        held.append(event)
        return [] if len(held) <= _HELD or self._response else self.go_on(Wanted(self.terms))

    def _told(self, event: Event) -> list[Json]:
        response = self._response
        if response is None:
            return []
        match event:
            case Notice(_, code, message):
                response.moderated |= code == "moderated"
                return self._extension("zhubo.notice", code=code, message=message)
            case Fault(_, code, message):
                response.fault = (code, message)
                return self._extension("zhubo.fault", code=code, message=message)
            case piece if isinstance(piece, Piece):
                return self._say(response, piece)
        return []

    def _say(self, response: _Response, piece: Piece) -> list[Json]:
        told: list[Json] = []
        if response.message is None:
            told += self._message(response)
        message = response.message
        assert message is not None
        self._texts += isinstance(piece, TextDelta)
        self.audible |= isinstance(piece, Speech) and message.audio
        told += message.feed(piece)
        if self._held is not None and message.ended >= message.told:
            told += self._complete()
        return told

    def _message(self, response: _Response) -> list[Json]:
        terms, spoken = response.wanted.terms, Spoken(self.turn)
        body = {"id": self._new("item"), "object": "realtime.item", "type": "message", "status": "in_progress"}
        item = Item({**body, "role": "assistant", "content": []}, spoken=spoken, known=True)
        index = len(response.output)
        key = {"response_id": response.id, "item_id": item.id, "output_index": index, "content_index": 0}
        audio = terms.modality == "audio"
        message = Message(item, spoken, key, audio, Outgoing(terms.format), self._extended, True)
        response.message = message
        response.output.append(item.body)
        told = message.opened(self._items)
        if audio and self._lead:
            told += message.lead(self._lead)
            self._lead = []
        return told

    def _called(self, event: ToolCalled) -> list[Json]:
        """The call is told at once; what was said before it ends first where its sound is still being made."""
        told = [] if self._response else self._open(self.wanted or Wanted(self.terms))
        response = self._response
        assert response is not None
        self.calls.add(event.call)
        if self._held is None:
            self._held, self._boundary = [], self._texts
        told += self._call(response, event)
        message = response.message
        if not event.more and (message is None or message.ended >= message.told):
            told += self._complete()
        return told

    def _call(self, response: _Response, event: ToolCalled) -> list[Json]:
        body: Json = {"id": self._new("item"), "object": "realtime.item", "type": "function_call"}
        named = {"call_id": event.call, "name": event.name}
        begun = {**body, "status": "in_progress", **named, "arguments": ""}
        done = {**body, "status": "completed", **named, "arguments": event.arguments}
        index = len(response.output)
        before = self._items.add(Item(done, known=True))
        response.output.append(done)
        response.tokens[0] += estimate(event.arguments)
        place = {"response_id": response.id, "output_index": index}
        key = {**place, "item_id": body["id"], "call_id": event.call}
        kind = "response.function_call_arguments"
        return [
            {"type": "response.output_item.added", **place, "item": begun},
            {"type": "conversation.item.added", "previous_item_id": before, "item": begun},
            {"type": f"{kind}.delta", **key, "delta": event.arguments},
            {"type": f"{kind}.done", **key, "name": event.name, "arguments": event.arguments},
            {"type": "conversation.item.done", "previous_item_id": before, "item": done},
            {"type": "response.output_item.done", **place, "item": done},
        ]

    def _complete(self) -> list[Json]:
        return self._done("completed", None)

    def _ended(self, end: TurnEnded) -> list[Json]:
        told: list[Json] = []
        if self._held:
            held, self._held = self._held, None
            if end.reason != "interrupted":
                told += self._complete() if self._response else []
                told += self._open(Wanted(self.terms))
                told += [one for event in held for one in self._told(event)]
        self._held = None
        self.calls.clear()
        if self._response is None:
            return told
        if end.reason == "interrupted" or self.cancelled:
            reason = "client_cancelled" if self.cancelled else "turn_detected"
            return told + self._done("cancelled", _cancelled(reason))
        if end.reason == "failed":
            code, message = self._response.fault or (end.fallback or "internal", "the answer failed / 回答失败")
            return told + self._done("failed", {"type": "failed", "error": _fault(code, message)})
        if self._response.moderated:
            return told + self._done("incomplete", {"type": "incomplete", "reason": "content_filter"})
        return told + self._complete()

    def _open(self, wanted: Wanted) -> list[Json]:
        self.wanted = None
        self._response = _Response(self._new("resp"), wanted)
        return [{"type": "response.created", "response": self._body(self._response, "in_progress", None)}]

    def _done(self, status: str, details: Json | None) -> list[Json]:
        response, self._response, self.cancelled = self._response, None, False
        assert response is not None
        told: list[Json] = []
        if response.message is not None:
            told += response.message.closed("completed" if status in ("completed", "failed") else "incomplete")
            index = response.message.key["output_index"]
            response.output[index] = dict(response.message.item.body)
        body = self._body(response, status, details)
        self.heard = 0.0
        return [
            *told,
            {"type": "response.done", "response": body},
            {"type": "rate_limits.updated", "rate_limits": []},
        ]

    def _body(self, response: _Response, status: str, details: Json | None) -> Json:
        terms = response.wanted.terms
        audio = {"output": {"format": _format(terms.format), "voice": terms.voice}}
        return {
            "id": response.id,
            "object": "realtime.response",
            "status": status,
            "status_details": details,
            "output": [dict(one) for one in response.output] if status != "in_progress" else [],
            "conversation_id": self._conversation,
            "output_modalities": [terms.modality],
            "max_output_tokens": "inf",
            "audio": audio,
            "usage": None if status == "in_progress" else self._usage(response),
            "metadata": response.wanted.metadata,
        }

    def _usage(self, response: _Response) -> Json:
        """Estimated: what the conversation before it takes, and what was said."""
        own = {one["id"] for one in response.output}
        read = estimate(response.wanted.terms.configure.instructions or "")
        read += sum(estimate(text(item.body)) for item in self._items if item.id not in own)
        sounded = round(self.heard * 10)
        words, sound = response.message.tokens if response.message else (0, 0)
        words += response.tokens[0]
        return {
            "total_tokens": read + sounded + words + sound,
            "input_tokens": read + sounded,
            "output_tokens": words + sound,
            "input_token_details": {
                "text_tokens": read,
                "audio_tokens": sounded,
                "image_tokens": 0,
                "cached_tokens": 0,
            },
            "output_token_details": {"text_tokens": words, "audio_tokens": sound},
        }

    def _extension(self, kind: str, **fields: object) -> list[Json]:
        return [{"type": kind, **fields}] if self._extended else []


def _format(kind: str) -> Json:
    return {"type": kind, "rate": 24000} if kind == "audio/pcm" else {"type": kind}


def _cancelled(reason: str) -> Json:
    return {"type": "cancelled", "reason": reason}


def _fault(code: str, message: str) -> Json:
    return {"type": "server_error", "code": code, "message": message}
