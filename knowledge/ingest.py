"""From a file's bytes to a document and its passages, and which files of a folder are documents."""

import hashlib
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from configs.language import Lang, detect
from knowledge import chunk
from knowledge.documents import Document, Passage
from knowledge.parse import SUFFIXES, FileLimits, parse
from knowledge.structure import Parsed


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def document_id(source: str) -> str:
    """The same for the same source name, whatever is in the file."""
    return hashlib.sha256(unicodedata.normalize("NFC", source).encode()).hexdigest()[:16]


def read(source: str, data: bytes, limits: FileLimits) -> tuple[Document, list[Passage], tuple[str, ...]]:
    """The document, its passages and warnings. Raises DocumentError."""
    kind, parsed = parse(source, data, limits)
    source = unicodedata.normalize("NFC", source)
    document = Document(
        id=document_id(source),
        title=parsed.title,
        source=source,
        format=kind,
        lang=language(parsed.text),
        sha256=digest(data),
        text=parsed.text,
    )
    return document, _passages(document, parsed), parsed.warnings


def language(text: str) -> Lang:
    return detect(text) or ("zh" if any("\u4e00" <= character <= "\u9fff" for character in text) else "en")


def heading(passage: Passage) -> str:
    """Title and section path, without repetition: what a passage is about."""
    names = [passage.title, *passage.place.section]
    return " > ".join(name for index, name in enumerate(names) if name not in names[:index])


def indexed(passage: Passage) -> str:
    """What is indexed for a passage: its text under its heading."""
    return f"{heading(passage)}\n{passage.text}"


def _passages(document: Document, parsed: Parsed) -> list[Passage]:
    """Ids depend on the content, so that passages an edit leaves alone keep their vectors."""
    seen: Counter[str] = Counter()
    passages = []
    for place in chunk.passages(parsed):
        text = document.text[place.start : place.end]
        key = "\n".join([document.id, document.title, *place.section, text])
        seen[key] += 1
        name = hashlib.sha256(f"{seen[key]}\n{key}".encode()).hexdigest()[:20]
        passages.append(Passage(f"{document.id}.{name}", document.id, document.title, text, place, document.source))
    return passages


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
