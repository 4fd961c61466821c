"""The lexical index on disk, so that a start need not count every passage again: a cache, ignored when in doubt."""

import inspect
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from hashlib import blake2b
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from configs import characters
from knowledge import ingest, lexical, postings
from knowledge.documents import Passage
from knowledge.ingest import indexed
from knowledge.lexical import Counts, LexicalIndex, counted
from knowledge.postings import NOTHING, Frozen, freeze

_PARTS = tuple(field.name for field in fields(Frozen))


def count(passages: Iterable[Passage]) -> tuple[LexicalIndex, list[str]]:
    """The index of all these passages, and the id of the passage in each slot."""
    ids: list[str] = []

    def counts() -> Iterator[Counts]:
        for passage in passages:
            ids.append(passage.id)
            yield counted(indexed(passage))

    return LexicalIndex(freeze(counts())), ids


def save(path: Path, index: LexicalIndex, ids: Sequence[str]) -> bool:
    """Write the index, and the id of the passage in each slot: an empty string for a free one.

    What was there before stays until the new file is whole. False where the disk refuses.
    """
    frozen = index.frozen()
    parts = [getattr(frozen, name) for name in _PARTS] + [np.frombuffer("\n".join(ids).encode(), np.uint8)]
    header = {"program": _program(), "sizes": [len(part) for part in parts], "digest": _digest(parts)}
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(json.dumps(header).encode() + b"\n")
            for part in parts:
                file.write(part.data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        return False
    return True


def drop(path: Path) -> None:
    """The next start, or whoever asks, counts anew."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def load(path: Path) -> tuple[LexicalIndex, list[str]] | None:
    """The index and the id of the passage in each slot; None for a file that this program did not write whole.

    A passage's id stands for its text: take out what the library no longer has, and add what is not there.
    """
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline(4096))
            if header["program"] != _program():
                return None
            parts = list(_read(file, header["sizes"]))
            if _digest(parts) != header["digest"]:
                return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    *arrays, names = parts
    frozen = Frozen(*arrays)
    index = LexicalIndex(frozen)
    ids = names.tobytes().decode().split("\n")[: len(frozen.lengths)]
    for slot, identifier in enumerate(ids):
        if not identifier:
            index.remove(slot)
    return index, ids


def _read(file: BinaryIO, sizes: Sequence[int]) -> Iterator[NDArray[Any]]:
    types = [getattr(NOTHING, name).dtype for name in _PARTS] + [np.dtype(np.uint8)]
    for dtype, size in zip(types, sizes, strict=True):
        part = np.fromfile(file, dtype, size)
        if len(part) != size:
            raise ValueError("the file ends too soon")
        yield part


def _digest(parts: Sequence[NDArray[Any]]) -> str:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(part.data)
    return digest.hexdigest()


def _program() -> str:
    """Tells programs apart that would index the same passage by other terms, or read another layout."""
    digest = blake2b(digest_size=16)
    for module in (characters, ingest, lexical, postings):
        digest.update(inspect.getsource(module).encode())
    digest.update(metadata.version("opencc").encode())
    return digest.hexdigest()
