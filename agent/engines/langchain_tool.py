"""Any LangChain tool as a tool of the presenter's."""

import asyncio
import importlib
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from agent.tools.results import inert
from agent.tools.schemas import bounded
from agent.tools.tool import Arguments, Context, Result, ToolError
from configs.engines import ConfigError, reason
from configs.language import Lang
from configs.tools import LangChainToolSettings

LONGEST_DESCRIPTION = 500
_THREADS = 2
"""Of one tool that blocks: calls that hang there keep nobody else waiting."""


class LangChainTool:
    """`class` names a tool, such as a function under `@tool`, or a class of tools. One that only works in a thread
    is let go of at its time-out, and ends by itself."""

    def __init__(self, settings: LangChainToolSettings) -> None:
        self._tool = _found(settings)
        self.name = re.sub("[^A-Za-z0-9_-]", "_", self._tool.name)[:64]
        told = inert(self._tool.description or self.name, LONGEST_DESCRIPTION)
        self.description: Mapping[Lang, str] = {"zh": told, "en": told}
        try:
            self.parameters: Mapping[str, Any] = bounded(self._tool.tool_call_schema.model_json_schema())
        except Exception as error:  # noqa: BLE001 - a stranger's class may raise anything
            raise ConfigError(f"tools.langchain: {settings.tool}: {reason(error)}") from error
        self.seconds: float | None = None
        self._threads = ThreadPoolExecutor(_THREADS, self.name) if _blocks(self._tool) else None

    async def call(self, arguments: Arguments, context: Context) -> Result:
        try:
            if self._threads is None:
                return Result(_text(await self._tool.ainvoke(dict(arguments))))
            loop = asyncio.get_running_loop()
            return Result(_text(await loop.run_in_executor(self._threads, self._tool.invoke, dict(arguments))))
        except Exception as error:  # noqa: BLE001 - each tool raises its own vendor's errors
            raise ToolError("failed", f"{self.name} failed: {reason(error)}") from error


def _found(settings: LangChainToolSettings) -> Any:
    """Raises ConfigError that says what is not there or is no tool."""
    from langchain_core.tools import BaseTool

    module, _, name = settings.tool.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
        tool = found(**settings.arguments) if isinstance(found, type) else found
    except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything
        raise ConfigError(f"tools.langchain: {settings.tool}: {reason(error)}") from error
    if not isinstance(tool, BaseTool):
        raise ConfigError(f"tools.langchain: {settings.tool} is no LangChain tool")
    if tool is found and settings.arguments:
        raise ConfigError(f"tools.langchain: {settings.tool} is a tool already and takes no arguments")
    return tool


def _blocks(tool: Any) -> bool:
    """LangChain would run it in the event loop's own threads, which everybody shares."""
    from langchain_core.tools import BaseTool, StructuredTool, Tool

    alike = type(tool)._arun in (BaseTool._arun, StructuredTool._arun, Tool._arun)
    return alike and getattr(tool, "coroutine", None) is None


def _text(given: Any) -> str:
    """What a tool returns is text, blocks of which some are text, or data."""
    if isinstance(given, str):
        return given
    if isinstance(given, list) and all(isinstance(block, dict) and "text" in block for block in given):
        return "\n".join(str(block["text"]) for block in given)
    return json.dumps(given, ensure_ascii=False, default=str)
