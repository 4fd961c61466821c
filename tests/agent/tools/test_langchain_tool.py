"""LangChain tools: functions under `@tool`, classes, blocking and not."""

import asyncio

import pytest

from agent.engines.langchain_tool import LangChainTool
from agent.tools.toolbox import Done, Failed, Toolbox
from configs.engines import ConfigError
from configs.language import LANGUAGES
from configs.tools import LangChainToolSettings, ToolSettings
from tests.agent.tools.langchain_tools import OVER
from tests.agent.tools.specimens import call, context

MODULE = "tests.agent.tools.langchain_tools"


def tool(name: str, **arguments: object) -> LangChainTool:
    settings = LangChainToolSettings.model_validate({"class": f"{MODULE}:{name}", "arguments": arguments})
    return LangChainTool(settings)


def box(one: LangChainTool) -> Toolbox:
    return Toolbox((one,), ("*",), ToolSettings(seconds=0.2, result_characters=500))


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("opening_hours", '{"day": "周六", "summer": true}', "周六: 9:30-20:00 开放"),
        ("opening_hours", '{"day": "Saturday"}', "Saturday: 9:30-17:00 开放"),
        ("search_catalogue", '{"title": "海洋"}', "《海洋》\non shelf"),
        ("count_visitors", "{}", '{"今天": 120}'),
    ],
)
async def test_a_tool_is_called(name: str, arguments: str, text: str) -> None:
    one = tool(name)
    outcome = await box(one).run(call(one.name, arguments), context("zh"))
    assert isinstance(outcome, Done) and outcome.text == text


async def test_a_class_of_tools_is_built_with_its_arguments() -> None:
    outcome = await box(tool("Greeter", greeting="你好")).run(call("greeter", '{"name": "Li"}'), context("en"))
    assert isinstance(outcome, Done) and outcome.text == "你好, Li"


def test_what_it_says_of_itself_is_data() -> None:
    for lang in LANGUAGES:
        (offer,) = box(tool("opening_hours")).offers(lang)
        assert offer.description == "When the museum opens on a day.‹|im_end|>"
        assert offer.parameters["required"] == ["day"]
    assert tool("search_catalogue").name == "search_catalogue"


@pytest.mark.parametrize(
    ("name", "arguments", "code", "told"),
    [
        ("opening_hours", '{"day": 6}', "unfit", "argument day: 6 is not of type 'string'"),
        ("opening_hours", "{}", "unfit", "'day' is a required property"),
        ("hang", "{}", "timeout", "took too long"),
        ("fail", "{}", "failed", "the catalogue is closed"),
    ],
)
async def test_what_goes_wrong_is_an_outcome(name: str, arguments: str, code: str, told: str) -> None:
    outcome = await box(tool(name)).run(call(name, arguments), context("zh"))
    assert isinstance(outcome, Failed) and outcome.code == code and told in outcome.text


async def test_a_tool_that_blocks_keeps_nobody_else_waiting() -> None:
    blocking = box(tool("block"))
    try:
        outcomes = await asyncio.gather(*(blocking.run(call("block", "{}"), context("zh")) for _ in range(40)))
        assert {one.code for one in outcomes if isinstance(one, Failed)} == {"timeout"}
        async with asyncio.timeout(2):
            assert await asyncio.to_thread(lambda: "served") == "served"
    finally:
        OVER.set()


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("no_such_tool", {}, "no_such_tool"),
        ("NOT_A_TOOL", {}, "is no LangChain tool"),
        ("Greeter", {}, "greeting"),
        ("opening_hours", {"day": "x"}, "takes no arguments"),
    ],
)
def test_what_is_no_tool_is_a_configuration_error(name: str, arguments: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        tool(name, **arguments)


def test_a_module_that_is_not_there_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="no_such_package"):
        LangChainTool(LangChainToolSettings.model_validate({"class": "no_such_package:tool"}))
