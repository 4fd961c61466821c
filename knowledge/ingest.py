"""From a file's bytes to a document and its passages, and which files of a folder are documents."""

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from configs.language import Lang, detect
from knowledge import chunk
from knowledge.documents import Document, Format, Passage, Place, QuestionAnswer
from knowledge.lexical import Counts, counted
from knowledge.ocr import TextRecognizer
from knowledge.parse import SUFFIXES, FileLimits, parse

_SAMPLES, _SAMPLE = 20, 5_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says: its text, where its passages stand in it, and the terms each is indexed by.

    `questions`: the curated answers of an FAQ sheet. `dated` and `tags`: what the file itself says of them.
    """

    format: Format
    title: str
    lang: Lang
    text: str
    places: tuple[Place, ...]
    terms: tuple[Counts, ...]
    questions: tuple[QuestionAnswer, ...] = ()
    dated: date | None = None
    tags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def document_id(source: str) -> str:
    """The same for the same source name, whatever is in the file."""
    return hashlib.sha256(unicodedata.normalize("NFC", source).encode()).hexdigest()[:16]


def read(source: str, data: bytes, limits: FileLimits, recognizer: TextRecognizer | None = None) -> Reading:
    """Heavy work, on bytes of a stranger's: see `knowledge.reader`. Raises DocumentError."""
    kind, parsed = parse(source, data, limits, recognizer)
    places = tuple(chunk.passages(parsed))
    return Reading(
        format=kind,
        title=parsed.title,
        lang=language(parsed.text),
        text=parsed.text,
        places=places,
        terms=tuple(
            counted(_under(parsed.title, place.section, parsed.text[place.start : place.end])) for place in places
        ),
        questions=parsed.questions,
        dated=parsed.dated,
        tags=parsed.tags,
        warnings=parsed.warnings,
    )


def language(text: str) -> Lang:
    """Of a long text, a sample is enough."""
    step = max(len(text) // _SAMPLES, _SAMPLE)
    text = " ".join(text[start : start + _SAMPLE] for start in range(0, len(text), step))
    return detect(text) or ("zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en")


def heading(passage: Passage) -> str:
    """Title and section path, without repetition: what a passage is about."""
    return _path(passage.title, passage.place.section)


def indexed(passage: Passage) -> str:
    """What is indexed for a passage: its text under its heading."""
    return _under(passage.title, passage.place.section, passage.text)


def passages(document: Document, places: Iterable[Place]) -> list[Passage]:
    """Ids depend on the content, so that passages an edit leaves alone keep their vectors."""
    seen: Counter[str] = Counter()
    found = []
    for place in places:
        text = document.text[place.start : place.end]
        key = "\n".join([document.id, document.title, *place.section, text])
        seen[key] += 1
        name = hashlib.sha256(f"{seen[key]}\n{key}".encode()).hexdigest()[:20]
        found.append(
            Passage(
                f"{document.id}.{name}", document.id, document.title, text, place, document.source, document.revision
            )
        )
    return found


def _path(title: str, section: tuple[str, ...]) -> str:
    names = [title, *section]
    return " > ".join(name for index, name in enumerate(names) if name not in names[:index])


def _under(title: str, section: tuple[str, ...], text: str) -> str:
    return f"{_path(title, section)}\n{text}"


def files(path: Path) -> Iterator[tuple[str, Path]]:
    """Source names and files: the file itself, or all documents under a folder, hidden ones left out."""
    if not path.is_dir():
        yield _readable(path.name), path
        return
    for file in sorted(path.rglob("*")):
        relative = file.relative_to(path)
        hidden = any(part.startswith(".") for part in relative.parts)
        if file.is_file() and not hidden and file.suffix.lower() in SUFFIXES:
            yield _readable(relative.as_posix()), file


def sources(paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """The files of several paths, each once; names that collide begin with their folder's, or are the whole path."""
    found: dict[Path, list[str]] = {}
    for path in paths:
        whole = path.resolve()
        folder = whole.name if path.is_dir() else whole.parent.name
        for name, file in files(path):
            found.setdefault(file.resolve(), [name, _readable(f"{folder}/{name}")])
    named = {file: [*names, _readable(file.as_posix())] for file, names in found.items()}
    for _ in range(2):
        taken = Counter(document_id(names[0]) for names in named.values())
        named = {file: names[taken[document_id(names[0])] > 1 :] for file, names in named.items()}
    return [(names[0], file) for file, names in named.items()]


def _readable(name: str) -> str:
    """A file's name as text; one that is not in the system's encoding is read as Chinese."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "backslashreplace")
    return name
