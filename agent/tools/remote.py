"""Tools that the client has: called over its own connection, answered when it answers."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.commands import RemoteTool, ToolAnswered
from agent.tools.tool import Arguments, Context, Result, ToolError
from configs.language import Lang

Ask = Callable[[str, str, str], None]
"""Asks the client: the call's id, the tool's name, its arguments as JSON."""

MOST = 64
"""Tools that one client may offer."""


class RemoteTools:
    """All the tools of one client, for as long as it is connected."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._tools: tuple[_Remote, ...] = ()
        self._waiting: dict[str, asyncio.Future[str]] = {}

    @property
    def tools(self) -> "tuple[_Remote, ...]":
        return self._tools

    def offer(self, tools: tuple[RemoteTool, ...]) -> None:
        """In place of those that it offered before."""
        self._tools = tuple(_Remote(tool, self._call) for tool in tools[:MOST])

    def answered(self, answer: ToolAnswered) -> bool:
        """False where nobody waits for it: it is late, or made up."""
        future = self._waiting.pop(answer.call, None)
        if future is None or future.done():
            return False
        if answer.failed:
            future.set_exception(ToolError("failed", answer.text))
        else:
            future.set_result(answer.text)
        return True

    async def _call(self, name: str, arguments: Arguments) -> str:
        call = secrets.token_hex(8)
        future = self._waiting[call] = asyncio.get_running_loop().create_future()
        try:
            self._ask(call, name, json.dumps(dict(arguments), ensure_ascii=False))
            answer: str = await future
            return answer
        finally:
            self._waiting.pop(call, None)


@dataclass(frozen=True)
class _Remote:
    offered: RemoteTool
    ask: Callable[[str, Arguments], Awaitable[str]]
    seconds: float | None = None

    @property
    def name(self) -> str:
        return self.offered.name

    @property
    def description(self) -> Mapping[Lang, str]:
        return {"zh": self.offered.description, "en": self.offered.description}

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.offered.parameters

    async def call(self, arguments: Arguments, context: Context) -> Result:
        return Result(await self.ask(self.name, arguments))
