"""A PostgreSQL of the tests' own: a temporary cluster on a free port, run by an unprivileged user."""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MISSING = "PostgreSQL is not installed: run `scripts/system test`"
_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB", "-c", "max_connections=20")


def programs() -> Path | None:
    """Where `initdb` and `pg_ctl` are; Debian has them beside each other, and off the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    others = filter(None, [shutil.which("initdb")])
    return next((Path(program).resolve().parent for program in (*debian[-1:], *others)), None)


@dataclass(frozen=True, slots=True)
class Cluster:
    folder: Path
    port: int
    _bin: Path

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), name)
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k '' {' '.join(_FAST)}"
        self._run(
            "pg_ctl", "-D", str(self.folder / "data"), "-l", str(self.folder / "log"), "-w", "-o", options, "start"
        )

    def stop(self) -> None:
        """At once, as a crash would."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def make(self) -> None:
        self._run(
            "initdb", "-D", str(self.folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N", "--locale=C"
        )

    def _run(self, program: str, *arguments: str) -> None:
        user = "postgres" if os.getuid() == 0 else None
        environ = {"PGUSER": "postgres", "PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C"}
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            user=user,
            group=user,
            extra_groups=[] if user else None,
            cwd=self.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Started; stopped and deleted at the end."""
    bin = programs()
    assert bin is not None, MISSING
    folder = Path(tempfile.mkdtemp(prefix="zhubo-postgres-"))
    if os.getuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    made = Cluster(folder, _free_port(), bin)
    try:
        made.make()
        made.start()
        try:
            yield made
        finally:
            with contextlib.suppress(AssertionError):
                made.stop()
    finally:
        shutil.rmtree(folder)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
