"""A real `zhubo serve` in a process of its own, with its own state."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Served:
    url: str
    process: "subprocess.Popen[str]"
    log: Path

    @property
    def ws(self) -> str:
        return self.url.replace("http", "ws", 1) + "/ws"


@contextmanager
def serving(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None, wait: float = 300
) -> Iterator[Served]:
    """Ready when it yields; ended, by force if need be, when left. `folder` holds its data and its log."""
    log = folder / "server.log"
    env = {**os.environ, "ZHUBO_DATA": str(folder / "data"), **(environ or {})}
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve", "--port", "0", *(arguments or ("--profile", "test"))],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=env,
        )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        found = re.search(r"http://\S+", first)
        assert found, f"no address in {first!r}: {log.read_text()}"
        await_ready(found[0], process, log, wait)
        yield Served(found[0], process, log)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def await_ready(url: str, process: "subprocess.Popen[str]", log: Path, wait: float) -> None:
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended: {log.read_text()}"
        if status(f"{url}/readyz") == 200:
            return
        time.sleep(0.05)
    raise AssertionError(f"not ready within {wait} s: {log.read_text()}")


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0
