"""A client's frame as an event. The sound of a long one stands apart, to be decoded bit by bit: all at once it would
hold up everybody else for a tenth of a second."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from server.protocols.base import Frame
from server.protocols.events import Json
from server.protocols.realtime.refusal import Refusal
from server.protocols.realtime.sound import APPEND, FRAME, decoded

LONG = 256 * 1024
"""Characters from which a frame is long."""
_PIECE = 64 * 1024
"""Characters of base64 that are decoded at once; a multiple of four."""
_KEY = re.compile(r'"audio"\s{0,16}:\s{0,16}"')
_WRONG = "audio is not base64 / audio 不是有效的 base64"


@dataclass(frozen=True, slots=True)
class Long:
    """`message`: an event with a `mark` in the place of its sound, which is `frame[start:end]`, in base64. `param`:
    where that is."""

    message: Json
    mark: str
    param: str
    frame: str
    start: int
    end: int

    def whole(self, sound: tuple[bytes, ...]) -> Json:
        """The event with its sound, decoded, in its place."""
        if self.message.get("audio") == self.mark:
            return {**self.message, "audio": sound}
        item = self.message["item"]
        parts = [{**part, "audio": sound} if self._marked(part) else part for part in item["content"]]
        return {**self.message, "item": {**item, "content": parts}}

    def _marked(self, part: object) -> bool:
        return isinstance(part, dict) and part.get("audio") == self.mark

    def pieces(self) -> Iterator[bytes]:
        """The sound. Raises Refusal."""
        if (self.end - self.start) // 4 * 3 > APPEND + 2:
            raise Refusal("too_large", "at most 15 MiB of audio at once / 每次最多 15 MiB 音频", self.param)
        for at in range(self.start, self.end, _PIECE):
            text = self.frame[at : min(at + _PIECE, self.end)]
            piece = decoded(text, self.param)
            if at + _PIECE < self.end and len(piece) * 4 != len(text) * 3:  # it ends, and goes on
                raise Refusal("invalid_value", _WRONG, self.param)
            yield piece


def long(frame: Frame) -> Long | None:
    """None for what brings little sound, or is written in another way than clients do: it is parsed whole."""
    if not isinstance(frame, str) or not LONG < len(frame) <= FRAME:
        return None
    key = _KEY.search(frame, 0, LONG)
    if key is None:
        return None
    start = key.end()
    end = frame.find('"', start)
    if end - start < LONG // 2 or frame.find("\\", start, end) >= 0 or len(frame) - (end - start) > LONG:
        return None
    mark = secrets.token_hex(16)
    try:
        message = orjson.loads(f"{frame[:start]}{mark}{frame[end:]}")
    except orjson.JSONDecodeError:
        return None
    match message:
        case {"type": "input_audio_buffer.append", "audio": audio} if audio == mark:
            return Long(message, mark, "audio", frame, start, end)
        case {"type": "conversation.item.create", "item": {"content": [*parts]}}:
            if any(isinstance(part, dict) and part.get("audio") == mark for part in parts):
                return Long(message, mark, "item.content", frame, start, end)
    return None


def parsed(frame: Frame) -> Json:
    """Raises Refusal."""
    if len(frame) > FRAME:
        raise Refusal("too_large", "an event brings at most 15 MiB of audio / 每个事件最多 15 MiB 音频")
    if isinstance(frame, bytes):
        raise Refusal("unexpected_binary", "send JSON text frames; audio is base64 in them / 请发送 JSON 文本帧")
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError as wrong:
        raise Refusal("invalid_json", "the frame is not JSON / 不是有效的 JSON") from wrong
    match message:
        case {"type": str()}:
            event: Json = message
            return event
    raise Refusal(
        "invalid_value", "an event is a JSON object with a text 'type' / 事件应为带 type 的 JSON 对象", "type"
    )
