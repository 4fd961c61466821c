"""Any LangChain chat model behind Zhubo's own door."""

import importlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import orjson
from pydantic import Field, field_validator

from agent.engines import wire
from agent.engines.calls import Calls
from agent.engines.thinking import Thoughts
from agent.model import PLAINLY, Ask, Message, ModelError, Part, ToolCall
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

    @property
    def window(self) -> int | None:
        return None

    async def stream(self, messages: Sequence[Part], ask: Ask = PLAINLY) -> AsyncGenerator[str | ToolCall, None]:
        """Tools are bound and schemas asked for where the model can; another answers as if there were none."""
        said = False
        try:
            async with aclosing(self._deltas(messages, ask)) as deltas:
                async for delta in deltas:
                    said = True
                    yield delta
        except Exception as error:  # noqa: BLE001  each LangChain integration raises its own vendor's errors
            code = "interrupted" if said else "unreachable"
            raise ModelError(code, f"the LangChain model failed: {type(error).__name__}") from error
        if not said:
            raise ModelError("empty", "the LangChain model's answer has no text")

    async def warm(self, messages: Sequence[Message]) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def _deltas(self, messages: Sequence[Part], ask: Ask) -> AsyncGenerator[str | ToolCall, None]:
        conversation = wire.messages(messages)
        if ask.schema is not None and (structured := self._structured(ask.schema)) is not None:
            yield orjson.dumps(await structured.ainvoke(conversation)).decode()
            return
        thoughts, calls = Thoughts(), Calls()
        async with aclosing(self._offering(ask).astream(conversation)) as chunks:
            async for chunk in chunks:
                _hear(chunk, calls)
                if text := thoughts.feed(_text(chunk.content)):
                    yield text
        if text := thoughts.flush():
            yield text
        for call in calls.take():
            yield call

    def _offering(self, ask: Ask) -> Any:
        if not ask.offers:
            return self._model
        try:
            return self._model.bind_tools(wire.tools(ask.offers))
        except NotImplementedError:
            return self._model

    def _structured(self, schema: Mapping[str, Any]) -> Any | None:
        try:
            return self._model.with_structured_output({"title": "answer", **schema})
        except NotImplementedError:
            return None


def _build(options: LangChainOptions) -> Any:
    module, _, name = options.model_class.partition(":")
    try:
        return getattr(importlib.import_module(module), name)(**options.arguments)
    except AttributeError as error:
        raise ConfigError(f"models engine 'langchain', option 'class': {module} has no {name}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"models engine 'langchain', option 'arguments': {reason(error)}") from error


def _hear(message: Any, calls: Calls) -> None:
    """A model that does not stream gives a whole message, with whole calls."""
    for piece in getattr(message, "tool_call_chunks", ()):
        calls.feed(piece["index"], piece["id"], piece["name"], piece["args"])
    if not hasattr(message, "tool_call_chunks"):
        for call in message.tool_calls:
            calls.feed(call["id"], call["id"], call["name"], orjson.dumps(call["args"]).decode())


def _text(content: str | list[str | dict[str, Any]]) -> str:
    """A message's content is text, or a list of blocks of which some are text."""
    if isinstance(content, str):
        return content
    texts = (block if isinstance(block, str) else str(block.get("text", "")) for block in content)
    return "".join(texts)
