"""What a client's `conversation.item.create` makes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.commands import Microphone, ToolAnswered
from server.protocols.events import Json
from server.protocols.realtime.bodies import SessionBody
from server.protocols.realtime.items import Item
from server.protocols.realtime.refusal import Refusal
from server.protocols.realtime.sound import decoded, stretches

_CONTENT = {
    "user": ("input_text", "input_audio"),
    "system": ("input_text",),
    "assistant": ("output_text", "output_audio"),
}
_LONGEST = 20_000
"""Characters of a message that is not the user's, and of what a tool gave."""
_PARTS = 64
"""Of one message's content."""
_STATUSES = ("completed", "incomplete", "in_progress")


@dataclass(frozen=True, slots=True)
class Created:
    """`sound`: the user's, to be made out. `answer`: what a tool of the client's gave."""

    item: Item
    sound: tuple[Microphone, ...] = ()
    answer: ToolAnswered | None = None


def created(item: Any, new: Callable[[str], str], session: SessionBody, most: int) -> Created:
    """`most`: characters that the user's words may have. Raises Refusal."""
    match item:
        case {"type": "message", "role": str(role), "content": list(content)} if role in _CONTENT:
            return _message(item, role, content, new, session, most)
        case {"type": "function_call_output", "call_id": str(call), "output": str(output)}:
            body = {**_begun(item, new), "call_id": call[:64], "output": _short(output, "item.output")}
            return Created(Item(body), answer=ToolAnswered(call, output))
        case {"type": "function_call", "name": str(name), "arguments": str(arguments)}:
            given = _text(item.get("call_id"))[:64] or new("call")
            called = {"call_id": given, "name": name[:64], "arguments": _short(arguments, "item.arguments")}
            return Created(Item({**_begun(item, new), **called}))
        case {"type": str()}:
            told = "items are message, function_call and function_call_output, each with all of its fields"
            raise Refusal("invalid_value", f"{told} / 条目类型不支持，或缺少字段", "item")
    raise Refusal("invalid_value", "item is an object with a 'type' / item 应为带 type 的对象", "item")


def _begun(item: Json, new: Callable[[str], str]) -> Json:
    id, status = item.get("id"), item.get("status")
    if id is not None and not (isinstance(id, str) and 0 < len(id) <= 64):
        raise Refusal("invalid_value", "an id is 1 to 64 characters / id 为 1 到 64 个字符", "item.id")
    kept = status if status in _STATUSES else "completed"
    return {"id": id or new("item"), "object": "realtime.item", "type": item["type"], "status": kept}


def _message(
    item: Json, role: str, content: list[Any], new: Callable[[str], str], session: SessionBody, most: int
) -> Created:
    if len(content) > _PARTS:
        raise Refusal("array_above_max_length", f"at most {_PARTS} parts / 最多 {_PARTS} 个部分", "item.content")
    parts = [_part(part, role) for part in content]
    body = {**_begun(item, new), "role": role, "content": [_kept(part) for part in parts]}
    words = "\n".join(filter(None, (_text(part.get("text") or part.get("transcript")) for part in parts))).strip()
    if role != "user":
        _short(words, "item.content")
        return Created(Item(body))
    sound = [part["audio"] for part in parts if part.get("audio") and not part.get("transcript")]
    if len(words) > most:
        raise Refusal("question_too_long", f"at most {most} characters / 最多 {most} 个字符", "item.content")
    if not words and not sound:
        raise Refusal("invalid_value", "the message is empty / 消息是空的", "item.content")
    format = session.audio.input.format.type
    heard = [one for audio in sound for one in stretches(_whole(decoded(audio, "item.content"), format), format)]
    return Created(Item(body, words=words), tuple(heard))


def _part(part: Any, role: str) -> Json:
    match part:
        case {"type": str(kind)} if kind in _CONTENT[role]:
            found: Json = part
            texts = (found.get("text"), found.get("transcript"))
            if all(isinstance(one, str | None) for one in texts) and isinstance(found.get("audio"), str | tuple | None):
                return found
        case {"type": "input_image"}:
            raise Refusal(
                "unsupported",
                "the presenter cannot see pictures: describe it in words / 暂不支持图片，请用文字描述",
                "item.content",
            )
    told = f"the content of a {role} message is {' or '.join(_CONTENT[role])} / 消息内容类型不对"
    raise Refusal("invalid_value", told, "item.content")


def _short(text: str, param: str) -> str:
    """Raises Refusal."""
    if len(text) > _LONGEST:
        raise Refusal("string_above_max_length", f"at most {_LONGEST} characters / 最多 {_LONGEST} 个字符", param)
    return text


def _kept(part: Json) -> Json:
    """Without the sound, which is not kept."""
    if part["type"] == "input_audio":
        return {"type": "input_audio", "transcript": part.get("transcript")}
    return {name: part[name] for name in ("type", "text", "transcript") if part.get(name) is not None}


def _whole(data: bytes, format: str) -> bytes:
    return data[: len(data) & ~1] if format == "audio/pcm" else data


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
