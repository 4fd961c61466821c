"""A text as numbers: its runs of one to three characters, hashed into a table. The same on every machine."""

import numpy as np
from numpy.typing import NDArray

from agent.moderation.folding import fold

LONGEST = 3
BITS = 18
SIZE = 1 << BITS
Indices = NDArray[np.int64]

_STEP, _MIX, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(64 - BITS)


def features(text: str) -> Indices:
    """Places in a table of `SIZE`, each once, in ascending order."""
    folded = f" {' '.join(fold(text).text.split())} "
    codes = np.frombuffer(folded.encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)
    runs, found = np.zeros(len(codes), np.uint64), []
    for length in range(1, min(LONGEST, len(codes)) + 1):
        runs = runs[: len(codes) - length + 1] * _STEP + codes[length - 1 :] + np.uint64(length)
        mixed = (runs ^ (runs >> np.uint64(29))) * _MIX
        found.append(mixed >> _SHIFT)
    return np.unique(np.concatenate(found)).astype(np.int64)
