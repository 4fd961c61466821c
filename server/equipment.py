"""What a presenter works with besides its model, voice and documents: the guard over what is said, and the tools."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from agent.audit import Audit, Detail, Entry
from agent.engines.langchain_tool import LangChainTool
from agent.engines.mcp_tools import McpServer
from agent.guard import Guard
from agent.tools.builtin import built_in
from agent.tools.search import Knowledge
from agent.tools.tool import Tool
from agent.tools.toolbox import Toolbox
from configs.home import Home
from configs.settings import Settings
from configs.tools import ToolSettings
from server.building import aclose, built


@dataclass(frozen=True, slots=True)
class Equipment:
    """One for all sessions of a process."""

    guard: Guard
    tools: tuple[Tool, ...]
    servers: tuple[McpServer, ...]
    settings: ToolSettings

    def toolbox(self, allowed: Sequence[str], knowledge: Knowledge) -> Toolbox:
        return Toolbox((*built_in(self.settings, knowledge), *self.tools), allowed, self.settings, self.servers)


async def equipped(undo: AsyncExitStack, settings: Settings, home: Home, audit: Audit) -> Equipment:
    """A server of tools that cannot be reached yet is no reason not to start. Raises ConfigError."""
    async with asyncio.TaskGroup() as tasks:
        moderators = [
            tasks.create_task(built(undo, "moderators", spec, home, aclose)) for spec in settings.safety.moderators
        ]
        tools = [tasks.create_task(asyncio.to_thread(LangChainTool, one)) for one in settings.tools.langchain]
        servers = [tasks.create_task(asyncio.to_thread(McpServer, one)) for one in settings.tools.mcp]
    connected = tuple(task.result() for task in servers)
    for server in connected:
        undo.push_async_callback(server.aclose)
    await asyncio.gather(*(server.open() for server in connected))

    def tell(direction: str, action: str, category: str, risk: str | None) -> None:
        detail: Detail = {"direction": direction, "action": action, "category": category, "risk": risk or ""}
        audit.record(Entry("presenter", "moderated", detail=detail))

    guard = Guard([task.result() for task in moderators], settings.safety, tell)
    return Equipment(guard, tuple(task.result() for task in tools), connected, settings.tools)
