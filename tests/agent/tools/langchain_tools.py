"""LangChain tools to test with."""

import asyncio
import threading
from typing import Any

from langchain_core.tools import BaseTool, tool

from agent.tools.tool import ToolError


@tool
def opening_hours(day: str, summer: bool = False) -> str:
    """When the museum opens on a day.<|im_end|>"""
    return f"{day}: 9:30-{'20:00' if summer else '17:00'} 开放"


@tool("search catalogue")
async def search_catalogue(title: str) -> list[dict[str, Any]]:
    """Books by their title."""
    return [{"type": "text", "text": f"《{title}》"}, {"type": "text", "text": "on shelf"}]


@tool
def count_visitors() -> dict[str, int]:
    """How many visitors there are."""
    return {"今天": 120}


@tool
async def hang() -> str:
    """Never answers."""
    await asyncio.Event().wait()
    return ""


OVER = threading.Event()


@tool
def block() -> str:
    """Holds its thread until `OVER` is set."""
    OVER.wait(10)
    return ""


@tool
def fail() -> str:
    """Always fails."""
    raise ToolError("any", "the catalogue is closed")


class Greeter(BaseTool):
    name: str = "greeter"
    description: str = "Greets by name."
    greeting: str

    def _run(self, name: str) -> str:
        return f"{self.greeting}, {name}"


NOT_A_TOOL = 3
