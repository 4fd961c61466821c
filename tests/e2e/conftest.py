from collections.abc import Iterator

import pytest

from tests.e2e.serving import Served, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server on the scripted engines, shared by tests that leave it as they found it."""
    with serving(tmp_path_factory.mktemp("server")) as served:
        yield served
