"""What every tool keeps to, whoever made it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from agent.engines.langchain_tool import LangChainTool
from agent.tools.builtin import built_in
from agent.tools.tool import Arguments, Recognising, Result, Tool, ToolError
from agent.tools.toolbox import Done, Failed, Toolbox
from configs.language import LANGUAGES
from configs.tools import LangChainToolSettings, ToolSettings
from tests.agent.tools.servers import process
from tests.agent.tools.specimens import SETTINGS, call, context
from tests.doubles import Facts

Opened = Callable[[Path], AbstractAsyncContextManager[Tool]]


def ours(name: str) -> Opened:
    @asynccontextmanager
    async def opened(folder: Path) -> AsyncIterator[Tool]:
        yield next(tool for tool in built_in(SETTINGS, Facts()) if tool.name == name)

    return opened


@asynccontextmanager
async def langchain(folder: Path) -> AsyncIterator[Tool]:
    yield LangChainTool(
        LangChainToolSettings.model_validate({"class": "tests.agent.tools.langchain_tools:opening_hours"})
    )


@asynccontextmanager
async def mcp(folder: Path) -> AsyncIterator[Tool]:
    async with process(folder / "notes") as server:
        yield server.tools[0]


TOOLS = [
    pytest.param(ours("human"), {}, id="human"),
    pytest.param(ours("clock"), {"zone": "Europe/London"}, id="clock"),
    pytest.param(ours("calendar"), {"days": 3}, id="calendar"),
    pytest.param(ours("arithmetic"), {"expression": "三加四"}, id="arithmetic"),
    pytest.param(ours("knowledge"), {"query": "成人票多少钱？"}, id="knowledge"),
    pytest.param(langchain, {"day": "周六"}, id="langchain"),
    pytest.param(mcp, {"city": "北京"}, id="mcp"),
]
everyone = pytest.mark.parametrize(("opened", "arguments"), TOOLS)


@everyone
async def test_a_tool_says_what_it_is(opened: Opened, arguments: Arguments, tmp_path: Path) -> None:
    async with opened(tmp_path) as tool:
        assert re.fullmatch("[A-Za-z0-9_-]{1,64}", tool.name)
        assert all(0 < len(tool.description[lang]) <= 520 for lang in LANGUAGES)
        assert tool.seconds is None or tool.seconds > 0
        Draft202012Validator.check_schema(tool.parameters)
        assert tool.parameters["type"] == "object"
        Draft202012Validator(tool.parameters).validate(arguments)


@everyone
async def test_calls_side_by_side_each_give_a_result(opened: Opened, arguments: Arguments, tmp_path: Path) -> None:
    async with opened(tmp_path) as tool:
        results = await asyncio.gather(*(tool.call(arguments, context(lang)) for lang in LANGUAGES * 3))
        assert all(isinstance(result, Result) and result.text.strip() for result in results)
        assert results[0].text == results[2].text == results[4].text


@everyone
async def test_a_cancelled_call_ends_and_the_next_is_served(
    opened: Opened, arguments: Arguments, tmp_path: Path
) -> None:
    async with opened(tmp_path) as tool:
        task = asyncio.create_task(tool.call(arguments, context("zh")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task}, timeout=60)
        assert task.done()
        assert (await tool.call(arguments, context("en"))).text


@everyone
async def test_the_toolbox_runs_it_and_holds_it_to_its_schema(
    opened: Opened, arguments: Arguments, tmp_path: Path
) -> None:
    async with opened(tmp_path) as tool:
        box = Toolbox((tool,), (tool.name,), ToolSettings())
        good = await box.run(call(tool.name, json.dumps(arguments)), context("zh"))
        assert isinstance(good, Done) and good.returned.name == tool.name
        assert good.said == isinstance(tool, Recognising)
        for wrong in ("{", "[]", *(['{"what": 1}'] if tool.parameters.get("required") else [])):
            outcome = await box.run(call(tool.name, wrong), context("en"))
            assert isinstance(outcome, Failed) and outcome.code == "unfit"


@everyone
async def test_what_a_recognising_tool_says_is_in_the_users_language(
    opened: Opened, arguments: Arguments, tmp_path: Path
) -> None:
    async with opened(tmp_path) as tool:
        if isinstance(tool, Recognising):
            for lang in LANGUAGES:
                try:
                    said = (await tool.call(arguments, context(lang))).text
                except ToolError as error:
                    said = str(error)
                assert said[-1] in "。." and bool(re.search("[\u4e00-\u9fff]", said)) == (lang == "zh")
            assert tool.hears("", "zh") is None and tool.hears("???", "en") is None
