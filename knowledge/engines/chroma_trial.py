"""`python -m knowledge.engines.chroma_trial FOLDER`: every index of a Chroma folder is read and searched.

Chroma reads damaged files as they are and dies of some, with SIGSEGV: better in a process of its own than in ours.
"""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM

_SECONDS = 120.0
"""Longer than a million passages take; an index that takes longer still is no danger."""

_SEARCHES = 100
"""They pass through most of an index."""

_NO_FAULT_OF_ITS = {0, -SIGKILL, -SIGTERM}
"""Exit codes: errors are told as 0, since they will be met again; somebody else may end the process."""


def survived(folder: Path) -> bool:
    """Whether a process lives through reading the folder. Blocks for a second or two and what the reading takes."""
    command = (sys.executable, "-P", "-B", "-m", "knowledge.engines.chroma_trial", str(folder))
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode in _NO_FAULT_OF_ITS


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
