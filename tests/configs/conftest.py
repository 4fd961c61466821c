"""A registry on loopback that pip, npm and the model hub client are pointed at, and an empty home."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.home import Home
from configs.weights.progress import Progress
from tests.configs.registry import Registry, serving


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Registry]:
    with serving() as registry:
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_CERT"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        monkeypatch.setenv("PIP_INDEX_URL", f"{registry.url}/simple/")
        monkeypatch.setenv("npm_config_registry", registry.url)
        monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
        monkeypatch.setenv("HF_ENDPOINT", registry.url)
        yield registry


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data", tmp_path / "cache")


@pytest.fixture
def quiet() -> Progress:
    return Progress(io.StringIO())
