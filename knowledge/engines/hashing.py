"""An embedder without weights: terms hashed into a fixed number of dimensions; for tests and plug-ins."""

import math
from collections import Counter
from collections.abc import Sequence
from zlib import crc32

import numpy as np
from pydantic import Field

from configs import engines
from configs.home import Home
from knowledge.embedding import Role, Vectors
from knowledge.lexical import terms


class Hashing:
    """Texts that share words or characters are near each other; it knows nothing of their meaning."""

    class Options(engines.Options):
        dimension: int = Field(default=256, ge=8, le=65_536)

    def __init__(self, options: Options, home: Home) -> None:
        self._dimension = options.dimension

    @property
    def identity(self) -> str:
        return f"hashing-1-{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for feature, count in Counter(_features(text)).items():
                code = crc32(feature.encode())
                vector[code % self._dimension] += math.sqrt(count) * (1 if code & 0x8000_0000 else -1)
            length = float(np.linalg.norm(vector))
            if length == 0:
                vector[0] = length = 1.0
            vector /= length
        return vectors


def _features(text: str) -> list[str]:
    """Terms, and the letter triples of longer words, so that inflected words stay near."""
    found = terms(text)
    for term in [term for term in found if len(term) > 4]:
        found.extend(term[at : at + 3] for at in range(len(term) - 2))
    return found
