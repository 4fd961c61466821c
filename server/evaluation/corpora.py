"""What questions are asked of: a data set's own paragraphs, files of the operator's, and passages in the way."""

import time
from collections.abc import Sequence
from pathlib import Path

from knowledge.documents import Document, DocumentError, Passage
from knowledge.embedding import Embedder, Vectors
from knowledge.evaluation import datasets
from knowledge.evaluation.datasets import DataError, Dataset
from knowledge.evaluation.index import Index
from knowledge.evaluation.vectors import Progress, VectorCache
from knowledge.ingest import digest, document_id, indexed, passages, read, sources
from knowledge.parse import FileLimits
from knowledge.sentences import sentences

TIMED = 50
"""Questions that are embedded again to see what it costs."""


class Corpora:
    """Every data set's index: its own paragraphs, and what is given for all of them."""

    def __init__(self, embedder: Embedder, folder: Path, others: Sequence[Passage], progress: Progress) -> None:
        self._embedder = embedder
        self._cache = VectorCache(folder, embedder)
        self._others = others
        self._progress = progress

    @property
    def embedder(self) -> str:
        return self._embedder.identity

    def index(self, dataset: Dataset) -> Index:
        """Raises DataError where there is nothing to search, and EmbedderError."""
        found = datasets.distinct([*dataset.passages, *self._others])
        if not found:
            raise DataError(f"{dataset.name}: these questions are about documents: name them with --corpus PATH")
        self._progress(f"{dataset.name}: {len(dataset.cases)} questions, {len(found)} passages")
        whole = self._cache.vectors([indexed(one) for one in found], "passage", self._progress)
        parts = [sentences(one.text) for one in found]
        self._cache.vectors([text for part in parts for text in part], "passage", self._progress)
        single = [self._cache.vectors(part, "passage", self._progress) for part in parts]
        return Index(found, whole, single, self.embedder)

    def questions(self, texts: Sequence[str]) -> Vectors:
        return self._cache.vectors(texts, "question", self._progress)

    def embedding(self, texts: Sequence[str]) -> list[float]:
        """CPU milliseconds that some of these questions take to be embedded."""
        spent = []
        for text in texts[:: max(len(texts) // TIMED, 1)][:TIMED]:
            began = time.process_time()
            self._embedder.embed([text], "question")
            spent.append((time.process_time() - began) * 1e3)
        return spent


def documents(paths: Sequence[Path], limits: FileLimits) -> list[Passage]:
    """The passages of the documents in these paths, cut as they are for serving. Raises DataError."""
    found = sources(paths)
    if paths and not found:
        raise DataError("there is no document in the paths of --corpus")
    result: list[Passage] = []
    for name, path in found:
        try:
            data = path.read_bytes()
            reading = read(name, data, limits)
        except DocumentError as error:
            raise DataError(f"{name}: {error.code}: {error}") from error
        except OSError as error:
            raise DataError(f"{name}: cannot be read: {error.strerror}") from error
        document = Document(
            document_id(name), reading.title, name, reading.format, reading.lang, digest(data), reading.text
        )
        result += passages(document, reading.places)
    return result
