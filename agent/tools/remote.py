"""Tools that the client has: called over its own connection, answered when it answers."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agent.commands import Control, RemoteTool, ToolAnswered
from agent.tools import controls
from agent.tools.schemas import bounded
from agent.tools.tool import Arguments, Context, Result, ToolError
from configs.language import Lang

Ask = Callable[[str, str, str, int], None]
"""Asks the client: the call's id, the tool's name, its arguments as JSON, and how many calls follow at once."""

MOST = 64
"""Tools that one client may offer."""

_PATIENCE = 4.0
"""Seconds that a device has to do what its user asked."""


class RemoteTools:
    """All the tools of one client, for as long as it is connected."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._tools: tuple[_Remote, ...] = ()
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._asking: list[tuple[str, str, str]] = []

    @property
    def tools(self) -> "tuple[_Remote, ...]":
        return self._tools

    def offer(self, tools: tuple[RemoteTool, ...]) -> None:
        """In place of those that it offered before."""
        status = next((tool.name for tool in tools[:MOST] if tool.control == "status"), None)
        made = (_made(tool, self._call, status) for tool in tools[:MOST])
        self._tools = tuple(tool for tool in made if tool is not None)

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
            self._put(call, name, json.dumps(dict(arguments), ensure_ascii=False))
            answer: str = await future
            return answer
        finally:
            self._waiting.pop(call, None)

    def _put(self, call: str, name: str, arguments: str) -> None:
        """Those of one round are put together: each begins before the loop comes round again."""
        self._asking.append((call, name, arguments))
        if len(self._asking) == 1:
            asyncio.get_running_loop().call_soon(self._put_all)

    def _put_all(self) -> None:
        asked, self._asking = self._asking, []
        for more, one in zip(range(len(asked) - 1, -1, -1), asked, strict=True):
            self._ask(*one, more)


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


@dataclass(frozen=True)
class _Controlled(_Remote):
    """A device's control, which knows by rules what is asked of it. `status`: the tool that tells its state."""

    status: str | None = None
    levels: dict[str, int] = field(default_factory=dict)
    """As they were set last."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        return controls.parameters(self._control)

    @property
    def _control(self) -> Control:
        assert self.offered.control is not None
        return self.offered.control

    def hears(self, question: str, lang: Lang) -> Arguments | None:
        return controls.heard(self._control, question, lang)

    async def call(self, arguments: Arguments, context: Context) -> Result:
        control, lang = self._control, context.lang
        try:
            async with asyncio.timeout(_PATIENCE):
                return Result(await self._done(control, arguments, lang))
        except (TimeoutError, ToolError) as error:
            if isinstance(error, ToolError) and error.code == "unknown_level":
                raise
            raise ToolError("undone", controls.undone(control, lang)) from error

    async def _done(self, control: Control, arguments: Arguments, lang: Lang) -> str:
        if control == "status":
            told = controls.report(await self.ask(self.name, {}), arguments.get("about", "all"), lang)
            return told or controls.undone("status", lang)
        wanted = arguments.get(control)
        if wanted is None:
            wanted = await self._stepped(control, arguments.get("change", 0), lang)
        if (await self.ask(self.name, {control: wanted})).strip().casefold() == "false":
            raise ToolError("refused", "the device said no")
        if isinstance(wanted, int):
            self.levels[control] = wanted
        return controls.done(control, wanted, lang)

    async def _stepped(self, control: Control, change: int, lang: Lang) -> int:
        level = controls.current(control, await self.ask(self.status, {})) if self.status else None
        level = self.levels.get(control) if level is None else level
        if level is None:
            raise ToolError("unknown_level", controls.unknown(control, lang))
        return max(0, min(100, level + change))


def _made(tool: RemoteTool, ask: Callable[[str, Arguments], Awaitable[str]], status: str | None) -> _Remote | None:
    """None for what no model could be told of."""
    try:
        kept = replace(tool, parameters=bounded(tool.parameters))
    except (ValueError, TypeError):
        return None
    return _Controlled(kept, ask, status=status) if tool.control else _Remote(kept, ask)
