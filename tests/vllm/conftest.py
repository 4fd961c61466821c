"""One vLLM server at a time, for the tests of one module, and stopped after them."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vllm.server import STRUCTURED, TOOLS, Server, weights


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serves the packaged model; a module's `FLAGS` take the place of those for tools and structured output."""
    flags: tuple[str, ...] = getattr(request.module, "FLAGS", (*TOOLS, *STRUCTURED))
    log: Path = tmp_path_factory.mktemp("vllm") / "server.log"
    server = Server(weights(), free_port(), log, *flags)
    try:
        took = server.start()
        print(f"\nvLLM {server.version()} well after {took:.0f} s")
        yield server
    finally:
        server.stop()
