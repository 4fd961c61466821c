"""The OpenAI protocol's stream of server-sent events, read into text and tool calls. No I/O."""

from typing import Any

import orjson

from agent.engines.calls import Calls
from agent.engines.thinking import Thoughts
from agent.model import ModelError, ToolCall

_DATA = b"data:"
_DONE = b"[DONE]"
_LONGEST_EVENT = 1 << 20
_ABORTED = ("abort", "error")
"""Why vLLM stops an answer that is not at its end. `length` is a normal end."""


class Deltas:
    """`feed` the bytes as they come, take out text deltas and, once they are whole, tool calls. Thoughts stay out.

    `finished`: the model said why it stopped. A stream that ends without it was cut off, even where it ends
    with `[DONE]`: a server that is shut down in the middle of an answer sends that too.
    """

    def __init__(self) -> None:
        self.finished = False
        self._rest = b""
        self._thoughts = Thoughts()
        self._calls = Calls()

    def feed(self, data: bytes) -> list[str | ToolCall]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_EVENT:
            raise ModelError("garbled", "the model server sent an event longer than 1 MB")
        found: list[str | ToolCall] = []
        for line in lines:
            if line.startswith(_DATA):
                self._read(line[len(_DATA) :].strip(), found)
        return found

    def _read(self, payload: bytes, found: list[str | ToolCall]) -> None:
        if payload == _DONE:
            return
        try:
            event = orjson.loads(payload)
            if "error" in event:
                raise ModelError("interrupted", "the model server reported an error in the middle of its answer")
            if not event["choices"]:
                return
            choice = event["choices"][0]
            delta, reason = choice.get("delta") or {}, choice.get("finish_reason")
            content = delta.get("content")
            for piece in delta.get("tool_calls") or ():
                self._call(piece)
        except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError) as error:
            raise ModelError("garbled", "the model server sent an event that cannot be read") from error
        if content:
            if not isinstance(content, str):
                raise ModelError("garbled", "the model server sent text that is not text")
            if text := self._thoughts.feed(content):
                found.append(text)
        if reason is not None:
            self._finish(reason, found)

    def _call(self, piece: Any) -> None:
        function = piece.get("function") or {}
        parts = piece.get("id"), function.get("name"), function.get("arguments")
        if not all(part is None or isinstance(part, str) for part in parts):
            raise ModelError("garbled", "the model server sent a tool call that is none")
        self._calls.feed(piece.get("index", 0), *parts)

    def _finish(self, reason: str, found: list[str | ToolCall]) -> None:
        if reason in _ABORTED:
            raise ModelError("interrupted", "the model server gave up its answer")
        self.finished = True
        if text := self._thoughts.flush():
            found.append(text)
        found += self._calls.take()
