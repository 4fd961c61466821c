"""How a reading travels from the process that made it: frames of JSON, checked as a stranger's when they arrive."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from configs.language import Lang
from knowledge.documents import DocumentError, Format, Place, QuestionAnswer
from knowledge.ingest import Reading
from knowledge.lexical import Counts

LENGTH = 4
"""Bytes that say how long a frame is, most significant first."""
LONGEST = 256_000_000
_SLICE = 40
"""Passages in a frame: what is checked in one go keeps the event loop for a few milliseconds."""

_Count = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class Head:
    """All of a reading but its text and passages, which follow: the text in one frame, the passages in slices."""

    format: Format
    title: str
    lang: Lang
    passages: int
    questions: tuple[QuestionAnswer, ...]
    dated: date | None
    tags: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Slice:
    """Some passages: `terms` has the counts of each."""

    places: tuple[Place, ...]
    terms: tuple[Counts, ...]


class WireError(ValueError):
    """The frames are not a reading: the process that made them is not to be trusted."""


@dataclass(frozen=True, slots=True)
class _Slice:
    places: tuple[Place, ...]
    terms: tuple[dict[str, _Count], ...]


_OPENING: TypeAdapter[Head | Refusal] = TypeAdapter(Head | Refusal)
_PASSAGES: TypeAdapter[_Slice] = TypeAdapter(_Slice)


def frame(content: bytes) -> bytes:
    return len(content).to_bytes(LENGTH, "big") + content


def frames(reading: Reading) -> Iterator[bytes]:
    """The content of each frame."""
    yield orjson.dumps(
        Head(
            reading.format,
            reading.title,
            reading.lang,
            len(reading.places),
            reading.questions,
            reading.dated,
            reading.tags,
            reading.warnings,
        )
    )
    yield reading.text.encode()
    for start in range(0, len(reading.places), _SLICE):
        end = start + _SLICE
        yield orjson.dumps(Slice(reading.places[start:end], reading.terms[start:end]))


def refusal(error: DocumentError) -> bytes:
    return orjson.dumps(Refusal(error.code, str(error)))


def opening(content: bytes) -> Head:
    """Raises DocumentError where the file was refused, and WireError for what is neither."""
    try:
        read = _OPENING.validate_json(content)
    except ValidationError as error:
        raise WireError("no reading and no refusal") from error
    if isinstance(read, Refusal):
        raise DocumentError(read.code[:40], read.message[:1000])
    return read


def words(content: bytes) -> str:
    """Raises WireError."""
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise WireError("the text is not UTF-8") from error


def passages(content: bytes, length: int) -> Slice:
    """Some passages of a text of this length. Raises WireError, also where there are none, or not within the text."""
    try:
        read = _PASSAGES.validate_json(content)
    except ValidationError as error:
        raise WireError("no passages") from error
    sound = read.places and len(read.places) == len(read.terms) and all(_within(place, length) for place in read.places)
    if not sound:
        raise WireError("passages that are not in the text")
    return Slice(read.places, tuple(map(Counter, read.terms)))


def reading(head: Head, text: str, slices: Sequence[Slice]) -> Reading:
    return Reading(
        head.format,
        head.title,
        head.lang,
        text,
        tuple(place for piece in slices for place in piece.places),
        tuple(counts for piece in slices for counts in piece.terms),
        head.questions,
        head.dated,
        head.tags,
        head.warnings,
    )


def _within(place: Place, length: int) -> bool:
    first, last = place.parent or (place.start, place.end)
    return 0 <= first <= place.start < place.end <= last <= length and (place.page is None or place.page > 0)
