"""MCP servers of the SDK's own making, as child processes and over HTTP, and what may happen to them."""

import asyncio
import os
import signal
from functools import partial
from pathlib import Path

import mcp
import psutil
import pytest

from agent.engines.mcp_tools import McpServer
from agent.tools.toolbox import Done, Failed, Outcome, Toolbox
from configs.language import LANGUAGES
from configs.tools import ToolSettings
from tests.agent.tools.servers import endpoint, free_port, process, serving, settings
from tests.agent.tools.specimens import call, context

SETTINGS = ToolSettings(seconds=10, result_characters=500)
CITY = '{"city": "北京"}'


def box(server: McpServer, seconds: float = 10) -> Toolbox:
    return Toolbox((), ("weather_*",), SETTINGS.model_copy(update={"seconds": seconds}), [server])


async def ran(server: McpServer, name: str, arguments: str = "{}", seconds: float = 10) -> Outcome:
    return await box(server, seconds).run(call(f"weather_{name}", arguments), context("zh"))


async def pid(server: McpServer) -> int:
    return int((await ran(server, "secret")).text.split()[-1])


@pytest.mark.parametrize("served", [process, endpoint])
async def test_a_servers_tools_are_offered_and_called(served, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    async with served(tmp_path / "notes") as server:
        for lang in LANGUAGES:
            offers = {offer.name: offer for offer in box(server).offers(lang)}
            assert offers["weather_weather_today"].parameters["required"] == ["city"]
            assert offers["weather_weather_today"].description == "The weather of a city today.…"
        outcome = await ran(server, "weather_today", CITY)
        assert isinstance(outcome, Done) and outcome.text == "北京: 晴 sunny, 21 °C"
        outcome = await ran(server, "fail")
        assert isinstance(outcome, Failed) and outcome.code == "refused"
        outcome = await ran(server, "weather_today", '{"town": "北京"}')
        assert isinstance(outcome, Failed) and outcome.code == "unfit"


async def test_only_what_is_allowed_is_taken(tmp_path: Path) -> None:
    async with process(tmp_path / "notes", allow=["weather.*", "h*"]) as server:
        assert [tool.name for tool in server.tools] == ["weather_weather_today", "weather_hang"]


async def test_a_server_is_given_its_secrets_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHUBO_SECRET", "ours")
    async with process(tmp_path / "notes") as server:
        assert (await ran(server, "secret")).text.split()[:2] == ["sesame", "None"]
    assert "sesame" not in repr(settings({"name": "a", "command": ["x"], "env": {"KEY": "sesame"}}))


@pytest.mark.parametrize("served", [process, endpoint])
async def test_a_call_that_takes_too_long_is_cancelled_in_the_server(served, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    async with served(tmp_path / "notes") as server:
        outcome = await ran(server, "hang", seconds=0.3)
        assert isinstance(outcome, Failed) and outcome.code == "timeout"
        await noted(tmp_path / "notes", "cancelled")
        assert isinstance(await ran(server, "weather_today", CITY), Done)


async def test_a_cancelled_call_is_cancelled_in_the_server(tmp_path: Path) -> None:
    async with process(tmp_path / "notes") as server:
        task = asyncio.create_task(ran(server, "hang"))
        await noted(tmp_path / "notes", "hanging")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await noted(tmp_path / "notes", "cancelled")


async def test_a_server_that_dies_during_a_call_is_started_again(tmp_path: Path) -> None:
    async with process(tmp_path / "notes") as server:
        first = await pid(server)
        outcome = await ran(server, "die")
        assert isinstance(outcome, Failed) and outcome.code == "interrupted"
        assert len(box(server).offers("zh")) == 6
        assert await pid(server) != first


async def test_a_server_killed_between_calls_is_started_again(tmp_path: Path) -> None:
    async with process(tmp_path / "notes") as server:
        first = await pid(server)
        os.kill(first, signal.SIGKILL)
        while psutil.pid_exists(first) and psutil.Process(first).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(60):
            while (outcome := await ran(server, "secret")).text.endswith(str(first)) or isinstance(outcome, Failed):
                assert not isinstance(outcome, Failed) or outcome.code == "interrupted"
        assert int(outcome.text.split()[-1]) != first


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_endpoint_that_comes_back_is_used_again(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`legacy`: servers that keep sessions, as all did before the protocol of July 2026."""
    monkeypatch.setattr(mcp, "Client", partial(mcp.Client, mode=mode))
    port, notes = free_port(), tmp_path / "notes"
    server = McpServer(settings({"name": "weather", "url": f"http://127.0.0.1:{port}/mcp"}))
    async with serving(notes, port):
        await server.open()
        assert isinstance(await ran(server, "weather_today", CITY), Done)
    async with serving(notes, port):
        assert isinstance(await ran(server, "weather_today", CITY), Done), "started anew between two calls"
    assert isinstance(await ran(server, "weather_today", CITY, seconds=1), Failed)
    async with serving(notes, port):
        assert isinstance(await ran(server, "weather_today", CITY), Done)
    await server.aclose()


async def test_the_process_ends_with_the_service(tmp_path: Path) -> None:
    async with process(tmp_path / "notes") as server:
        child = psutil.Process(await pid(server))
        hanging = asyncio.create_task(ran(server, "hang"))
        await noted(tmp_path / "notes", "hanging")
    assert not child.is_running()
    outcome = await hanging
    assert isinstance(outcome, Failed)


async def test_a_long_answer_is_cut_and_one_without_bound_refused(tmp_path: Path) -> None:
    async with process(tmp_path / "notes") as server:
        outcome = await ran(server, "flood", '{"kilobytes": 100}')
        assert isinstance(outcome, Done) and "(cut: the first 500 of " in outcome.text
        outcome = await ran(server, "flood", '{"kilobytes": 10000}')
        assert isinstance(outcome, Failed) and (outcome.code, outcome.text) == ("refused", "the result is too large")
        assert isinstance(await ran(server, "weather_today", CITY), Done)


@pytest.mark.parametrize("command", [["/no/such/program"], ["false"], ["cat", "/dev/null"]])
async def test_a_server_that_cannot_be_started_offers_nothing(
    command: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    server = McpServer(settings({"name": "weather", "command": command}))
    async with asyncio.timeout(60):
        await server.open()
        assert server.tools == () and "MCP server weather cannot be reached" in caplog.text
        await server.aclose()


async def test_an_endpoint_that_is_not_there_offers_nothing() -> None:
    server = McpServer(settings({"name": "weather", "url": "http://127.0.0.1:9/mcp"}))
    async with asyncio.timeout(60):
        await server.open()
        assert server.tools == ()
        await server.aclose()


async def noted(notes: Path, line: str) -> None:
    """Wait until the server has written it down."""
    async with asyncio.timeout(60):
        while not notes.exists() or line not in notes.read_text("utf-8"):
            await asyncio.sleep(0.01)
