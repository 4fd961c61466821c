"""Tool calls put together from the pieces in which a model streams them. No I/O."""

from collections.abc import Hashable

from agent.model import ToolCall


class Calls:
    """`feed` the pieces of a call under whatever tells it from the others; `take` the calls in the order they began."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, ToolCall] = {}

    def feed(self, which: Hashable, id: str | None, name: str | None, arguments: str | None) -> None:
        call = self._calls.get(which, ToolCall("", "", ""))
        self._calls[which] = ToolCall(call.id or id or "", call.name or name or "", call.arguments + (arguments or ""))

    def take(self) -> list[ToolCall]:
        """The arguments are as the model wrote them, JSON or not. A call without an id is given one."""
        calls = [
            ToolCall(call.id or f"call-{number}", call.name, call.arguments)
            for number, call in enumerate(self._calls.values())
        ]
        self._calls.clear()
        return calls
