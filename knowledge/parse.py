"""A file's bytes to its text and structure, judged by what the bytes are and not by what the name says."""

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import PurePath

from knowledge.documents import DocumentError, Format
from knowledge.encodings import decode
from knowledge.structure import Parsed

SUFFIXES: dict[str, Format] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".text": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".docx": "docx",
}
_OFFICE_97 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")
_HTML_START = re.compile(rb"(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html[\s>])", re.I)
_BINARY = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x7fELF",
    b"MZ\x90",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"OggS",
    b"ID3",
)
_ENTRIES = 5_000
_HIGH = frozenset((0x00, 0x20, 0x30, 0xFF, *range(0x4E, 0xA0)))


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Bytes: the largest file, all its content and its XML once unpacked, and the largest Markdown or HTML file."""

    size: int = 20_000_000
    unpacked: int = 200_000_000
    xml: int = 20_000_000
    markup: int = 5_000_000


def parse(name: str, data: bytes, limits: FileLimits) -> tuple[Format, Parsed]:
    """Raises DocumentError: `too_large`, `empty`, `unsupported`, `damaged`, `encrypted` or `encoding`."""
    check_size(name, len(data), limits)
    if not data.strip(b"\0 \t\r\n"):
        raise DocumentError("empty", f"{name} is empty")
    kind = recognise(name, data, limits)
    if kind in ("markdown", "html"):
        check_size(name, len(data), FileLimits(size=limits.markup))
    parsed = _read(kind, data)
    if not any(character.isalnum() for character in parsed.text):
        raise DocumentError("empty", f"{name} has no text in it")
    warnings = parsed.warnings
    expected = SUFFIXES.get(PurePath(name).suffix.lower())
    if expected in ("pdf", "docx") and kind != expected or kind in ("pdf", "docx") and expected not in (kind, None):
        warnings = (f"{name} is not what its name says; it was read as {kind}", *warnings)
    return kind, Parsed(parsed.title or PurePath(name).stem, parsed.text, parsed.blocks, warnings)


def check_size(name: str, size: int, limits: FileLimits) -> None:
    if size > limits.size:
        raise DocumentError(
            "too_large", f"{name} has {size / 1e6:.0f} MB; the limit is {limits.size / 1e6:.0f} MB; split the file"
        )


def recognise(name: str, data: bytes, limits: FileLimits) -> Format:
    """What the bytes are; only text needs its name to tell Markdown, HTML and plain text apart."""
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return _zip(name, data, limits)
    if data.startswith(_OFFICE_97):
        if _ENCRYPTED_OFFICE in data:
            raise DocumentError("encrypted", f"{name} needs a password; save it without one")
        raise DocumentError("unsupported", f"{name} is in the old Office format; save it as .docx")
    expected = SUFFIXES.get(PurePath(name).suffix.lower())
    if data.startswith(_BINARY) or not _is_text(data):
        if expected in ("pdf", "docx"):
            raise DocumentError("damaged", f"{name} is not a readable {expected.upper()} file")
        raise DocumentError("unsupported", f"{name} is not a document; {_offer()}")
    if _is_html(data[:4096]):
        return "html"
    return expected if expected in ("markdown", "html") else "text"


def _offer() -> str:
    return "documents are Markdown, text, HTML, PDF and DOCX"


def _zip(name: str, data: bytes, limits: FileLimits) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise DocumentError("damaged", f"{name} is a damaged archive: {error}") from error
    if len(entries) > _ENTRIES or sum(entry.file_size for entry in entries) > limits.unpacked:
        raise DocumentError("too_large", f"{name} unpacks to more than {limits.unpacked / 1e6:.0f} MB")
    if sum(entry.file_size for entry in entries if entry.filename.endswith((".xml", ".rels"))) > limits.xml:
        raise DocumentError("too_large", f"{name} has more than {limits.xml / 1e6:.0f} MB of text; split the file")
    if "word/document.xml" not in {entry.filename for entry in entries}:
        raise DocumentError("unsupported", f"{name} is an archive but not a Word document; {_offer()}")
    if any(entry.flag_bits & 1 for entry in entries):
        raise DocumentError("encrypted", f"{name} needs a password; save it without one")
    return "docx"


def _is_text(data: bytes) -> bool:
    """Hardly any control characters; or UTF-16, whose high bytes are those of Chinese, English and punctuation."""
    sample = data[:8192]
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    controls = sum(byte < 32 and byte not in b"\t\n\r\f\x1b\x08" for byte in sample)
    if controls <= 0.01 * len(sample) and 0 not in sample:
        return True
    halves = (sample[::2], sample[1::2])
    return len(data) % 2 == 0 and any(sum(map(_HIGH.__contains__, half)) >= 0.95 * len(half) for half in halves)


def _is_html(head: bytes) -> bool:
    """Does a file begin as a web page, after any comments?"""
    head = head.lstrip()
    while head.startswith(b"<!--"):
        head = head.partition(b"-->")[2].lstrip()
    return bool(_HTML_START.match(head))


def _read(kind: Format, data: bytes) -> Parsed:
    if kind == "pdf":
        from knowledge.formats.pdf import parse_pdf

        return parse_pdf(data)
    if kind == "docx":
        from knowledge.formats.docx import parse_docx

        return parse_docx(data)
    decoded = decode(data)
    parsed = _parse_text(kind, decoded.text)
    return Parsed(parsed.title, parsed.text, parsed.blocks, (*decoded.warnings, *parsed.warnings))


def _parse_text(kind: Format, text: str) -> Parsed:
    if kind == "html":
        from knowledge.formats.html import parse_html

        return parse_html(text)
    if kind == "markdown":
        from knowledge.formats.markdown import parse_markdown

        return parse_markdown(text)
    from knowledge.formats.plain import parse_text

    return parse_text(text)
