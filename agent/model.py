"""What a language model is: messages in, a stream of text and of calls for tools out."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant"]


class ModelError(RuntimeError):
    """The model failed. `code`: unreachable, refused, interrupted, garbled, empty, busy, too_long."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments`: JSON as the model wrote it, which nobody has looked at yet."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Called:
    """The model's message that asks for tools."""

    calls: tuple[ToolCall, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """What the tool gave that call `call` asked for."""

    call: str
    name: str
    text: str


Part = Message | Called | Returned
"""One message of a prompt."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool that the model may call. `parameters`: the JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """How a prompt is to be answered.

    `session`: the conversation, whose prompts share a beginning and are best sent to the same server.
    `schema`: the answer is to be JSON of this schema.
    """

    session: str = ""
    offers: tuple[Offer, ...] = ()
    schema: Mapping[str, Any] | None = None


PLAINLY = Ask()


class ChatModel(Protocol):
    @property
    def window(self) -> int | None:
        """Tokens that a prompt and its answer may take together; None where that is not known."""
        ...

    def stream(self, messages: Sequence[Part], ask: Ask = PLAINLY) -> AsyncGenerator[str | ToolCall, None]:
        """Text deltas, and whole calls of the tools that were offered; closing the generator stops the model's work.

        Raises ModelError.
        """
        ...

    async def warm(self, messages: Sequence[Message]) -> None:
        """Load what is lazy and fill the prefix cache with the prompt that every turn begins with."""
        ...

    async def aclose(self) -> None: ...


async def text_of(stream: AsyncGenerator[str | ToolCall, None]) -> AsyncGenerator[str, None]:
    """The text of an answer, for whoever offered no tools. `stream` is closed with this generator."""
    async with aclosing(stream) as deltas:
        async for delta in deltas:
            if isinstance(delta, str):
                yield delta
