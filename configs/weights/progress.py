"""How far a download is: a bar on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Progress:
    """Writes to `stream`; `quiet` is the least time in seconds between two lines where there is no terminal."""

    stream: TextIO
    quiet: float = 3.0
    clock: Callable[[], float] = time.monotonic

    def say(self, line: str) -> None:
        self.stream.write(line + "\n")
        self.stream.flush()

    def of(self, name: str, blocks: Iterable[bytes], done: int, total: int | None) -> Iterator[bytes]:
        """Passes the blocks through and shows their sum; `done` bytes were there before, `total` may be unknown."""
        terminal = self.stream.isatty()
        start, began, shown, tenth = self.clock(), done, self.clock(), _tenths(done, total)
        try:
            for block in blocks:
                yield block
                done += len(block)
                now = self.clock()
                if now - shown >= (0.1 if terminal else self.quiet) and (terminal or _tenths(done, total) > tenth):
                    shown, tenth = now, _tenths(done, total)
                    self._show(name, done, total, (done - began) / (now - start), end="" if terminal else "\n")
        finally:
            self._show(name, done, total, (done - began) / max(self.clock() - start, 1e-3), end="\n")

    def _show(self, name: str, done: int, total: int | None, speed: float, end: str) -> None:
        share = done / total if total else None
        if not self.stream.isatty():
            percent = "" if share is None else f" {share:4.0%}"
            self.stream.write(f"  {name}{percent} {size(done)}, {size(speed)}/s{end}")
        else:
            filled = round((share or 0) * _WIDTH)
            bar = "█" * filled + "·" * (_WIDTH - filled)
            whole = size(total) if total else "?"
            self.stream.write(f"\r\x1b[K  {bar} {size(done)}/{whole} {size(speed)}/s {name}{end}")
        self.stream.flush()


def size(count: float) -> str:
    """Bytes as people read them, in decimal units."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.2f} GB"


def _tenths(done: int, total: int | None) -> int:
    return done * 10 // total if total else done // 50_000_000
