"""Any LangChain chat model behind Zhubo's own door."""

import importlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from pydantic import Field, field_validator

from agent.model import Message, ModelError
from configs.engines import ConfigError, Options, reason
from configs.home import Home


class LangChainOptions(Options):
    """`class`: "package.module:ChatModel"; `arguments`: what its constructor is given."""

    model_class: str = Field(alias="class")
    arguments: dict[str, Any] = Field(default_factory=dict)

    @field_validator("model_class")
    @classmethod
    def _names_a_class(cls, value: str) -> str:
        module, _, name = value.partition(":")
        if not module or not name.isidentifier():
            raise ValueError("must look like langchain_openai:ChatOpenAI")
        return value


class LangChain:
    """Costs about 0.2 ms of CPU a token: for models that no leaner engine reaches."""

    Options = LangChainOptions

    def __init__(self, options: LangChainOptions, home: Home) -> None:
        self._model = _build(options)

    async def stream(self, messages: Sequence[Message]) -> AsyncGenerator[str, None]:
        said = False
        try:
            async with aclosing(self._model.astream([(message.role, message.text) for message in messages])) as chunks:
                async for chunk in chunks:
                    if text := _text(chunk.content):
                        said = True
                        yield text
        except Exception as error:  # noqa: BLE001  each LangChain integration raises its own vendor's errors
            code = "interrupted" if said else "unreachable"
            raise ModelError(code, f"the LangChain model failed: {type(error).__name__}") from error
        if not said:
            raise ModelError("empty", "the LangChain model's answer has no text")

    async def warm(self, messages: Sequence[Message]) -> None:
        pass

    async def aclose(self) -> None:
        pass


def _build(options: LangChainOptions) -> Any:
    module, _, name = options.model_class.partition(":")
    try:
        return getattr(importlib.import_module(module), name)(**options.arguments)
    except AttributeError as error:
        raise ConfigError(f"models engine 'langchain', option 'class': {module} has no {name}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"models engine 'langchain', option 'arguments': {reason(error)}") from error


def _text(content: str | list[str | dict[str, Any]]) -> str:
    """A message's content is text, or a list of blocks of which some are text."""
    if isinstance(content, str):
        return content
    texts = (block if isinstance(block, str) else str(block.get("text", "")) for block in content)
    return "".join(texts)
