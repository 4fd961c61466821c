"""Vectors kept in a folder, so that those of a text are made once however often a corpus is measured."""

import hashlib
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from knowledge.embedding import Embedder, Role, Vectors

Progress = Callable[[str], None]
_KEY = 16
_EVERY = 10.0
"""Seconds between two words about progress."""


class VectorCache:
    """One file for each embedder, of records: 16 bytes of a hash of the text and its role, then the vector.

    Whole records are appended as they are made, so that an interruption loses none; a torn one is cut off.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._embedder = embedder
        self._record = np.dtype([("key", f"V{_KEY}"), ("vector", np.float32, (embedder.dimension,))])
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{_name(embedder.identity)}.vectors"
        whole = self.path.stat().st_size // self._record.itemsize if self.path.exists() else 0
        with self.path.open("ab") as file:
            file.truncate(whole * self._record.itemsize)
        records = np.fromfile(self.path, self._record, whole)
        self._vectors: dict[bytes, Vectors] = {record["key"].tobytes(): record["vector"] for record in records}

    def vectors(self, texts: Sequence[str], role: Role, progress: Progress) -> Vectors:
        """Shape (len(texts), dimension); those that are missing are made one by one. Raises EmbedderError."""
        keys = [hashlib.sha256(f"{role}\n{text}".encode()).digest()[:_KEY] for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._vectors}
        began = told = time.monotonic()
        for done, (key, text) in enumerate(missing.items()):
            if (now := time.monotonic()) - told > _EVERY and done:
                told, left = now, (now - began) / done * (len(missing) - done)
                progress(f"{done} of {len(missing)} {role}s embedded, about {max(left / 60, 1):.0f} min left")
            self._keep(key, self._embedder.embed([text], role)[0])
        if not keys:
            return np.zeros((0, self._embedder.dimension), np.float32)
        return np.stack([self._vectors[key] for key in keys])

    def _keep(self, key: bytes, vector: Vectors) -> None:
        record = np.array([(key, vector)], self._record)
        with self.path.open("ab", buffering=0) as file:
            file.write(record.tobytes())
        self._vectors[key] = vector


def _name(identity: str) -> str:
    """The identity itself where it can name a file."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", identity)[:80]
    return plain if plain == identity else f"{plain}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
