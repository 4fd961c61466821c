"""What is heard of the user, as Realtime events: each utterance becomes an item, with the id told when it began."""

from collections.abc import Callable
from dataclasses import dataclass

from agent.events import Cleared, Committed, SpeechStarted, SpeechStopped, Transcribed, Unheard
from server.protocols.events import Json
from server.protocols.realtime.items import Item, Items
from server.protocols.realtime.refusal import error
from server.protocols.realtime.sound import milliseconds

Heard = SpeechStarted | SpeechStopped | Committed | Cleared | Transcribed | Unheard
OWN = object()
"""In the place of an `event_id`: a commit of ours, for sound that came in an item."""
_MOST = 64
"""Utterances that are still being followed."""


@dataclass(slots=True)
class _Utterance:
    item: str
    silent: bool = False
    """The client made the item itself: it is not told of it again."""
    stopped: bool = False
    item_made: bool = False
    sent: str = ""


class Hearing:
    """`transcribed`: the client wants to read what was heard. `waiting`: utterances that nobody has answered yet.
    `seconds`: of sound in those that were understood since the presenter spoke last."""

    def __init__(self, items: Items, new: Callable[[str], str]) -> None:
        self.transcribed = False
        self.waiting = 0
        self.commits: list[object] = []
        """The `event_id` of each commit that has not come about yet."""
        self._items, self._new = items, new
        self._utterances: dict[int, _Utterance] = {}
        self._made: list[str] = []
        self.seconds = 0.0
        self.fault: tuple[str, str] | None = None
        """Why the last utterance that was committed was not understood."""

    def made(self, item: str) -> None:
        """The next utterance is this item of the client's."""
        self._made.append(item)

    def answered(self) -> float:
        """The presenter answers what was heard: seconds of it."""
        seconds, self.seconds, self.waiting, self.fault = self.seconds, 0.0, 0, None
        return seconds

    def feed(self, event: Heard) -> list[Json]:
        match event:
            case SpeechStarted(_, utterance, at):
                item = self._utterance(utterance).item
                return [_buffer("speech_started", audio_start_ms=milliseconds(at), item_id=item)]
            case SpeechStopped(_, utterance, at):
                known = self._utterance(utterance)
                known.stopped = True
                return [_buffer("speech_stopped", audio_end_ms=milliseconds(at), item_id=known.item)]
            case Committed(_, utterance):
                return self._committed(utterance)
            case Cleared():
                return [_buffer("cleared")]
            case Transcribed():
                return self._transcribed(event)
            case Unheard():
                return self._unheard(event)

    def _utterance(self, number: int) -> _Utterance:
        if number not in self._utterances:
            self._utterances[number] = _Utterance(self._new("item"))
            if len(self._utterances) > _MOST:
                del self._utterances[next(iter(self._utterances))]
        return self._utterances[number]

    def _committed(self, number: int) -> list[Json]:
        utterance = self._utterance(number)
        cause = self.commits.pop(0) if self.commits else None
        self.waiting += 1
        if self._made and cause is OWN:
            utterance.item, utterance.silent, utterance.item_made = self._made.pop(0), True, True
            return []
        content = [{"type": "input_audio", "transcript": None}]
        body: Json = {"id": utterance.item, "object": "realtime.item", "type": "message", "status": "completed"}
        item = Item({**body, "role": "user", "content": content}, known=True)
        before = self._items.add(item)
        utterance.item_made = True
        return [
            _buffer("committed", item_id=item.id, previous_item_id=before),
            {"type": "conversation.item.added", "previous_item_id": before, "item": dict(item.body)},
            {"type": "conversation.item.done", "previous_item_id": before, "item": dict(item.body)},
        ]

    def _transcribed(self, event: Transcribed) -> list[Json]:
        """Only what can be taken back by nothing is told before the end."""
        utterance = self._utterance(event.utterance)
        if not utterance.item_made:
            return []
        told: list[Json] = []
        news = event.text.removeprefix(utterance.sent) if event.text.startswith(utterance.sent) else ""
        if news and (self.transcribed or event.final):
            utterance.sent = event.text
            told.append(_transcription("delta", utterance.item, delta=news))
        if event.final:
            self.seconds += event.seconds
            self._written(utterance.item, event.text)
            usage = {"type": "duration", "seconds": round(event.seconds, 3)}
            told.append(_transcription("completed", utterance.item, transcript=event.text, usage=usage))
        return told if self.transcribed else []

    def _written(self, id: str, text: str) -> None:
        for item in self._items:
            if item.id == id:
                item.body["content"] = [
                    {**part, "transcript": text} if part["type"] == "input_audio" else part
                    for part in item.body["content"]
                ]

    def _unheard(self, event: Unheard) -> list[Json]:
        if event.code == "commit_empty":
            cause = self.commits.pop(0) if self.commits else None
            return [empty(None if cause is OWN else cause)]
        utterance = self._utterances.get(event.utterance)
        if utterance is None:
            return [error(event.code, event.message, ours=True)]
        if utterance.item_made:
            self.waiting, self.fault = max(0, self.waiting - 1), (event.code, event.message)
        told: list[Json] = []
        if not utterance.item_made:
            if not utterance.stopped:
                told.append(_buffer("speech_stopped", audio_end_ms=0, item_id=utterance.item))
        elif event.code == "nothing_heard" and self.transcribed:
            usage = {"type": "duration", "seconds": 0.0}
            told.append(_transcription("completed", utterance.item, transcript="", usage=usage))
        elif self.transcribed:
            fault = {"type": "server_error", "code": event.code, "message": event.message, "param": None}
            told.append(_transcription("failed", utterance.item, error=fault))
        if event.code != "nothing_heard" and not (self.transcribed and utterance.item_made):
            told.append(error(event.code, event.message, ours=True))
        return told


def empty(cause: object) -> Json:
    message = "the buffer is empty: append audio first / 缓冲区是空的，请先发送音频"
    return error("input_audio_buffer_commit_empty", message, cause)


def _buffer(what: str, **fields: object) -> Json:
    return {"type": f"input_audio_buffer.{what}", **fields}


def _transcription(what: str, item: str, **fields: object) -> Json:
    kind = f"conversation.item.input_audio_transcription.{what}"
    return {"type": kind, "item_id": item, "content_index": 0, **fields}
