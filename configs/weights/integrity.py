"""Whether a weight file is the one that was asked for: hashed once, then remembered by its size and time of change."""

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file must be, to the byte."""

    size: int
    sha256: str

    def flaw(self, path: Path, stamp: Path, *, afresh: bool = False) -> str | None:
        """What is wrong with the file at `path`; None where it is the one. `afresh` reads it whatever `stamp` says."""
        size = path.stat().st_size
        if size != self.size:
            return f"expected {self.size} bytes, found {size}"
        if not afresh and self._remembered(path, stamp):
            return None
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sha256:
            with contextlib.suppress(OSError):
                stamp.unlink(missing_ok=True)
            return f"expected sha256 {self.sha256}, found {found}"
        self.remember(path, stamp)
        return None

    def remember(self, path: Path, stamp: Path) -> None:
        """Notes in `stamp` that `path` is sound. Where nothing can be written, the file is read again next time."""
        with contextlib.suppress(OSError):
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.write_text(self._state(path), encoding="utf-8")

    def _remembered(self, path: Path, stamp: Path) -> bool:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return stamp.read_text(encoding="utf-8") == self._state(path)
        return False

    def _state(self, path: Path) -> str:
        return json.dumps([str(path), path.stat().st_mtime_ns, self.size, self.sha256])
