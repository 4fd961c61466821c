"""What the presenter knows: documents, the passages cut from them, and curated answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from configs.language import Lang

Format = Literal["markdown", "text", "html", "pdf", "docx", "pptx", "xlsx", "csv", "epub", "json", "subtitles", "image"]


class DocumentError(ValueError):
    """A file cannot become a document; `code` is stable, the message says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands: heading path, page or slide (from 1), character span of the document's text.

    `at`: seconds into the recording that a transcript belongs to. `parent`: the span of the section that the
    passage was cut from, which gives its context.
    """

    section: tuple[str, ...]
    page: int | None
    start: int
    end: int
    at: float | None = None
    parent: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """`id` is stable for a source; `sha256` is of the file's bytes; `text` is what was parsed from it.

    `revision` numbers the versions of all documents of a base; `dated` is the day the document itself or its editor
    says; `tags` and `summary` are labels, made by a model or from keywords, which an editor may change.
    """

    id: str
    title: str
    source: str
    format: Format
    lang: Lang
    sha256: str
    text: str
    revision: int = 0
    dated: date | None = None
    tags: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """`title`, `source` and `revision` are those of its document."""

    id: str
    document: str
    title: str
    text: str
    place: Place
    source: str = ""
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage found for a question.

    `score`: fused z-scores, comparable within one retrieval only. `lexical`: BM25. `coverage`: share of the
    question's informative terms, weighted by idf, that occur in the passage, 0 to 1. `dense`: cosine
    similarity, None while the passage has no vector yet; where its sentences have vectors, the greatest of
    `sentences`, their similarities in the order of the text. `rerank`: a reranker's score, where there is one.
    """

    passage: Passage
    score: float
    lexical: float
    coverage: float
    dense: float | None
    rerank: float | None = None
    sentences: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """Which passages may be found; an empty part leaves everything in.

    `tags`: all of them; the others: one of them. `since` and `until`: the document's date, both ends included;
    a document without a date is left out by either. `without`: passages by id that are not to be found.
    """

    langs: frozenset[Lang] = frozenset()
    formats: frozenset[Format] = frozenset()
    tags: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None
    without: frozenset[str] = frozenset()


ANYTHING = Filter()


@dataclass(frozen=True, slots=True)
class QuestionAnswer:
    """A curated answer: said word for word where one of its questions is asked.

    `since` and `until`: the days it holds, both included. `emotion` and `gesture` are names of the persona's.
    """

    questions: tuple[str, ...]
    answer: str
    emotion: str | None = None
    gesture: str | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Curated:
    """A curated answer as it is kept. `document`: the FAQ sheet it came from; None for one that an editor wrote."""

    id: str
    entry: QuestionAnswer
    lang: Lang
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Retrieval:
    """Hits, best first, with the milliseconds each stage took.

    `degraded`: why the hits were found by words alone; None when vectors took part. `weights`: the question's
    terms with their idf in this knowledge base: how much each says. `curated`: the answer to say instead, where
    the question is one of the curated ones. `enough`: the support from which this base answers, as calibrated on
    it; None where it has not been. `embedder`: the identity of the one whose similarities the hits tell.
    """

    question: str
    hits: tuple[Hit, ...]
    timings: dict[str, float]
    degraded: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    curated: Curated | None = None
    enough: float | None = None
    embedder: str = ""


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
    revision: int = 0
    dated: date | None = None
    tags: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Ingested:
    """`unchanged`: the same bytes were there already and nothing was done."""

    document: Entry
    unchanged: bool
    warnings: tuple[str, ...] = ()


class KnowledgeUnavailable(RuntimeError):
    """The knowledge base cannot be read now; an answer must say so and never guess."""
