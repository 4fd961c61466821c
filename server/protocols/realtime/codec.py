"""The OpenAI Realtime API, spoken by us: a client's events to commands, the session's events to theirs."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson
from pydantic import ValidationError

from agent.commands import Add, Clear, Command, Commit, Heard, Interrupt, Listen, Reply, ToolAnswered, Withdraw
from agent.events import (
    Cleared,
    Committed,
    Event,
    Floor,
    Notice,
    SpeechStarted,
    SpeechStopped,
    Transcribed,
    TurnStarted,
    Unheard,
)
from agent.tools.remote import MOST as TOOLS
from server.protocols.base import Answer, Decoded, Frame, Pong, Posted, Rejected, Welcome
from server.protocols.events import Json
from server.protocols.realtime import beta
from server.protocols.realtime.bodies import ResponseBody, SessionBody
from server.protocols.realtime.creating import Created, created
from server.protocols.realtime.frames import Long, long, parsed
from server.protocols.realtime.hearing import OWN, Hearing, empty
from server.protocols.realtime.items import Items, deleted, truncated
from server.protocols.realtime.refusal import Refusal, error
from server.protocols.realtime.session import Defaults, Terms, merged, refused, shown
from server.protocols.realtime.sound import Intake
from server.protocols.realtime.speaking import Speaking, Wanted


@dataclass(frozen=True, slots=True)
class Told:
    """Events that answer the client's own at once. `vain`: it was not obeyed."""

    events: tuple[Json, ...] = ()
    vain: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a client speaks. `beta`: by the names of the beta. `extended`: it wants our own events, `zhubo.…`, too.
    `noticed`: it shows that this is an AI; else the presenter says so in its first response."""

    beta: bool = False
    extended: bool = False
    noticed: bool = False


Out = list[Command | Told]


def _fresh(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(10)}"


class RealtimeCodec:
    """One connection. It keeps the client's settings and the items of the conversation, and nothing else."""

    def __init__(
        self,
        session: SessionBody,
        defaults: Defaults,
        dialect: Dialect = Dialect(),
        *,
        question_characters: int = 2000,
        new: Callable[[str], str] = _fresh,
    ) -> None:
        self._session, self._defaults, self._dialect = session, defaults, dialect
        self._most, self._new = question_characters, new
        self._id = new("sess")
        self._items = Items()
        self._hearing = Hearing(self._items, new)
        self._intake = Intake()
        self._answers: dict[str, ToolAnswered] = {}
        self._called: set[str] = set()
        self._asking = self._asked = False
        """There are words of the user's that the presenter does not have yet; and some that it has not answered."""
        self._told = Terms.of(SessionBody())
        self.leads = not dialect.noticed and session.type == "realtime"
        """The presenter says in its first response that it is an AI."""
        self._speaking = Speaking(
            self._items,
            new,
            new("conv"),
            Terms.of(session),
            extended=dialect.extended,
            led=self.leads,
        )
        self._hearing.transcribed = session.type == "transcription" or session.audio.input.transcription is not None

    @property
    def greeted(self) -> bool:
        return True

    def decode(self, frame: Frame) -> Iterable[Decoded]:
        cut = long(frame)
        return self._posted(self._read(frame)) if cut is None else self._bit_by_bit(cut)

    def _posted(self, out: Out) -> list[Decoded]:
        said = [one for one in out if not isinstance(one, Told) or one.events]
        return [Posted(tuple(self._frames(one.events)), one.vain) if isinstance(one, Told) else one for one in said]

    def _bit_by_bit(self, cut: Long) -> Iterator[Decoded]:
        """With something empty after each bit: whoever goes through it can let others have a turn."""
        sound = list[bytes]()
        try:
            for piece in cut.pieces():
                sound.append(piece)
                yield Posted((), vain=True)
        except Refusal as wrong:
            yield from self._posted([_refusal(wrong, cut.message.get("event_id"))])
        else:
            yield from self._posted(self._answered(cut.whole(tuple(sound))))

    def _read(self, frame: Frame) -> Out:
        try:
            return self._answered(parsed(frame))
        except Refusal as wrong:
            return [_refusal(wrong, None)]

    def _answered(self, message: Json) -> Out:
        cause = message.get("event_id")
        try:
            message = beta.inward(message) if self._dialect.beta else message
            restored = [] if self._speaking.active else self._settled(self._speaking.terms)
            out = [*restored, *self._led(), *self._obey(message, cause)]
            return [*out, Told(tuple(self._items.departed()))]
        except Refusal as wrong:
            return [_refusal(wrong, cause)]

    def encode(self, event: Event | Answer) -> list[Frame]:
        return self._frames([*self._events(event), *self._items.departed()])

    def _frames(self, told: Sequence[Json]) -> list[Frame]:
        if self._dialect.beta:
            told = [old for one in told if (old := beta.outward(one)) is not None]
        return [orjson.dumps({"event_id": self._new("event"), **one}).decode() for one in told]

    def _events(self, event: Event | Answer) -> list[Json]:
        match event:
            case Welcome(aigc=aigc):
                return [{"type": "session.created", "session": self._shown(), "zhubo": {"aigc": dict(aigc)}}]
            case Pong():
                return []
            case Rejected(code, message):
                return [error(code, message)]
            case Unheard(code="nothing_to_answer"):
                return self._speaking.give_up(*(self._hearing.fault or (event.code, event.message)))
            case SpeechStarted() | SpeechStopped() | Committed() | Cleared() | Transcribed() | Unheard():
                if isinstance(event, Committed):
                    self._intake.taken()
                return self._hearing.feed(event)
            case Floor(_, state, reason):
                floor = {"type": "zhubo.floor", "state": state, "reason": reason}
                return [floor] if self._dialect.extended else []
            case Notice(_, code, message) if not self._speaking.active:
                notice = {"type": "zhubo.notice", "code": code, "message": message}
                return [notice] if self._dialect.extended else []
            case TurnStarted(turn) if turn > 1 or not self.leads:
                self._asked, self._speaking.heard = False, self._hearing.answered()
        return self._speaking.feed(event)

    def _obey(self, message: Json, cause: object) -> Out:
        """Raises Refusal."""
        match message["type"]:
            case "session.update":
                return self._update(message.get("session"))
            case "input_audio_buffer.append":
                return self._append(message.get("audio"))
            case "input_audio_buffer.commit":
                return self._commit(cause)
            case "input_audio_buffer.clear":
                self._intake.emptied()
                return [Clear()]
            case "conversation.item.create":
                return self._create(message)
            case "conversation.item.retrieve":
                item = self._items.get(message.get("item_id"))
                return [_answer("conversation.item.retrieved", item=dict(item.body))]
            case "conversation.item.truncate":
                return self._truncate(message)
            case "conversation.item.delete":
                return self._delete(message.get("item_id"))
            case "response.create":
                return self._respond(message.get("response"))
            case "response.cancel":
                return self._cancel(message.get("response_id"))
            case kind:
                told = f"no event type {kind[:64]!r} here / 没有这种事件"
                raise Refusal("unknown_event", told, "type")

    def _update(self, patch: object) -> Out:
        session = merged(self._session, patch)
        voice = session.audio.output.voice
        if self._speaking.audible and voice != self._session.audio.output.voice:
            told = "the voice cannot change once it was heard / 已经发出声音后不能更换音色"
            raise Refusal("cannot_update_voice", told, "session.audio.output.voice")
        if session.type != self._session.type:
            raise Refusal("invalid_value", "a session keeps its type / 会话类型不能更改", "session.type")
        if session.audio.input.format != self._session.audio.input.format:
            self._intake.emptied()
        self._session = session
        self._hearing.transcribed = session.type == "transcription" or session.audio.input.transcription is not None
        self._speaking.terms = self._terms()
        settled = [] if self._speaking.active else self._settled(self._speaking.terms)
        return [*settled, _answer("session.updated", session=self._shown())]

    def _append(self, audio: object) -> Out:
        """What was typed before is heard with it, where the user's silence is what asks for the answer."""
        sound = self._intake.feed(audio, self._session.audio.input.format.type)
        return [*(self._ask() if self._asking and self._told.listen.answer else []), *sound]

    def _commit(self, cause: object) -> Out:
        if not self._intake.given:
            return [Told((empty(cause),))]
        self._intake.emptied()
        self._hearing.commits.append(cause)
        return [Commit()]

    def _create(self, message: Json) -> Out:
        made: Created = created(message.get("item"), self._new, self._session, self._most)
        item, after = made.item, message.get("previous_item_id")
        if after is not None and after != "root" and not isinstance(after, str):
            raise Refusal("invalid_value", "previous_item_id is a text / previous_item_id 应为文本", "previous_item_id")
        before = self._items.add(item, after)
        told = [{"type": kind, "previous_item_id": before, "item": dict(item.body)} for kind in _MADE]
        out: Out = [Told(tuple(told))]
        if made.answer is not None:
            out += self._tool_answered(made.answer)
        if made.sound:
            self._hearing.made(item.id)
            self._hearing.commits.append(OWN)
            out += [Listen(turns="manual", answer=False), *made.sound, Commit(), self._told.listen]
        self._asking |= bool(item.words)
        self._speaking.terms = self._terms()
        return out

    def _tool_answered(self, answer: ToolAnswered) -> Out:
        """The presenter is told when the client asks for the response that goes on from there."""
        if answer.call in self._called:
            self._called.discard(answer.call)
            return [answer]
        self._answers[answer.call] = answer
        if len(self._answers) > TOOLS:
            del self._answers[next(iter(self._answers))]
        return []

    def _truncate(self, message: Json) -> Out:
        item = self._items.get(message.get("item_id"))
        if message.get("content_index", 0) != 0:
            raise Refusal("invalid_value", "content_index is 0 / content_index 只能是 0", "content_index")
        milliseconds = message.get("audio_end_ms")
        heard = truncated(item, milliseconds)
        names = {"item_id": item.id, "content_index": 0, "audio_end_ms": milliseconds}
        told = _answer("conversation.item.truncated", **names)
        if item.spoken is None:
            return [told]
        self._speaking.cancelled |= self._speaking.answering and item.spoken.turn == self._speaking.turn
        return [told, Interrupt(item.spoken.turn, heard)]

    def _delete(self, id: object) -> Out:
        item = self._items.remove(id)
        self._speaking.terms = self._terms()
        return [Told((deleted(item),))]

    def _respond(self, given: object) -> Out:
        """Raises Refusal."""
        if self._session.type == "transcription":
            raise Refusal("invalid_value", "a transcription session has no responses / 转写会话没有回答", "type")
        if self._speaking.active:
            told = "wait for response.done, or cancel the response first / 请等当前回答结束，或先取消"
            raise Refusal("conversation_already_has_active_response", told)
        try:
            body = ResponseBody.model_validate(given or {})
        except ValidationError as wrong:
            raise refused(wrong, "response") from wrong
        terms = Terms.of(self._session, body, self._items.instructions())
        wanted = Wanted(terms, body.metadata)
        if body.conversation == "none" or body.input is not None:
            raise Refusal("unsupported", _APART, f"response.{'input' if body.input is not None else 'conversation'}")
        settled = self._settled(terms)
        answers = [self._answers.pop(call) for call in list(self._answers) if call in self._speaking.calls]
        stale, self._answers = bool(self._answers), {}
        if answers:
            self._called = self._speaking.calls - {answer.call for answer in answers}
            return [*settled, Told(tuple(self._speaking.go_on(wanted))), *answers]
        asked = self._ask()
        self._speaking.wanted = wanted
        if stale and not self._asked and not self._hearing.waiting:
            told = "the answer to this call came too late / 工具结果来得太晚"
            return [Told(tuple(self._speaking.give_up("function_call_expired", told)))]
        return [*settled, *asked, Reply(body.instructions or "")]

    def _ask(self) -> Out:
        """The presenter is told what was typed and not answered."""
        words = self._items.unanswered()
        asked: Out = [Add("\n".join(item.words for item in words))] if words else []
        for item in words:
            item.words, item.known = "", True
        self._asking, self._asked = False, self._asked or bool(asked)
        return asked

    def _cancel(self, id: object) -> Out:
        if not self._speaking.active or id not in (None, self._speaking.response):
            raise Refusal("response_cancel_not_active", "no such response is under way / 当前没有这个回答可取消")
        if not self._speaking.answering:
            return [Withdraw(), Interrupt(), Told(tuple(self._speaking.withdraw()))]
        self._speaking.cancelled = True
        return [Interrupt(self._speaking.turn)]

    def _terms(self) -> Terms:
        return Terms.of(self._session, context=self._items.instructions())

    def _settled(self, terms: Terms) -> Out:
        """The commands that bring the session to these terms."""
        told, self._told = self._told, terms
        wishes = ((told.configure, terms.configure), (told.listen, terms.listen), (told.offer, terms.offer))
        return [new for old, new in wishes if new != old]

    def _led(self) -> Out:
        """The notice was made and is kept for the first response: it is not being played now."""
        led, self._speaking.led = self._speaking.led, None
        return [Heard(1, led)] if led else []

    def _shown(self) -> Json:
        return shown(self._session, self._id, self._defaults)


_APART = (
    "every response belongs to the one conversation here: create items, then a response; what is to stay apart from it "
    "can be asked at /v1/chat/completions / 这里的回答都属于当前对话：请先创建条目，再请求回答；"
    "单独的问题请用 /v1/chat/completions"
)
_MADE = ("conversation.item.added", "conversation.item.done")


def _refusal(wrong: Refusal, cause: object) -> Told:
    return Told((error(wrong.code, wrong.message, cause, wrong.param),), vain=True)


def _answer(kind: str, **fields: object) -> Told:
    return Told(({"type": kind, **fields},))
