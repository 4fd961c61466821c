"""A real Chroma server in a process of its own, which tests may kill and start again on the same folder."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ChromaServer:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def options(self) -> dict[str, object]:
        return {"host": "127.0.0.1", "port": self.port}

    def start(self) -> None:
        """Return when it answers."""
        chroma = Path(sys.executable).parent / "chroma"
        command = [chroma, "run", "--path", self._folder / "vectors", "--host", "127.0.0.1", "--port", str(self.port)]
        with (self._folder / "chroma.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        ends = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None and time.monotonic() < ends, (self._folder / "chroma.log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: it has no time to save anything."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True


@contextmanager
def chroma_server(folder: Path) -> Iterator[ChromaServer]:
    server = ChromaServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
