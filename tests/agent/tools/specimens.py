"""Tools that misbehave on purpose, and what a call of one is made with."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from agent.model import Ask, Part, ToolCall
from agent.tools.builtin import built_in
from agent.tools.tool import Arguments, Context, Result, Tool, ToolError
from agent.tools.toolbox import Toolbox
from configs.language import Lang
from configs.tools import ToolSettings
from tests.doubles import Facts

NOW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
SETTINGS = ToolSettings(seconds=5, result_characters=1000)
SERVER = Path(__file__).with_name("mcp_server.py")


def context(lang: Lang, now: datetime = NOW) -> Context:
    return Context(lang, "session", None, now)


def call(name: str, arguments: str = "{}", number: int = 1) -> ToolCall:
    return ToolCall(f"call-{number}", name, arguments)


def toolbox(*tools: Tool, allowed: Sequence[str] = ("*",)) -> Toolbox:
    """The built-in tools, after those given."""
    return Toolbox((*tools, *built_in(SETTINGS, Facts())), allowed, SETTINGS)


class Doing:
    """A tool that does what it is told to, and knows how many of its calls are under way and were cancelled."""

    def __init__(self, does: Callable[[Arguments], Result], name: str = "doing", *, takes: float = 0) -> None:
        self.name, self._does, self._takes = name, does, takes
        self.description: dict[Lang, str] = {"zh": "做一件事", "en": "Does something"}
        self.parameters = {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
            "additionalProperties": False,
        }
        self.seconds: float | None = None
        self.running = self.cancelled = 0

    async def call(self, arguments: Arguments, context: Context) -> Result:
        self.running += 1
        try:
            await asyncio.sleep(self._takes)
            return self._does(arguments)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1


def raising(error: Exception) -> Callable[[Arguments], Result]:
    def does(arguments: Arguments) -> Result:
        raise error

    return does


def refusing() -> Doing:
    return Doing(raising(ToolError("refused", "no such city")))


class Script:
    """A model that gives what it is told to, round by round, and remembers what it was asked."""

    def __init__(self, *rounds: Sequence[str | ToolCall]) -> None:
        self._rounds = rounds
        self.asked: list[tuple[list[Part], Ask]] = []
        self.open = 0

    async def stream(self, messages: Sequence[Part], ask: Ask) -> AsyncGenerator[str | ToolCall, None]:
        self.asked.append((list(messages), ask))
        self.open += 1
        try:
            for item in self._rounds[min(len(self.asked), len(self._rounds)) - 1]:
                yield item
        finally:
            self.open -= 1
