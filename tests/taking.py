"""What a piece of work takes of a processor, and what a process has of the memory."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def seconds(work: Callable[[], object], trials: int = 3) -> float:
    """Of this thread's own, the least of some trials: neither other threads nor a busy machine count."""
    spent = []
    for _ in range(trials):
        began = time.thread_time()
        work()
        spent.append(time.thread_time() - began)
    return min(spent)


def memory(pid: int | None = None) -> int:
    """KiB of a process's own, this one unless told: files do not count, which the system maps and drops as it likes."""
    lines = Path(f"/proc/{pid or os.getpid()}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
