"""Any sentence-transformers cross-encoder, by name or by folder, as the reranker."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import Field

from configs import engines
from configs.home import Home
from knowledge.rerank import RerankError


class CrossEncoder:
    class Options(engines.Options):
        """`model`: a name, looked up on the model hub unless the environment sets HF_HUB_OFFLINE=1, or a folder.
        `device`: cpu, cuda, mps; None takes the best there is.
        """

        model: str = "BAAI/bge-reranker-v2-m3"
        device: str | None = None
        batch: int = Field(default=16, ge=1)
        max_length: int | None = Field(default=512, ge=16)

    def __init__(self, options: Options, home: Home) -> None:
        from sentence_transformers import CrossEncoder as Model

        self._options = options
        try:
            self._model: Any = Model(
                options.model,
                device=options.device,
                max_length=options.max_length,
                cache_folder=str(home.cache / "sentence-transformers"),
            )
        except (OSError, ValueError, RuntimeError) as error:
            raise RerankError(f"the reranker {options.model!r} cannot be loaded: {error}") from error

    @property
    def identity(self) -> str:
        return self._options.model

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        pairs = [(question, text) for text in texts]
        try:
            scores = self._model.predict(pairs, batch_size=self._options.batch, show_progress_bar=False)
        except (RuntimeError, ValueError, TypeError) as error:
            raise RerankError(f"the reranker failed: {type(error).__name__}") from error
        found = np.asarray(scores, np.float64).reshape(len(texts), -1)[:, -1]
        if not np.isfinite(found).all():
            raise RerankError("the reranker gave numbers that are none")
        return [float(score) for score in found]
