"""One download over a bad line: resumed, tried again, checked, shown."""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from configs.weights.download import Downloads
from configs.weights.progress import Progress
from configs.weights.registries import Archive, SourceError
from tests.configs.registry import Registry

WEIGHTS = bytes(range(256)) * 4000


@pytest.fixture
def downloads(tmp_path: Path, quiet: Progress) -> Iterator[Downloads]:
    with Downloads(tmp_path / "downloads", quiet, pauses=(0, 0)) as downloads:
        yield downloads


def test_a_dropped_download_goes_on_where_it_stopped(registry: Registry, downloads: Downloads) -> None:
    registry.files["/w"] = WEIGHTS
    registry.cut["/w"] = 2
    path = downloads.get(_archive(registry, "/w", WEIGHTS))
    assert path.read_bytes() == WEIGHTS
    half, quarter = len(WEIGHTS) // 2, len(WEIGHTS) // 4
    assert registry.asked("/w") == [None, f"bytes={half}-", f"bytes={half + quarter}-"]


def test_a_later_start_goes_on_too_and_does_not_trust_what_it_finds(registry: Registry, downloads: Downloads) -> None:
    registry.files["/w"] = WEIGHTS
    registry.cut["/w"] = 3
    archive = _archive(registry, "/w", WEIGHTS)
    with pytest.raises(SourceError, match=r"w from 127\.0\.0\.1: "):
        downloads.get(archive)
    part = next(downloads.folder.glob("*.part"))
    size = part.stat().st_size
    assert downloads.get(archive).read_bytes() == WEIGHTS
    assert registry.asked("/w")[-1] == f"bytes={size}-"
    downloads.forget(archive)
    for stale in (b"x" * 1000, WEIGHTS + b"more"):
        part.write_bytes(stale)
        assert downloads.get(archive).read_bytes() == WEIGHTS
        downloads.forget(archive)


def test_a_server_that_knows_no_ranges_starts_again(registry: Registry, downloads: Downloads) -> None:
    registry.files["/w"] = WEIGHTS
    registry.cut["/w"], registry.ranges = 1, False
    assert downloads.get(_archive(registry, "/w", WEIGHTS)).read_bytes() == WEIGHTS


def test_a_busy_server_is_asked_again_and_a_refusal_is_final(registry: Registry, downloads: Downloads) -> None:
    registry.files["/w"] = WEIGHTS
    registry.refuse["/w"] = 2
    assert downloads.get(_archive(registry, "/w", WEIGHTS)).read_bytes() == WEIGHTS
    with pytest.raises(SourceError, match="HTTP 404"):
        downloads.get(_archive(registry, "/none", WEIGHTS))
    assert len(registry.asked("/none")) == 1


def test_a_server_that_sends_us_in_circles_is_an_error(quiet: Progress, tmp_path: Path) -> None:
    circle = httpx.MockTransport(lambda request: httpx.Response(302, headers={"Location": str(request.url)}))
    client = httpx.Client(transport=circle, follow_redirects=True)
    with Downloads(tmp_path, quiet, (), client) as downloads, pytest.raises(SourceError, match="redirect"):
        downloads.get(Archive("http://mirror.example/w"))


def test_a_download_with_another_hash_is_deleted(registry: Registry, downloads: Downloads) -> None:
    registry.files["/w"] = b"not what the registry promised"
    with pytest.raises(SourceError, match="expected sha256"):
        downloads.get(_archive(registry, "/w", WEIGHTS))
    assert list(downloads.folder.iterdir()) == []


def _archive(registry: Registry, path: str, content: bytes) -> Archive:
    return Archive(registry.url + path, digest=hashlib.sha256(content).hexdigest())


def test_progress_is_a_bar_on_a_terminal_and_a_line_per_tenth_elsewhere() -> None:
    bar = _shown(terminal=True).rpartition("\r")[2]
    assert "█" * 24 in bar and "1.0 MB/1.0 MB" in bar and bar.endswith("w\n")
    lines = _shown(terminal=False).splitlines()
    assert [line.split()[1] for line in lines] == [f"{percent}%" for percent in range(10, 101, 10)] + ["100%"]


def _shown(*, terminal: bool) -> str:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    screen, now = Screen(), iter(range(1000))
    progress = Progress(screen, quiet=1.0, clock=lambda: float(next(now)))
    blocks = [bytes(10_000)] * 100
    assert list(progress.of("w", blocks, 0, 1_000_000)) == blocks
    return screen.getvalue()
