import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.serving import Served, serving

expect.set_options(timeout=60_000)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of what a shell runs in the background: servers inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server on the scripted engines, shared by tests that leave it as they found it."""
    with serving(tmp_path_factory.mktemp("server")) as served:
        yield served
