"""Any server with the rerank endpoint that vLLM, Jina and Cohere share."""

import math
from collections.abc import Sequence
from typing import Any

from configs.home import Home
from knowledge.engines import endpoint
from knowledge.engines.endpoint import Endpoint, EndpointError
from knowledge.rerank import RerankError


class RerankEndpoint:
    Options = endpoint.Options

    def __init__(self, options: endpoint.Options, home: Home) -> None:
        self._model = options.model
        self._endpoint = Endpoint(options)

    @property
    def identity(self) -> str:
        return f"openai:{self._model}"

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        documents = [text.encode("utf-8", "replace").decode() for text in texts]
        query = question.encode("utf-8", "replace").decode()
        body = {"model": self._model, "query": query, "documents": documents, "top_n": len(documents)}
        try:
            return _scores(self._endpoint.post("/rerank", body), len(documents))
        except EndpointError as error:
            raise RerankError(f"the reranker failed: {error}") from error

    def close(self) -> None:
        self._endpoint.close()


def _scores(answer: Any, count: int) -> list[float]:
    try:
        found = {int(result["index"]): float(result["relevance_score"]) for result in answer["results"]}
        scores = [found[index] for index in range(count)]
    except (LookupError, TypeError, ValueError) as error:
        raise RerankError("the model server sent scores that cannot be read, or not one for each passage") from error
    if len(found) != count or not all(map(math.isfinite, scores)):
        raise RerankError("the model server sent scores that are none")
    return scores
