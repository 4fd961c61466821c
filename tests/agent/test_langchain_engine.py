"""The LangChain adapter, with the fake chat models that LangChain itself ships."""

import pytest
from langchain_core.messages import AIMessage

from agent.engines.langchain import LangChain
from agent.model import Message, ModelError
from configs.engines import ConfigError, EngineSpec, options_of
from configs.home import current

ASKED = [Message("system", "Be short."), Message("user", "你好")]
FAKES = "langchain_core.language_models.fake_chat_models"


def engine(name: str, **arguments: object) -> LangChain:
    options = LangChain.Options.model_validate({"class": f"{FAKES}:{name}", "arguments": arguments})
    return LangChain(options, current())


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
