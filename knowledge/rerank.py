"""What a reranker is: a model that reads a question and a passage together and says how well they match; and the thread
that all knowledge bases share it by."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from knowledge.calls import Calls


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


class Reranking:
    """One reranker, called by one thread."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker
        self._thread = ThreadPoolExecutor(1, "reranking")
        self._calls = Calls(self._thread, "the reranker")

    async def scores(self, question: str, texts: Sequence[str], patience: float) -> Sequence[float]:
        """As the reranker's. Raises RerankError, also after `patience` seconds, and at once while it is late."""
        try:
            return await self._calls.within(patience, lambda: self._reranker.scores(question, texts))
        except TimeoutError as error:
            raise RerankError(str(error)) from error

    def close(self) -> None:
        """Nothing waits for a reranker that does not come back."""
        self._thread.shutdown(wait=False, cancel_futures=True)
