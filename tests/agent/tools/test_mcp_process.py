"""Lines of a server's output: whole, however they come, and none without bound."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from agent.engines.mcp_process import _line, piped

BOUND = 1000
LONG = b"x" * 5000


def lines(*parts: bytes) -> list[bytes]:
    async def read() -> list[bytes]:
        stream = asyncio.StreamReader(limit=BOUND)
        found: list[bytes] = []

        async def feed() -> None:
            for part in parts:
                stream.feed_data(part)
                await asyncio.sleep(0)
            stream.feed_eof()

        feeding = asyncio.create_task(feed())
        while line := await _line(stream):
            found.append(line)
        await feeding
        return found

    return asyncio.run(read())


def test_lines_are_whole_however_they_come() -> None:
    assert lines(b'{"a": "', "晴".encode()[:2], "晴".encode()[2:] + b'"}\n{}\n', b"half") == [
        '{"a": "晴"}\n'.encode(),
        b"{}\n",
    ]


@pytest.mark.parametrize(
    "long",
    [
        b'{"jsonrpc":"2.0","id":7,"result":"' + LONG + b'"}\n',
        b'{"id": 7, "result": "' + LONG + b'"}\n',
        b'{"result":"' + LONG + b'","jsonrpc":"2.0","id":7}\n',
        b'{"result":{"id":3,"text":"' + LONG + b'"},"jsonrpc":"2.0","id": 7 }\n',
    ],
    ids=["first", "first of all", "last", "last of two"],
)
@pytest.mark.parametrize("piece", [300, 100_000])
def test_a_line_that_is_too_long_fails_its_call_and_no_other(long: bytes, piece: int) -> None:
    told, after = lines(*(long[at : at + piece] for at in range(0, len(long), piece)), b"{}\n")
    assert b'"id": 7' in told and b"too large" in told and after == b"{}\n"


def test_a_long_line_that_is_nobodys_ends_the_connection() -> None:
    assert lines(LONG + b"\n", b"{}\n") == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
async def test_what_a_server_started_ends_with_it_although_the_server_ends_by_itself(tmp_path: Path) -> None:
    told = tmp_path / "child"
    script = 'sleep 600 > /dev/null & echo $! > "$0.part"; mv "$0.part" "$0"; cat'
    async with piped(["sh", "-c", script, str(told)], {}, asyncio.Event()):
        async with asyncio.timeout(60):
            while not told.exists():
                await asyncio.sleep(0.01)
    async with asyncio.timeout(60):
        while _runs(int(told.read_text())):
            await asyncio.sleep(0.01)


def _runs(process: int) -> bool:
    """A zombie does not."""
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
