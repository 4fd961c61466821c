"""The MCP server of the tests, as a process of its own or over HTTP."""

import asyncio
import socket
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from agent.engines.mcp_tools import McpServer
from configs.tools import McpSettings, ToolSettings

MODULE = "tests.agent.tools.mcp_server"
ROOT = Path(__file__).parents[3]


def settings(server: dict[str, object]) -> McpSettings:
    return ToolSettings.model_validate({"mcp": [server]}).mcp[0]


@asynccontextmanager
async def process(notes: Path, **more: object) -> AsyncIterator[McpServer]:
    command = [sys.executable, "-m", MODULE, str(notes)]
    env = {"PYTHONPATH": str(ROOT), "WEATHER_KEY": "sesame"}
    server = McpServer(settings({"name": "weather", "command": command, "env": env, **more}))
    await server.open()
    try:
        yield server
    finally:
        await server.aclose()


@asynccontextmanager
async def endpoint(notes: Path) -> AsyncIterator[McpServer]:
    port = free_port()
    async with serving(notes, port):
        url = f"http://127.0.0.1:{port}/mcp"
        server = McpServer(settings({"name": "weather", "url": url, "headers": {"Authorization": "Bearer sesame"}}))
        await server.open()
        try:
            yield server
        finally:
            await server.aclose()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@asynccontextmanager
async def serving(notes: Path, port: int) -> AsyncIterator[None]:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", MODULE, str(notes), str(port), cwd=ROOT, stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        await _listening(port)
        yield
    finally:
        child.kill()
        await child.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
