"""Servers of the Model Context Protocol: their tools as the presenter's, over a child process or streamable HTTP."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from fnmatch import fnmatchcase
from typing import Any

from pydantic import SecretStr

from agent.engines.mcp_process import piped
from agent.tools.results import inert
from agent.tools.schemas import bounded
from agent.tools.tool import Arguments, Context, Result, ToolError
from configs.engines import ConfigError, reason
from configs.language import Lang
from configs.tools import McpEndpoint, McpProcess, McpSettings

log = logging.getLogger(__name__)

CONNECT = 10.0
"""Seconds to start a server, greet it and list its tools."""

PAUSES = (0.2, 30.0)
"""Seconds before a lost server is tried again, the first time and at most; a call for its tools tries at once."""

MOST = 32
"""Tools of one server: every one of them stands in every prompt."""

LONGEST_DESCRIPTION = 500


class McpServer:
    """One server, connected to again whenever it is lost. `open` starts it, `aclose` ends it, and the process with it.

    One task holds the connection from its opening to its end, as the SDK wants it; calls come from any.
    """

    def __init__(self, settings: McpSettings) -> None:
        try:
            import mcp
        except ImportError as error:
            raise ConfigError("tools.mcp needs the extra `mcp`; see the README") from error
        for name in ("mcp", "httpx2"):  # the SDK logs what servers say, and that is part of a conversation
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self.name, self._settings, self._mcp = settings.name, settings, mcp
        self.tools: tuple[McpTool, ...] = ()
        self._client: Any = None
        self._task: asyncio.Task[None] | None = None
        self._ready, self._tried, self._gone, self._wanted = (asyncio.Event() for _ in range(4))

    async def open(self) -> None:
        """Returns once the server was reached, or could not be; then it is tried again in the background."""
        self._task = asyncio.create_task(self._keep(), name=f"mcp {self.name}")
        await self._tried.wait()

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def call(self, tool: str, arguments: Arguments) -> str:
        """Raises ToolError: unreachable, interrupted (it is not known whether it was done), refused, failed."""
        try:
            result = await (await self._connected()).call_tool(tool, dict(arguments))
        except self._mcp.MCPError as error:
            if error.code != self._mcp.types.INVALID_REQUEST:
                raise self._told(error) from error
            result = await self._again(tool, arguments)
        except ToolError:
            raise
        except Exception as error:
            raise self._told(error) from error
        if result.is_error:
            raise ToolError("refused", _text(result))
        return _text(result)

    async def _again(self, tool: str, arguments: Arguments) -> Any:
        """A server that was started anew over HTTP does not know the session, and has done nothing yet."""
        self._gone.set()
        try:
            return await (await self._connected()).call_tool(tool, dict(arguments))
        except ToolError:
            raise
        except Exception as error:
            raise self._told(error) from error

    def _told(self, error: Exception) -> ToolError:
        match error:
            case self._mcp.MCPError(code=self._mcp.types.CONNECTION_CLOSED):
                self._gone.set()
                return ToolError("interrupted", "the server was lost in the middle; it may have been done")
            case self._mcp.MCPError():
                return ToolError("refused", str(error))
            case _:
                return ToolError("failed", f"the call failed: {type(error).__name__}")

    async def _connected(self) -> Any:
        if self._gone.is_set():
            self._ready.clear()
        if not self._ready.is_set():
            self._wanted.set()
            try:
                async with asyncio.timeout(CONNECT):
                    await self._ready.wait()
            except TimeoutError as error:
                raise ToolError("unreachable", "the server cannot be reached") from error
        return self._client

    async def _keep(self) -> None:
        first, most = PAUSES
        pause = first
        while True:
            began = time.monotonic()
            try:
                await self._serve()
            except Exception as error:  # noqa: BLE001 - a stranger's server may do anything
                told = reason(error) if isinstance(error, OSError) else type(error).__name__
                log.warning("MCP server %s cannot be reached: %s", self.name, told)
                self._tried.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()
            self._wanted.clear()
            pause = first if time.monotonic() - began > most else min(2 * pause, most)

    async def _serve(self) -> None:
        """From the connection's opening to its loss."""
        self._gone.clear()
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(CONNECT):
                client = self._mcp.Client(self._transport(), cache=None)
                self._client = await stack.enter_async_context(client)
                self.tools = await self._listed()
            self._ready.set()
            self._tried.set()
            log.info("MCP server %s: %d tools", self.name, len(self.tools))
            try:
                await self._gone.wait()
            finally:
                self._ready.clear()
        log.warning("MCP server %s was lost", self.name)

    async def _listed(self) -> tuple["McpTool", ...]:
        found: dict[str, McpTool] = {}
        cursor = None
        while True:
            page = await self._client.list_tools(cursor=cursor)
            for tool in page.tools:
                if not any(fnmatchcase(tool.name, pattern) for pattern in self._settings.allow):
                    continue
                try:
                    taken = McpTool(self, tool.name, tool.description or "", tool.input_schema, self._settings.seconds)
                except ValueError as error:
                    log.warning("MCP server %s: a tool is left out: %s", self.name, error)
                    continue
                found.setdefault(taken.name, taken)
                if len(found) == MOST:
                    return tuple(found.values())
            cursor = page.next_cursor
            if not cursor:
                return tuple(found.values())

    def _transport(self) -> AbstractAsyncContextManager[tuple[Any, Any]]:
        match self._settings:
            case McpProcess(command=command, env=env):
                return piped(command, _revealed(env), self._gone)
            case McpEndpoint(url=url, headers=headers):
                return _http(url, _revealed(headers))


class McpTool:
    """Named after its server: `today` of `weather` is `weather_today`. What the server says of it is data."""

    def __init__(
        self, server: McpServer, name: str, description: str, schema: Mapping[str, Any], seconds: float | None
    ) -> None:
        self._server, self._own = server, name
        self.name = re.sub("[^A-Za-z0-9_-]", "_", f"{server.name}_{name}")[:64]
        told = inert(description or name, LONGEST_DESCRIPTION)
        self.description: Mapping[Lang, str] = {"zh": told, "en": told}
        self.parameters: Mapping[str, Any] = bounded(schema)
        self.seconds = seconds

    async def call(self, arguments: Arguments, context: Context) -> Result:
        return Result(await self._server.call(self._own, arguments))


@asynccontextmanager
async def _http(url: str, headers: Mapping[str, str]) -> AsyncGenerator[tuple[Any, Any], None]:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    async with (
        httpx2.AsyncClient(headers=headers, timeout=httpx2.Timeout(CONNECT, read=None)) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


def _revealed(secrets: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: secret.get_secret_value() for name, secret in secrets.items()}


def _text(result: Any) -> str:
    """Text blocks as they are; pictures and sounds by their kind, which is all the model could make of them."""
    texts = [block.text if block.type == "text" else f"({block.type})" for block in result.content]
    return "\n".join(texts)
