"""The LangChain adapter, with the fake chat models that LangChain itself ships."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableLambda

from agent.engines.langchain import LangChain
from agent.model import Ask, Called, Message, ModelError, Offer, Part, Returned, ToolCall
from configs.engines import ConfigError, EngineSpec, options_of
from configs.home import current

ASKED: list[Part] = [Message("system", "Be short."), Message("user", "你好")]
FAKES = "langchain_core.language_models.fake_chat_models"


def engine(name: str, **arguments: object) -> LangChain:
    options = LangChain.Options.model_validate({"class": f"{FAKES}:{name}", "arguments": arguments})
    return LangChain(options, current())


class Caller(FakeMessagesListChatModel):
    """A fake that takes tools and schemas, and tells of what it was given in its answer's text."""

    def bind_tools(self, tools: Any, **options: Any) -> Runnable[Any, BaseMessage]:
        self.responses[-1].content = ",".join(tool["function"]["name"] for tool in tools)
        return self

    def with_structured_output(self, schema: Any, **options: Any) -> Runnable[Any, Any]:
        return RunnableLambda(lambda conversation: {"schema": schema["title"], "messages": len(conversation)})


def caller(*responses: BaseMessage) -> LangChain:
    arguments = {"responses": list(responses)}
    return LangChain(
        LangChain.Options.model_validate({"class": f"{__name__}:Caller", "arguments": arguments}), current()
    )


ADD = Offer("add", "Adds 加", {"type": "object", "properties": {"a": {"type": "number"}}})
CALL = AIMessage("", tool_calls=[{"name": "add", "args": {"a": 2}, "id": "x"}])


async def test_tools_are_bound_and_calls_come_out() -> None:
    found = [delta async for delta in caller(CALL).stream(ASKED, Ask(offers=(ADD,)))]
    assert found == ["add", ToolCall("x", "add", '{"a":2}')]


async def test_streamed_pieces_of_calls_are_put_together() -> None:
    streamed = engine("GenericFakeChatModel", messages=iter([CALL]))
    pieces = [
        {"name": "add", "args": '{"a"', "id": "x", "index": 0},
        {"name": None, "args": ": 2}", "id": None, "index": 0},
    ]

    async def astream(conversation: Any) -> AsyncIterator[AIMessageChunk]:
        for piece in pieces:
            yield AIMessageChunk("", tool_call_chunks=[piece])

    object.__setattr__(streamed._model, "astream", astream)
    assert [delta async for delta in streamed.stream(ASKED)] == [ToolCall("x", "add", '{"a": 2}')]


async def test_a_conversation_with_tools_is_one_that_langchain_reads() -> None:
    called = Called((ToolCall("x", "add", '{"a": 2}'), ToolCall("y", "add", "nonsense")))
    parts = [*ASKED, called, Returned("x", "add", "四"), Returned("y", "add", "invalid")]
    model = engine("FakeListChatModel", responses=["四"])
    assert [delta async for delta in model.stream(parts, Ask(offers=(ADD,)))] == ["四"], "it cannot bind tools"


async def test_a_schema_is_asked_for_where_the_model_can() -> None:
    schema = {"type": "object", "properties": {}}
    answer = [delta async for delta in caller(CALL).stream(ASKED, Ask(schema=schema))]
    assert answer == ['{"schema":"answer","messages":2}']
    plain = engine("FakeListChatModel", responses=["四"])
    assert [delta async for delta in plain.stream(ASKED, Ask(schema=schema))] == ["四"]


async def test_thoughts_are_kept_out() -> None:
    model = engine("FakeListChatModel", responses=["<think>秘密 secret</think>你好"])
    assert "".join([str(delta) async for delta in model.stream(ASKED)]) == "你好"


async def test_a_langchain_model_streams() -> None:
    model = engine("FakeListChatModel", responses=["你好, visitor"])
    deltas = [delta async for delta in model.stream(ASKED)]
    assert "".join(deltas) == "你好, visitor"
    assert len(deltas) > 5


async def test_a_vendors_error_becomes_a_model_error() -> None:
    model = engine("FakeListChatModel", responses=["hello"], error_on_chunk_number=2)
    heard: list[str] = []
    with pytest.raises(ModelError) as caught:
        async for delta in model.stream(ASKED):
            heard.append(delta)
    assert (caught.value.code, "".join(heard)) == ("interrupted", "he")


async def test_an_answer_without_text_is_empty() -> None:
    silent = AIMessage("")
    with pytest.raises(ModelError) as caught:
        [delta async for delta in engine("FakeMessagesListChatModel", responses=[silent]).stream(ASKED)]
    assert caught.value.code == "empty"


@pytest.mark.parametrize("name", ["NoSuchModel", "FakeListChatModel"])
def test_a_class_that_cannot_be_built_is_a_configuration_error(name: str) -> None:
    with pytest.raises(ConfigError, match="langchain"):
        engine(name)


def test_a_class_must_be_named_with_its_module() -> None:
    spec = EngineSpec(engine="langchain", options={"class": "ChatOpenAI"})
    with pytest.raises(ConfigError, match="langchain_openai:ChatOpenAI"):
        options_of("models", spec)
