"""What the presenter knows: documents, and the passages cut from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from configs.language import Lang

Format = Literal["markdown", "text", "html", "pdf", "docx"]


class DocumentError(ValueError):
    """A file cannot become a document; `code` is stable, the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands: heading path, page (from 1, PDF only), character span of the document's text."""

    section: tuple[str, ...]
    page: int | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """`id` is stable for a source; `sha256` is of the file's bytes; `text` is what was parsed from it."""

    id: str
    title: str
    source: str
    format: Format
    lang: Lang
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """`title` and `source` are those of its document."""

    id: str
    document: str
    title: str
    text: str
    place: Place
    source: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage found for a question.

    `score`: fused z-scores, comparable within one retrieval only. `lexical`: BM25. `coverage`: share of the
    question's informative terms, weighted by idf, that occur in the passage, 0 to 1. `dense`: cosine
    similarity, None while the passage has no vector yet.
    """

    passage: Passage
    score: float
    lexical: float
    coverage: float
    dense: float | None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Hits, best first, with the milliseconds each stage took.

    `degraded`: why the hits were found by words alone; None when vectors took part. `weights`: the question's
    terms with their idf in this knowledge base: how much each says.
    """

    question: str
    hits: tuple[Hit, ...]
    timings: dict[str, float]
    degraded: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalogue: a document without its text, and how many passages it gave."""

    id: str
    title: str
    source: str
    format: Format
    lang: Lang
    sha256: str
    characters: int
    passages: int


@dataclass(frozen=True, slots=True)
class Ingested:
    """`unchanged`: the same bytes were there already and nothing was done."""

    document: Entry
    unchanged: bool
    warnings: tuple[str, ...] = ()


class KnowledgeUnavailable(RuntimeError):
    """The knowledge base cannot be read now; an answer must say so and never guess."""
