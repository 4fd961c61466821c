"""A folder that can be lost: its data lie in numbered subfolders, of which the highest one counts."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from knowledge.store import StoreError


class Generations:
    """A library may go on with a folder that is gone, or hold it open; a new one starts in a new place.

    `database`: a SQLite file in each, by which a subfolder that was deleted or replaced is told from the one opened.
    """

    def __init__(self, root: Path, database: str) -> None:
        self._root, self._database = root, database
        self._identity: tuple[int, int] | None = None
        self.number = max(self._numbers(), default=1)

    @property
    def path(self) -> Path:
        return self._root / str(self.number)

    def opened(self) -> None:
        """The current subfolder has been opened: remember which it is, and remove what came before it."""
        self._identity = self._stat()
        for path in self._root.iterdir():
            if not path.name.isdecimal() or int(path.name) < self.number:
                _remove(path)

    def check(self) -> None:
        """Raise StoreError where the subfolder is not the one that was opened."""
        if self._stat() != self._identity:
            raise StoreError(f"the vector store's folder {self.path} has been deleted or replaced")

    def examine(self) -> None:
        """Raise StoreError where the database is damaged, also where nobody has come across it yet. Reads all of it."""
        path = self.path / self._database
        try:
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
                found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.OperationalError:
            return  # it is in use: whoever uses it will find out
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{path} is damaged: {error}") from error
        if found != "ok":
            raise StoreError(f"{path} is damaged: {found}")

    def renew(self) -> None:
        """Begin a new subfolder, which nothing stands in the way of."""
        try:
            if not self._root.is_dir():
                self._root.unlink(missing_ok=True)
            self.number = max([self.number, *self._numbers()]) + 1
        except OSError as error:
            raise StoreError(f"{self._root} cannot be written: {error}") from error

    def _numbers(self) -> list[int]:
        if not self._root.is_dir():
            return []
        return [int(path.name) for path in self._root.iterdir() if path.name.isdecimal()]

    def _stat(self) -> tuple[int, int]:
        try:
            found = (self.path / self._database).stat()
        except OSError as error:
            raise StoreError(f"the vector store's folder {self.path} cannot be read: {error}") from error
        return found.st_dev, found.st_ino


def _remove(path: Path) -> None:
    """As far as it can be: what is left over is removed another time."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
