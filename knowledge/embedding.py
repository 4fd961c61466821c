"""What an embedder is: texts in, unit vectors out."""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Role = Literal["question", "passage"]


class EmbedderError(RuntimeError):
    """The embedder failed."""


class Embedder(Protocol):
    """Blocking and CPU-bound: call it from a worker thread. Not assumed to be thread-safe."""

    @property
    def identity(self) -> str:
        """Name and version of the weights; vectors of different identities never mix."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        """Shape (len(texts), dimension), float32, each row of length 1."""
        ...
