"""Whether the files of an index are as their last user left them."""

import hashlib
from contextlib import suppress
from pathlib import Path

_NAME = "sealed"


class Seal:
    """A hash, kept beside the files that `pattern` finds in a folder while nobody uses them."""

    def __init__(self, folder: Path, pattern: str) -> None:
        self._file, self._folder, self._pattern = folder / _NAME, folder, pattern

    def put(self) -> None:
        """Nobody uses the files any more. Where that cannot be written down, they will be taken for changed."""
        try:
            if found := self._hash():
                self._file.write_text(found, "ascii")
        except OSError:
            with suppress(OSError):
                self._file.unlink(missing_ok=True)

    def take(self) -> bool:
        """They will be used: False where there are files that nobody sealed, or not as they were sealed."""
        try:
            sealed = self._file.read_text("ascii") if self._file.is_file() else ""
            self._file.unlink(missing_ok=True)
            return self._hash() == sealed
        except (OSError, ValueError):
            return False

    def _hash(self) -> str:
        """Of all the files; "" where there are none."""
        total, files = hashlib.blake2b(), sorted(self._folder.glob(self._pattern))
        for path in files:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "blake2b")
            total.update(str(path.relative_to(self._folder)).encode() + b"\0" + found.digest())
        return total.hexdigest() if files else ""
