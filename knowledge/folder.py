"""A folder of documents as it is now: which files count, what tells a change, and their bytes."""

import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal

from knowledge.parse import SUFFIXES, FileLimits, check_size

Why = Literal["unsupported", "link", "twin", "unreadable"]
_TEMPORARY = ("~$", ".", "#")
_OPENING = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, slots=True)
class Sign:
    """Two equal signs of one file: it has not been written to between them."""

    size: int
    modified: int
    changed: int
    inode: int


@dataclass(frozen=True, slots=True)
class File:
    """`path`: where it really is, behind any links."""

    path: Path
    sign: Sign


@dataclass(slots=True)
class View:
    """Files by name, in NFC, and what is no document, with why. `closed`: folders that could not be looked into."""

    files: dict[str, File] = field(default_factory=dict)
    skipped: dict[str, Why] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)

    def hides(self, name: str) -> bool:
        """Could the file be there, unseen?"""
        return any(name.startswith(f"{folder}/") for folder in self.closed)


class Changed(Exception):
    """The file is no longer what it was when it was seen."""


class Folder:
    """Hidden and temporary files do not count, and links only to files that are in the folder themselves."""

    def __init__(self, path: Path, limits: FileLimits) -> None:
        self.path = path.absolute()
        self._limits = limits

    def identity(self) -> tuple[int, int] | None:
        """Which folder this is: another one may come to stand at its path; None when there is none."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None

    def view(self) -> View:
        """An OSError where the folder itself cannot be looked into."""
        view = View()
        root = self.path.resolve()
        todo = [root]
        while todo:
            folder = todo.pop()
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                if folder == root:
                    raise
                view.closed.append(_named(folder.relative_to(root)))
                view.skipped[view.closed[-1]] = "unreadable"
                continue
            todo += self._sort(entries, root, view)
        return view

    def read(self, name: str, file: File) -> bytes:
        """The bytes that were seen. Raises Changed, DocumentError(`too_large`), or OSError where they are not ours."""
        check_size(name, file.sign.size, self._limits)
        try:
            descriptor = os.open(file.path, _OPENING)
        except FileNotFoundError as error:
            raise Changed from error
        with open(descriptor, "rb") as opened:
            data = opened.read(file.sign.size + 1) if _sign(os.fstat(descriptor)) == file.sign else b""
            if len(data) != file.sign.size or _sign(os.fstat(descriptor)) != file.sign:
                raise Changed
        return data

    def _sort(self, entries: list[os.DirEntry[str]], root: Path, view: View) -> Iterator[Path]:
        """Puts files where they belong and gives the folders."""
        for entry in entries:
            if entry.name.startswith(_TEMPORARY) or entry.name.endswith("~"):
                continue
            relative = Path(entry.path).relative_to(root)
            name = _named(relative)
            try:
                if entry.is_dir(follow_symlinks=False):
                    yield Path(entry.path)
                    continue
                file = _file(entry, root)
            except OSError:
                view.skipped[name] = "unreadable"
                continue
            if file is None:
                view.skipped[name] = "link"
            elif PurePath(name).suffix.lower() not in SUFFIXES:
                view.skipped[name] = "unsupported"
            elif name in view.files:
                view.skipped[relative.as_posix()] = "twin"
            else:
                view.files[name] = file


class Stillness:
    """Since when each thing is as it is: pure, time is told."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: dict[str, tuple[object, float]] = {}

    def settled(self, name: str, state: object, now: float) -> bool:
        """Has it been in this state for that long, at every time it was asked about?"""
        known, since = self._since.get(name, (None, now))
        if name not in self._since or known != state:
            self._since[name] = (state, now)
            return False
        return now - since >= self._seconds

    def forget(self, name: str) -> None:
        self._since.pop(name, None)


def _file(entry: os.DirEntry[str], root: Path) -> File | None:
    """None for what is no plain file, or a link to one outside."""
    path = Path(entry.path)
    if entry.is_symlink():
        path = Path(os.path.realpath(path, strict=True))
        if not path.is_relative_to(root):
            return None
    found = path.lstat()
    return File(path, _sign(found)) if stat.S_ISREG(found.st_mode) else None


def _sign(found: os.stat_result) -> Sign:
    return Sign(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _named(relative: PurePath) -> str:
    """A name as text; one that is not in the system's encoding is read as Chinese."""
    name = relative.as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        name = os.fsencode(name).decode("gb18030", "backslashreplace")
    return unicodedata.normalize("NFC", name)
