"""The tools of one persona: offered to the model, recognised in a question, and run so that a turn never fails."""

import asyncio
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from agent.events import Citation
from agent.model import Offer, Returned, ToolCall
from agent.tools.results import inert
from agent.tools.schemas import Unfit, arguments
from agent.tools.search import Search
from agent.tools.tool import Context, Recognising, Result, Source, Tool, ToolError
from configs.language import Lang
from configs.tools import ToolSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Done:
    """`text`: the result as data, cut to size. `said`: it is a finished sentence in the user's language."""

    call: ToolCall
    text: str
    said: bool = False
    handover: bool = False
    citations: tuple[Citation, ...] = ()

    @property
    def returned(self) -> Returned:
        return Returned(self.call.id, self.call.name, self.text)


@dataclass(frozen=True, slots=True)
class Failed:
    """`code`: unknown, unfit, or a ToolError's. `text` tells the model what was wrong, and `said` is as in `Done`."""

    call: ToolCall
    code: str
    text: str
    said: bool = False

    @property
    def returned(self) -> Returned:
        return Returned(self.call.id, self.call.name, f"error: {self.text}")


Outcome = Done | Failed


class Toolbox:
    """`allowed`: names of tools, or patterns such as `weather_*`. Of two tools of one name the first is taken."""

    def __init__(
        self, tools: Sequence[Tool], allowed: Sequence[str], settings: ToolSettings, sources: Sequence[Source] = ()
    ) -> None:
        self._own, self._sources = tuple(tools), tuple(sources)
        self._allowed, self._settings = tuple(allowed), settings
        self._guest: Source | None = None

    def beside(self, guest: Source) -> "Toolbox":
        """With the tools of one session's client, which are its own to allow; of one name, ours is taken."""
        joined = Toolbox(self._own, self._allowed, self._settings, self._sources)
        joined._guest = guest
        return joined

    def offers(self, lang: Lang) -> tuple[Offer, ...]:
        """What the model is told of, in an order that stays the same while the servers' tools do."""
        return tuple(Offer(tool.name, tool.description[lang], tool.parameters) for tool in self._tools().values())

    @property
    def reaches_out(self) -> bool:
        """Whether there are tools besides those that know their questions by rules and those that search here."""
        return any(not isinstance(tool, Recognising | Search) for tool in self._tools().values())

    def hear(self, question: str, lang: Lang) -> ToolCall | None:
        """The call that answers a question without a model; None for a question that no tool knows as its own."""
        for tool in self._tools().values():
            if isinstance(tool, Recognising) and (given := tool.hears(question, lang)) is not None:
                return ToolCall("heard", tool.name, json.dumps(given, ensure_ascii=False))
        return None

    async def run(self, call: ToolCall, context: Context) -> Outcome:
        """Never raises but when it is cancelled, which cancels the tool."""
        tools = self._tools()
        tool = tools.get(call.name)
        if tool is None:
            return Failed(call, "unknown", f"there is no tool {inert(call.name, 64)!r}; there are: {', '.join(tools)}")
        try:
            given = arguments(call.arguments, tool.parameters)
        except Unfit as error:
            return self._failed(call, tool, "unfit", str(error))
        try:
            async with asyncio.timeout(tool.seconds or self._settings.seconds):
                result = await tool.call(given, context)
        except ToolError as error:
            return self._failed(call, tool, error.code, str(error))
        except TimeoutError:
            return self._failed(call, tool, "timeout", f"{tool.name} took too long and was stopped")
        except Exception as error:  # noqa: BLE001 - a stranger's tool may raise anything
            return self._failed(call, tool, "failed", f"{tool.name} failed: {type(error).__name__}")
        return self._done(call, tool, result)

    def _tools(self) -> dict[str, Tool]:
        found: dict[str, Tool] = {}
        for tool in self._every():
            if any(fnmatchcase(tool.name, pattern) for pattern in self._allowed):
                found.setdefault(tool.name, tool)
        for tool in self._guest.tools if self._guest else ():
            found.setdefault(tool.name, tool)
        return found

    def _every(self) -> Iterator[Tool]:
        yield from self._own
        for source in self._sources:
            yield from source.tools

    def _done(self, call: ToolCall, tool: Tool, result: Result) -> Done:
        text = inert(result.text, self._settings.result_characters) or "(nothing)"
        return Done(call, text, isinstance(tool, Recognising), result.handover, result.citations)

    def _failed(self, call: ToolCall, tool: Tool, code: str, message: str) -> Failed:
        log.warning("tool %s: %s", tool.name, code)
        said = isinstance(tool, Recognising) and code not in ("unfit", "timeout", "failed")
        return Failed(call, code, inert(message, self._settings.result_characters), said)
