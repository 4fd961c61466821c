"""Calls that a model writes as its text, in a form that its server does not take for calls. No I/O."""

import json
import re
from collections.abc import Collection

import orjson

from agent.model import ToolCall

_BEGINNINGS = ("{", "```", "<tool_call>")
_WRAPPING = re.compile(r"```(?:json)?|</?tool_call>|[\s,;]+")
_LONGEST = 8192


class WrittenCalls:
    """`feed` what a model says, take the same out; an answer that begins as a call is held until its end, and `finish`
    gives the calls of tools in `offered` where it is nothing else. Small models write them so.
    """

    def __init__(self, offered: Collection[str]) -> None:
        self._offered = offered
        self._held = ""
        self._watching = bool(offered)

    def feed(self, delta: str | ToolCall) -> list[str | ToolCall]:
        if not self._watching:
            return [delta]
        if isinstance(delta, ToolCall):
            return [*self._released(), delta]
        self._held += delta
        begun = self._held.lstrip()[:12]
        if len(self._held) < _LONGEST and any(begun.startswith(one) or one.startswith(begun) for one in _BEGINNINGS):
            return []
        return self._released()

    def finish(self) -> list[str | ToolCall]:
        if calls := self._calls():
            return [*calls]
        return self._released()

    def _released(self) -> list[str | ToolCall]:
        held, self._held, self._watching = self._held, "", False
        return [held] if held else []

    def _calls(self) -> list[ToolCall]:
        """None unless all of the text is calls."""
        calls: list[ToolCall] = []
        at, end = self._skipped(0), len(self._held)
        while at < end:
            try:
                value, at = json.JSONDecoder().raw_decode(self._held, at)
                name, arguments = value["name"], value["arguments"]
            except (ValueError, LookupError, TypeError, RecursionError):
                return []
            if not isinstance(name, str) or name not in self._offered or not isinstance(arguments, dict):
                return []
            calls.append(ToolCall(f"call-{len(calls)}", name, orjson.dumps(arguments).decode()))
            at = self._skipped(at)
        return calls

    def _skipped(self, at: int) -> int:
        while (found := _WRAPPING.match(self._held, at)) is not None:
            at = found.end()
        return at
