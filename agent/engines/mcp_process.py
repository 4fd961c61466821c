"""A server of the Model Context Protocol as a child process: a message a line, and none without bound.

The SDK's own reader joins a long line anew with every piece of it: ten megabytes keep the loop busy for six seconds.
"""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

LARGEST = 2_000_000
"""Bytes of one message; a longer answer is thrown away and its call told so."""

GRACE = 2.0
"""Seconds that a process has to end by itself when its input ends, and again when it is asked to."""

_NUMBER = rb'"id"\s*:\s*("[^"\\]{1,80}"|[0-9]{1,18})'
_FIRST = re.compile(rb'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?' + _NUMBER)
_LAST = re.compile(_NUMBER + rb"\s*\}\s*$")
_TOO_LARGE = b'{"jsonrpc": "2.0", "id": %b, "error": {"code": -32603, "message": "the result is too large"}}\n'
_EDGE = 200


@asynccontextmanager
async def piped(
    command: Sequence[str], env: Mapping[str, str], ended: asyncio.Event
) -> AsyncGenerator[tuple[Any, Any], None]:
    """The SDK's two streams. `ended` is set when the process has closed its output. Its error stream is thrown away:
    it may quote a conversation. Raises OSError where the program cannot be started."""
    import anyio
    from mcp.client.stdio import get_default_environment

    given = {**get_default_environment(), **env}
    process = await asyncio.create_subprocess_exec(
        *command, env=given, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True, limit=LARGEST
    )
    inlet, incoming = anyio.create_memory_object_stream[Any](0)
    outgoing, outlet = anyio.create_memory_object_stream[Any](0)
    async with inlet, incoming, outgoing, outlet, asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(_read(process, inlet, ended))
        writing = tasks.create_task(_write(process, outlet))
        try:
            yield incoming, outgoing
        finally:
            reading.cancel()
            writing.cancel()
            await _end(process)


async def _read(process: Process, inlet: Any, ended: asyncio.Event) -> None:
    import anyio
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter

    assert process.stdout is not None
    try:
        async with inlet:
            while line := await _line(process.stdout):
                try:
                    message = jsonrpc_message_adapter.validate_json(line, by_name=False)
                except ValueError:
                    continue  # not for us: a server that prints
                await inlet.send(SessionMessage(message))
    except (anyio.BrokenResourceError, anyio.ClosedResourceError, ConnectionError):
        pass
    finally:
        ended.set()


async def _write(process: Process, outlet: Any) -> None:
    assert process.stdin is not None
    with suppress(ConnectionError):
        async for sent in outlet:
            process.stdin.write(sent.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
            await process.stdin.drain()


async def _line(stream: asyncio.StreamReader) -> bytes:
    """The next line; empty at the end, and where a line is too long to tell whose it is."""
    head = tail = b""
    while True:
        try:
            line = await stream.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return b""
        except asyncio.LimitOverrunError as over:
            part = await stream.readexactly(over.consumed)
            head, tail = head or part[:_EDGE], part[-_EDGE:]
            continue
        if not head:
            return line
        answered = _FIRST.match(head) or _LAST.search((tail + line)[-_EDGE:])
        return _TOO_LARGE % answered[1] if answered else b""


async def _end(process: Process) -> None:
    """Its input ends, then it is asked to end, then it is killed; and with it all that it started."""
    assert process.stdin is not None
    process.stdin.close()
    kill = getattr(signal, "SIGKILL", signal.SIGTERM)
    for number in (None, signal.SIGTERM, kill):
        if number is not None:
            _send(process, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await process.wait()
            break
    _send(process, kill)


def _send(process: Process, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)
