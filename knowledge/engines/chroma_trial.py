"""`python -m knowledge.engines.chroma_trial FOLDER`: every index of a Chroma folder is read and searched.

Chroma reads damaged files as they are and dies of some, with SIGSEGV: better in a process of its own than in ours.
"""

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from signal import SIGABRT, SIGFPE, SIGILL, SIGSEGV

_SECONDS = 30.0
"""What is still being read then is taken to be no danger."""

_MOMENT = 1.0
"""Seconds."""

_SEARCHES = 100
"""They pass through most of an index."""

_DEADLY = {-number for number in (SIGSEGV, SIGABRT, SIGILL, SIGFPE, getattr(signal, "SIGBUS", SIGSEGV))} | {0xC0000005}
"""Exit codes, Windows' for an access that is not allowed last. Errors that are raised are no danger, and a process can
be ended from outside."""


def survived(folder: Path) -> bool:
    """Whether a process lives through reading the folder, or another one a moment later: somebody may just have been
    writing. Blocks for a second or two and what the reading takes."""
    if _survived(folder):
        return True
    time.sleep(_MOMENT)
    return _survived(folder)


def _survived(folder: Path) -> bool:
    command = (sys.executable, "-P", "-B", "-m", "knowledge.engines.chroma_trial", str(folder))
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode not in _DEADLY


def _read(folder: str) -> None:
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False))
    for collection in client.list_collections():
        with suppress(Exception):
            some = collection.get(limit=_SEARCHES, include=["embeddings"])
            collection.query(query_embeddings=some["embeddings"], n_results=_SEARCHES)


if __name__ == "__main__":
    with suppress(Exception):
        _read(sys.argv[1])
