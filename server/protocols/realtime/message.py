"""One message of the presenter's in a Realtime response: its words, its sound, its cues, on one clock."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.events import Caption, Citation, Citations, Motion, SentenceEnded, SentenceStarted, Speech, TextDelta
from agent.tokens import estimate
from server.protocols.events import Json, cited, parted
from server.protocols.realtime.items import Item, Items, Spoken
from server.protocols.realtime.sound import Outgoing, milliseconds

Piece = TextDelta | SentenceStarted | Motion | Caption | Speech | SentenceEnded | Citations
"""What a message is made of."""


@dataclass(slots=True)
class Message:
    """`key`: response and item, as its events name them. `told`, `ended`: sentences of its turn shown, and spoken.
    `extended`: the client wants cues and captions. `listed`: it is in the conversation."""

    item: Item
    spoken: Spoken
    key: Json
    audio: bool
    sound: Outgoing
    extended: bool
    listed: bool
    text: str = ""
    told: int = 0
    ended: int = 0
    begun: bool = False
    leading: bool = False
    at: float = 0.0
    citations: tuple[Citation, ...] = ()
    before: str | None = field(default=None)

    def opened(self, items: Items) -> list[Json]:
        body = dict(self.item.body)
        told: list[Json] = [self._output("added", body)]
        if self.listed:
            self.before = items.add(self.item)
            told.append({"type": "conversation.item.added", "previous_item_id": self.before, "item": body})
        told.append({"type": "response.content_part.added", **self.key, "part": self._part("")})
        return told

    def lead(self, pieces: list[Piece]) -> list[Json]:
        """Sound of another turn that goes before this message's own."""
        self.leading = True
        told = [event for piece in pieces for event in self.feed(piece)]
        self.leading, self.spoken.lead = False, self.spoken.seconds
        self.told = self.ended = 0
        return told

    def feed(self, piece: Piece) -> list[Json]:
        match piece:
            case TextDelta(_, text):
                return self._words(text)
            case SentenceStarted(_, _, text, at):
                self._begin(text, at)
            case Speech(_, _, at, audio):
                self.spoken.seconds = max(self.spoken.seconds, self.at + at + audio.seconds)
                self.spoken.transcript.played(at + audio.seconds)
                return self._delta(self.sound.feed(audio))
            case SentenceEnded():
                self.spoken.transcript.ended()
                self.ended += 1
            case Caption(_, _, words):
                self.spoken.transcript.captioned(words)
                timed = [[word.text, *map(milliseconds, (word.start, word.end))] for word in words]
                return self._extension("zhubo.caption", words=timed)
            case Motion():
                return self._cue(piece)
            case Citations(_, citations):
                self.citations += citations
                return self._extension("zhubo.citations", citations=[cited(one) for one in citations])
        return []

    def closed(self, status: str) -> list[Json]:
        """Its end. `status`: completed or incomplete."""
        told = self._delta(self.sound.flush())
        text = self.text
        if self.audio:
            told.append({"type": "response.output_audio.done", **self.key})
            told.append({"type": "response.output_audio_transcript.done", **self.key, "transcript": text})
        else:
            told.append({"type": "response.output_text.done", **self.key, "text": text})
        annotations = [_annotation(one) for one in self.citations]
        part = {**self._part(text), "annotations": annotations} if annotations else self._part(text)
        told.append({"type": "response.content_part.done", **self.key, "part": part})
        kept = text if self.item.cut is None else self.item.cut
        content: Json = (
            {"type": "output_audio", "transcript": kept} if self.audio else {"type": "output_text", "text": kept}
        )
        if annotations:
            content["annotations"] = annotations
        self.item.body = {**self.item.body, "status": status, "content": [content]}
        body = dict(self.item.body)
        if self.listed:
            told.append({"type": "conversation.item.done", "previous_item_id": self.before, "item": body})
        return [*told, self._output("done", body)]

    @property
    def tokens(self) -> tuple[int, int]:
        """Of text, and of sound, estimated: one for 50 ms."""
        return estimate(self.text), round(self.spoken.seconds * 20) if self.audio else 0

    def _words(self, text: str) -> list[Json]:
        text = text if self.told else parted(self.text, text)
        self.text += text
        self.told += 1
        kind = "response.output_audio_transcript.delta" if self.audio else "response.output_text.delta"
        return [{"type": kind, **self.key, "delta": text}]

    def _begin(self, text: str, at: float) -> None:
        spoken = self.spoken
        if not self.leading and not self.begun:
            self.begun, spoken.begin = True, at
        self.at = at if self.leading else spoken.lead + at - spoken.begin
        spoken.transcript.started(text, self.at)

    def _delta(self, data: bytes) -> list[Json]:
        if not data or not self.audio:
            return []
        return [{"type": "response.output_audio.delta", **self.key, "delta": base64.b64encode(data).decode("ascii")}]

    def _cue(self, motion: Motion) -> list[Json]:
        return self._extension(
            "zhubo.cue",
            visemes=[[milliseconds(one.at), one.shape, round(one.weight, 2)] for one in motion.visemes],
            emotions=[[milliseconds(cue.at), cue.emotion, round(cue.intensity, 2)] for cue in motion.emotions],
            gestures=[[milliseconds(cue.at), cue.gesture] for cue in motion.gestures],
        )

    def _extension(self, kind: str, **fields: object) -> list[Json]:
        """`audio_ms`: where in the item's sound the times of the event count from."""
        if not self.extended:
            return []
        names = {name: self.key[name] for name in ("response_id", "item_id")}
        return [{"type": kind, **names, "audio_ms": milliseconds(self.at), **fields}]

    def _part(self, text: str) -> Json:
        return {"type": "audio", "transcript": text} if self.audio else {"type": "text", "text": text}

    def _output(self, what: str, body: Json) -> Json:
        names = {name: self.key[name] for name in ("response_id", "output_index")}
        return {"type": f"response.output_item.{what}", **names, "item": body}


def _annotation(citation: Citation) -> Json:
    place = citation.place
    return {
        "type": "file_citation",
        "file_id": citation.document,
        "filename": citation.title,
        "quote": citation.quote,
        "source": citation.source,
        "page": place.page,
        "section": list(place.section),
    }


New = Callable[[str], str]
"""A new id with this prefix."""
