"""The items of a Realtime conversation, as the client sees them: in order, without their sound, the oldest let go."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.memory import Transcript
from server.protocols.events import Json
from server.protocols.realtime.refusal import Refusal

MOST = 1000
ROOM = 200_000
"""Characters in all of them: each response counts them, and tells the model what the presenter does not know."""
_BEFORE = 20
"""Messages of an earlier conversation that the presenter is told."""
_TITLE = "此前的对话 / What was said before:"
_NAMES = {"user": "用户 User: ", "assistant": "主播 Presenter: "}
_CLOCKS = 0.002
"""Seconds by which a client may reckon an item longer than it is."""


@dataclass(slots=True)
class Spoken:
    """What the presenter said in an item, on the item's clock: seconds from its first sample. `begin`: where that is
    on the clock of turn `turn`, before which `lead` seconds of another turn's sound stand in the item."""

    turn: int
    begin: float = 0.0
    lead: float = 0.0
    seconds: float = 0.0
    transcript: Transcript = field(default_factory=Transcript)

    def in_turn(self, seconds: float) -> float:
        """A moment of the item as one of its turn."""
        return self.begin + max(0.0, seconds - self.lead)


@dataclass(slots=True)
class Item:
    """`body`: as it is sent. `words`: a user's, that nobody has answered yet. `known`: the presenter has it, too."""

    body: Json
    words: str = ""
    spoken: Spoken | None = None
    known: bool = False
    cut: str | None = None

    @property
    def id(self) -> str:
        return str(self.body["id"])


class Items:
    def __init__(self) -> None:
        self._items: dict[str, Item] = {}
        self._order: list[str] = []
        self._departed: list[Item] = []

    def __iter__(self) -> Iterator[Item]:
        return (self._items[id] for id in self._order)

    def add(self, item: Item, after: str | None = None) -> str | None:
        """The id of the item before it. `after`: "root" for the front, None for the end. Raises Refusal."""
        if item.id in self._items:
            raise Refusal("item_exists", f"there is an item {item.id!r} already / 已有同名条目", "item.id")
        match after:
            case None:
                at = len(self._order)
            case "root":
                at = 0
            case _:
                self.get(after, "previous_item_id")
                at = self._order.index(after) + 1
        self._order.insert(at, item.id)
        self._items[item.id] = item
        room = ROOM - sum(_size(one.body) for one in self)
        while len(self._order) > MOST or (room < 0 and len(self._order) > 1):
            oldest = self._items.pop(self._order.pop(0))
            self._departed.append(oldest)
            room += _size(oldest.body)
            at -= 1
        return self._order[at - 1] if at > 0 else None

    def get(self, id: object, param: str = "item_id") -> Item:
        """Raises Refusal."""
        item = self._items.get(id) if isinstance(id, str) else None
        if item is None:
            raise Refusal("item_not_found", f"there is no item {str(id)[:64]!r} / 没有这个条目", param)
        return item

    def remove(self, id: object) -> Item:
        """Raises Refusal."""
        item = self.get(id)
        del self._items[item.id]
        self._order.remove(item.id)
        return item

    def departed(self) -> list[Json]:
        """The items that made room since it was asked for them last: what the client is told of it."""
        departed, self._departed = self._departed, []
        return [deleted(one) for one in departed]

    def unanswered(self) -> list[Item]:
        """The user's words since the presenter spoke last."""
        found: list[Item] = []
        for item in reversed(list(self)):
            if item.body.get("role") == "assistant":
                break
            if item.words:
                found.append(item)
        return found[::-1]

    def instructions(self) -> str:
        """What the system messages say; and what the client says was talked about before."""
        system = [text(item.body) for item in self if item.body.get("role") == "system"]
        return "\n".join(filter(None, (*system, self._before())))

    def _before(self) -> str:
        """Of the messages that the presenter does not know, those that the client has an answer to already."""
        told = [item.body for item in self if not item.known and item.body.get("role") in _NAMES]
        while told and told[-1]["role"] == "user":
            told.pop()
        lines = [f"{_NAMES[body['role']]}{text(body)}" for body in told[-_BEFORE:]]
        return "\n".join((_TITLE, *lines)) if lines else ""


def deleted(item: Item) -> Json:
    """What the presenter has heard or said, it remembers; the event says so."""
    kept = {"remembered": True} if item.known else {}
    return {"type": "conversation.item.deleted", "item_id": item.id, **kept}


def text(body: Json) -> str:
    """The words of a message."""
    parts = body.get("content") or ()
    return "\n".join(filter(None, (part.get("text") or part.get("transcript") for part in parts)))


def _size(body: Json) -> int:
    """Characters."""
    return len(text(body)) + sum(len(body.get(name) or "") for name in ("arguments", "output"))


def truncated(item: Item, milliseconds: object) -> float:
    """Cut an answer to what was heard of it; the moment of its turn. Raises Refusal."""
    spoken = item.spoken
    if spoken is None:
        message = "only what the presenter said can be truncated / 只能截断主播说的话"
        raise Refusal("invalid_value", message, "item_id")
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int) or milliseconds < 0:
        raise Refusal(
            "invalid_value", "audio_end_ms is a whole number from 0 / audio_end_ms 应为非负整数", "audio_end_ms"
        )
    heard, longest = milliseconds / 1000, spoken.seconds
    if heard > longest + _CLOCKS:
        message = f"the audio is only {longest * 1000:.0f} ms long / 这段声音只有 {longest * 1000:.0f} 毫秒"
        raise Refusal("invalid_value", message, "audio_end_ms")
    item.cut = spoken.transcript.heard(heard)
    item.body["content"] = [
        {**part, "transcript": item.cut} if part["type"] == "output_audio" else part for part in item.body["content"]
    ]
    return spoken.in_turn(heard)
