"""Files of JSON lines that can only grow: each line carries a hash of itself and of the one before."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from configs.weights.lock import alone

Record = Mapping[str, Any]
_FIRST = "0" * 64
_TAIL = 16_384
"""Bytes at a file's end in which its last line lies: lines are shorter."""
LONGEST = 8_192
"""Bytes of a line."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold: `file`, `line` (from 1), and what is wrong there."""

    file: str
    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class _Head:
    """A line's number and hash."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class _Mark:
    """The last line written, and the number of the first one in the file that grows."""

    head: _Head
    first: int


class Chain:
    """`path` is the file that grows; at `most` bytes it is set aside as `STEM-NUMBER.jsonl` by its first line's number.

    Beside it, `STEM.head` keeps what the file begins and ends with, so that a missing end is found as well. Files set
    aside may be thrown away, the oldest first. Several processes may write by turns.
    """

    def __init__(self, path: Path, most: int = 10_000_000) -> None:
        self._path, self._most = path, most
        self._mark = path.with_suffix(".head")
        self._lock = path.with_suffix(".lock")

    def append(self, record: Record) -> None:
        """Returns when the line is on the disk. Raises OSError; then nothing of it is in the file."""
        with alone(self._lock, lambda: None):
            mark, found = self._marked(), self._found()
            head = mark.head if mark is not None and mark.head.number > found.number else found
            if self._path.exists() and self._path.stat().st_size >= self._most:
                self._path.rename(self._path.with_name(f"{self._path.stem}-{self._first():012}.jsonl"))
            begins = not self._path.exists() and head == found
            line, written = _line(record, head)
            self._write(line)
            with suppress(OSError):  # the line is kept; a mark that lags behind is no fault
                self._remember(_Mark(written, mark.first if mark is not None and not begins else self._first()))

    def records(self) -> Iterator[dict[str, Any]]:
        """Every line that can be read, the oldest first."""
        for file in self.files():
            for line in file.read_bytes().splitlines():
                with suppress(orjson.JSONDecodeError):
                    yield orjson.loads(line)

    def verify(self) -> Break | None:
        """The first place where a line was altered, taken out or put in; None where there is none."""
        with alone(self._lock, lambda: None):
            return self._broken(self._marked())

    def _broken(self, mark: _Mark | None) -> Break | None:
        head: _Head | None = None
        reached = mark is None
        for file in self.files():
            for at, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
                found = _checked(line, head)
                if isinstance(found, str):
                    return Break(file.name, at, found)
                if mark is not None and file == self._path and at == 1 and found.number != mark.first:
                    return Break(file.name, at, f"line {mark.first} is missing: this is line {found.number}")
                head = found
                reached = reached or (mark is not None and head == mark.head)
        if mark is not None and not reached:
            return Break(self._path.name, 0, f"the end is missing: line {mark.head.number} was written")
        return None

    def files(self) -> list[Path]:
        """Those set aside and the one that grows, the oldest first."""
        name = re.compile(re.escape(self._path.stem) + r"-\d{12}\.jsonl")
        aside = [file for file in self._path.parent.glob("*.jsonl") if name.fullmatch(file.name)]
        return sorted(aside) + ([self._path] if self._path.exists() else [])

    def _found(self) -> _Head:
        """The last line there is. What a crash left of a line that was never acknowledged is taken off."""
        for file in reversed(self.files()):
            last, torn = _last_line(file)
            if torn:
                os.truncate(file, file.stat().st_size - torn)
            return _head(last)
        return _Head(0, _FIRST)

    def _first(self) -> int:
        """The number of the first line of the file that grows."""
        with self._path.open("rb") as file:
            return _head(file.readline()).number

    def _write(self, line: bytes) -> None:
        with self._path.open("ab", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            try:
                written = file.write(line)
                if written != len(line):
                    raise OSError(f"{self._path}: only a part of a line could be written")
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    os.truncate(file.fileno(), size)
                raise

    def _remember(self, mark: _Mark) -> None:
        part = self._mark.with_suffix(".head.part")
        part.write_bytes(orjson.dumps({"n": mark.head.number, "hash": mark.head.hash, "first": mark.first}))
        part.replace(self._mark)

    def _marked(self) -> _Mark | None:
        try:
            found = orjson.loads(self._mark.read_bytes())
            return _Mark(_Head(int(found["n"]), str(found["hash"])), int(found["first"]))
        except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return None


def _line(record: Record, head: _Head) -> tuple[bytes, _Head]:
    body = {"n": head.number + 1, **record}
    digest = _digest(body, head.hash)
    line = orjson.dumps({**body, "hash": digest}) + b"\n"
    if len(line) > LONGEST:
        raise ValueError(f"a line of {len(line)} bytes; at most {LONGEST}")
    return line, _Head(head.number + 1, digest)


def _digest(body: Record, previous: str) -> str:
    return hashlib.sha256(previous.encode() + orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _checked(line: bytes, head: _Head | None) -> _Head | str:
    """The line's own head, or what is wrong with it. The oldest line kept may follow lines that were thrown away."""
    try:
        body = orjson.loads(line)
        digest, number = str(body.pop("hash")), int(body["n"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return "not a line of the log"
    if not line.endswith(b"\n"):
        return "the line is not ended"
    if head is None and number > 1:
        return _Head(number, digest)
    if number != (head.number if head else 0) + 1:
        return f"line {(head.number if head else 0) + 1} is missing: this is line {number}"
    if digest != _digest(body, head.hash if head else _FIRST):
        return "the line, or the one before it, was altered"
    return _Head(number, digest)


def _head(line: bytes) -> _Head:
    try:
        body = orjson.loads(line)
        return _Head(int(body["n"]), str(body["hash"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return _Head(0, _FIRST)


def _last_line(file: Path) -> tuple[bytes, int]:
    """The last whole line, and the bytes of a torn one after it."""
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - _TAIL))
        tail = opened.read()
    whole, _, torn = tail.rpartition(b"\n")
    return whole.rpartition(b"\n")[2], len(torn)
