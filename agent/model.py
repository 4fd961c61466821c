"""What a language model is: messages in, a stream of text out."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant"]


class ModelError(RuntimeError):
    """The model failed. `code`: unreachable, refused, interrupted, garbled, empty."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    text: str


class ChatModel(Protocol):
    def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        """Text deltas; closing the generator stops the model's work."""
        ...

    async def warm(self, messages: Sequence[Message]) -> None:
        """Load what is lazy and fill the prefix cache with the prompt that every turn begins with."""
        ...

    async def aclose(self) -> None: ...
