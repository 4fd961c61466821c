"""Any sentence-transformers model, by name or by folder: the embedder for production."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from configs import engines
from configs.home import Home
from knowledge.embedding import EmbedderError, Role, Vectors


class SentenceTransformers:
    class Options(engines.Options):
        """`model`: a name, looked up on the model hub unless the environment sets HF_HUB_OFFLINE=1, or a folder.

        `device`: cpu, cuda, mps; None takes the best there is. A prefix that is None is the model's own prompt
        where it has one, else that of the E5 family for a model of that name.
        """

        model: str = "intfloat/multilingual-e5-base"
        device: str | None = None
        batch: int = Field(default=16, ge=1)
        question_prefix: str | None = None
        passage_prefix: str | None = None

    def __init__(self, options: Options, home: Home) -> None:
        from sentence_transformers import SentenceTransformer

        self._batch = options.batch
        try:
            self._model: Any = SentenceTransformer(
                options.model, device=options.device, cache_folder=str(home.cache / "sentence-transformers")
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise EmbedderError(f"the embedding model {options.model!r} cannot be loaded: {error}") from error
        prompts = dict(self._model.prompts or {})
        family = "e5" in options.model.lower()
        self._prefixes: dict[Role, str] = {
            "question": _prefix(options.question_prefix, prompts.get("query"), "query: " if family else ""),
            "passage": _prefix(options.passage_prefix, prompts.get("passage"), "passage: " if family else ""),
        }
        self._identity = f"{options.model}|{self._prefixes['passage']}"
        self._dimension = len(self._model.encode("", prompt="", show_progress_bar=False))

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def dimension(self) -> int:
        return self._dimension

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        prefixed = [self._prefixes[role] + text for text in texts]
        try:
            vectors = self._model.encode(
                prefixed, batch_size=self._batch, normalize_embeddings=True, show_progress_bar=False, prompt=""
            )
        except (RuntimeError, ValueError) as error:
            raise EmbedderError(f"the embedding model failed: {error}") from error
        return np.asarray(vectors, np.float32).reshape(len(texts), self._dimension)


def _prefix(option: str | None, own: str | None, family: str) -> str:
    return next((prefix for prefix in (option, own) if prefix is not None), family)
