"""Any server with the OpenAI embeddings endpoint: vLLM, llama.cpp's server, a hosted model."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from configs.home import Home
from knowledge.embedding import EmbedderError, Role, Vectors
from knowledge.engines import endpoint
from knowledge.engines.endpoint import Endpoint, EndpointError


class OpenAIEmbeddings:
    class Options(endpoint.Options):
        """`dimensions`: asked of a model that can shorten its vectors. `base64`: a quarter of the bytes, where the
        server can. The prefixes are those that the model was trained with, such as "query: " and "passage: ".
        """

        dimensions: int | None = Field(default=None, ge=1)
        base64: bool = False
        batch: int = Field(default=32, ge=1)
        question_prefix: str = ""
        passage_prefix: str = ""

    def __init__(self, options: Options, home: Home) -> None:
        self._options = options
        self._endpoint = Endpoint(options)
        self._prefixes: dict[Role, str] = {"question": options.question_prefix, "passage": options.passage_prefix}
        self._dimension = options.dimensions

    @property
    def identity(self) -> str:
        options = self._options
        return f"openai:{options.model}|{options.dimensions or ''}|{options.passage_prefix}"

    @property
    def dimension(self) -> int:
        """Asked of the server where nothing has said it yet."""
        if self._dimension is None:
            self.embed(["1"], "passage")
        assert self._dimension is not None
        return self._dimension

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        prefix, batch = self._prefixes[role], self._options.batch
        inputs = [_valid(prefix + text) for text in texts]
        parts = [self._request(inputs[start : start + batch]) for start in range(0, len(inputs), batch)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), np.float32)

    def close(self) -> None:
        self._endpoint.close()

    def _request(self, inputs: list[str]) -> Vectors:
        body: dict[str, Any] = {"model": self._options.model, "input": inputs}
        body["encoding_format"] = "base64" if self._options.base64 else "float"
        if self._options.dimensions is not None:
            body["dimensions"] = self._options.dimensions
        try:
            vectors = _vectors(self._endpoint.post("/embeddings", body), len(inputs))
        except EndpointError as error:
            raise EmbedderError(f"the embedding model failed: {error}") from error
        if self._dimension is None:
            self._dimension = vectors.shape[1]
        if vectors.shape[1] != self._dimension:
            raise EmbedderError(f"the model server sent {vectors.shape[1]} dimensions instead of {self._dimension}")
        return vectors


def _vectors(answer: Any, count: int) -> Vectors:
    """The vectors in the order asked for, of length 1. Raises EmbedderError where one is missing or none."""
    try:
        found = {int(item["index"]): _floats(item["embedding"]) for item in answer["data"]}
        vectors = np.stack([found[index] for index in range(count)])
    except (LookupError, TypeError, ValueError, binascii.Error) as error:
        raise EmbedderError("the model server sent embeddings that cannot be read, or not one for each text") from error
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if len(found) != count or vectors.ndim != 2 or not (np.isfinite(lengths) & (lengths > 0)).all():
        raise EmbedderError("the model server sent embeddings that are none")
    unit: Vectors = (vectors / lengths).astype(np.float32)
    return unit


def _floats(embedding: Any) -> Any:
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4").astype(np.float64)
    return np.asarray(embedding, np.float64)


def _valid(text: str) -> str:
    """No server accepts lone surrogates, some no empty text."""
    return text.encode("utf-8", "replace").decode() or " "
