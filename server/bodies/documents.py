"""Documents, and what becomes of files and pages that are to be documents."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, HttpUrl, StringConstraints, model_validator

from configs.language import Lang
from knowledge.documents import Entry, Format
from server.bodies.base import Asked, Given, Tag


class Summary(Given):
    """A document without its text. `revision` numbers its version; `dated` is the day it says of itself."""

    id: str
    title: str
    source: str
    format: Format
    lang: Lang
    characters: int
    passages: int
    revision: int
    dated: date | None
    tags: tuple[str, ...]
    summary: str


def chosen(
    entries: Iterable[Entry], lang: Lang | None, kind: Format | None, tags: Iterable[str], text: str
) -> Iterator[Entry]:
    """Those of this language and format, with all of these tags, and with this text in the title."""
    for entry in entries:
        if lang not in (None, entry.lang) or kind not in (None, entry.format):
            continue
        if set(tags) <= set(entry.tags) and text.casefold() in entry.title.casefold():
            yield entry


class Listing(Given):
    """`next`: what to give as `after` for the following page; null on the last one."""

    documents: list[Summary]
    total: int
    next: str | None


class Whole(Given):
    id: str
    title: str
    source: str
    format: Format
    lang: Lang
    revision: int
    dated: date | None
    tags: tuple[str, ...]
    summary: str
    text: str


class Uploaded(Given):
    """`unchanged`: the same bytes were there already, and nothing was done."""

    document: Summary
    unchanged: bool
    warnings: tuple[str, ...]


class Taken(Given):
    """What became of one file: a document, or, with `code` and `message`, why it is none."""

    source: str
    document: Summary | None = None
    unchanged: bool = False
    warnings: tuple[str, ...] = ()
    code: str | None = None
    message: str | None = None

    @classmethod
    def refused(cls, source: str, code: str, message: str) -> Self:
        return cls(source=source, code=code, message=message)


class Labels(Asked):
    """What an editor says of a document; what is left out stays as it is. A null date takes the date away."""

    tags: Annotated[tuple[Tag, ...], Field(max_length=50)] | None = None
    summary: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)] | None = None
    dated: date | None = None

    def given(self) -> dict[str, Any]:
        """What a knowledge base is told: an empty date takes the date away."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return said | ({"dated": self.dated or ""} if "dated" in said else {})


class JobBody(Given):
    """`code` and `message` say why one failed. `pending`: vectors of `document` that are still to be made."""

    id: str
    source: str
    state: Literal["waiting", "reading", "done", "failed"]
    created: str
    code: str | None
    message: str | None
    document: str | None
    pending: int


class Pages(Asked):
    """Either one page or all pages of a sitemap."""

    url: HttpUrl | None = None
    sitemap: HttpUrl | None = None
    tags: tuple[Tag, ...] = ()

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.url is None) == (self.sitemap is None):
            raise ValueError("give either url or sitemap")
        return self


class SkippedPage(Given):
    """A page that a sitemap lists and that was not taken, and why."""

    source: str
    code: str
    message: str


class Crawled(Given):
    """A job for each page of a sitemap."""

    jobs: list[JobBody]
    skipped: list[SkippedPage]
