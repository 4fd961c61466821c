"""What a reranker is: a model that reads a question and a passage together and says how well they match."""

from collections.abc import Sequence
from typing import Protocol


class RerankError(RuntimeError):
    """The reranker failed."""


class Reranker(Protocol):
    """Blocking: call it from a worker thread. Not assumed to be thread-safe."""

    @property
    def identity(self) -> str:
        """Name and version of the weights; scores of different identities do not compare."""
        ...

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """One finite number for each text, in their order, higher for a better match; of any scale."""
        ...
