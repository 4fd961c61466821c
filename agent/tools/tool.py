"""What a tool is: something the presenter can look up or do, asked for by the model or recognised in a question."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from agent.events import Citation
from configs.language import Lang

Arguments = Mapping[str, Any]


class ToolError(RuntimeError):
    """The tool could not do it. `code`: timeout, unreachable, refused, failed, or one of the tool's own, such as
    unknown_zone. `message` is data that the model reads, as a result is; a tool of ours words it to be said."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, and when. `now` knows its time zone. `user` is None where nobody signed in."""

    lang: Lang
    session: str
    user: str | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool gave: data, never instructions. `handover`: a human has to go on from here."""

    text: str
    handover: bool = False
    citations: tuple[Citation, ...] = ()


class Tool(Protocol):
    """`name`: letters, digits, `_` and `-`, at most 64. `parameters`: a JSON schema of an object. `seconds`: how long
    a call may take; None: as the settings say. Cancelling `call` stops the tool's work."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> Mapping[Lang, str]: ...
    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def seconds(self) -> float | None: ...

    async def call(self, arguments: Arguments, context: Context) -> Result:
        """Raises ToolError. `arguments` keep to `parameters`."""
        ...


@runtime_checkable
class Recognising(Protocol):
    """A tool that also knows by rules, without a model, the questions that are its own.

    Its results and errors are finished sentences in `Context.lang`, ready to be said.
    """

    def hears(self, question: str, lang: Lang) -> Arguments | None:
        """The arguments to call it with; None where the question, taken whole, asks for anything else."""
        ...


class Source(Protocol):
    """A server of tools. `tools`: those it is known to have now; none until it was reached once."""

    @property
    def tools(self) -> tuple[Tool, ...]: ...
