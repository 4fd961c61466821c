"""What a file's bytes are; only text needs its name to tell Markdown, HTML, tables and plain text apart."""

import io
import re
import zipfile
from pathlib import PurePath

from knowledge.documents import DocumentError, Format
from knowledge.limits import FileLimits

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
    ".pptx": "pptx",
    ".xlsx": "xlsx",
    ".csv": "csv",
    ".tsv": "csv",
    ".epub": "epub",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".srt": "subtitles",
    ".vtt": "subtitles",
}
PICTURES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"))
"""Documents too, for those who recognise text: they are not taken from a folder without being named."""
BINARY: frozenset[Format] = frozenset(("pdf", "docx", "pptx", "xlsx", "epub", "image"))
OFFER = "documents are Markdown, text, HTML, PDF, DOCX, PPTX, XLSX, CSV, EPUB, JSON, and SRT or WebVTT transcripts"

_OFFICE_97 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")
_HTML_START = re.compile(rb"(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html[\s>])", re.I)
_SUBTITLES = re.compile(rb"(?:\xef\xbb\xbf)?(?:WEBVTT(?:[ \t\r\n]|$)|\s*\d+\s*\n\d+:\d\d:\d\d[,.]\d{3} --> )")
_IMAGE = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\0", b"MM\0*")
_BINARY = (b"\x7fELF", b"MZ\x90", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"OggS", b"ID3")
_MAIN: dict[str, Format] = {
    "word/document.xml": "docx",
    "ppt/presentation.xml": "pptx",
    "xl/workbook.xml": "xlsx",
    "META-INF/container.xml": "epub",
}
_MEDIA = (
    (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".wmf", ".emf", ".mp3", ".mp4", ".m4a")
    + (".wav", ".mov", ".avi", ".ttf", ".otf", ".odttf", ".fntdata", ".woff", ".woff2", ".bin")
)  # fmt: skip
_ENTRIES = 5_000
_HIGH = frozenset((0x00, 0x20, 0x30, 0xFF, *range(0x4E, 0xA0)))


def recognise(name: str, data: bytes, limits: FileLimits) -> Format:
    """Raises DocumentError: `unsupported`, `damaged`, `encrypted` or `too_large`."""
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return _zip(name, data, limits)
    if data.startswith(_OFFICE_97):
        if _ENCRYPTED_OFFICE in data:
            raise DocumentError("encrypted", f"{name} needs a password; save it without one")
        raise DocumentError("unsupported", f"{name} is in the old Office format; save it as .docx, .xlsx or .pptx")
    expected = SUFFIXES.get(PurePath(name).suffix.lower())
    text = _is_text(data)
    if data.startswith(_IMAGE) and not (text and data.startswith(b"BM")) or _is_webp(data):
        return "image"
    if data.startswith(_BINARY) or not text:
        if expected in BINARY:
            raise DocumentError("damaged", f"{name} is not a readable {expected.upper()} file")
        raise DocumentError("unsupported", f"{name} is not a document; {OFFER}")
    if _is_html(data[:4096]):
        return "html"
    if _SUBTITLES.match(data[:200].replace(b"\r\n", b"\n")):
        return "subtitles"
    return "text" if expected is None or expected in BINARY else expected


def _zip(name: str, data: bytes, limits: FileLimits) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise DocumentError("damaged", f"{name} is a damaged archive: {error}") from error
    if len(entries) > _ENTRIES or sum(entry.file_size for entry in entries) > limits.unpacked:
        raise DocumentError("too_large", f"{name} unpacks to more than {limits.unpacked / 1e6:.0f} MB; split the file")
    markup = sum(entry.file_size for entry in entries if not entry.filename.lower().endswith(_MEDIA))
    if markup > limits.xml:
        raise DocumentError("too_large", f"{name} has more than {limits.xml / 1e6:.0f} MB of text; split the file")
    names = {entry.filename for entry in entries}
    kind = next((kind for main, kind in _MAIN.items() if main in names), None)
    if kind is None:
        raise DocumentError("unsupported", f"{name} {_archive(names)}")
    if any(entry.flag_bits & 1 for entry in entries):
        raise DocumentError("encrypted", f"{name} needs a password; save it without one")
    return kind


def _archive(names: set[str]) -> str:
    """What to say of an archive that is no document of ours."""
    if "xl/workbook.bin" in names:
        return "is a binary Excel file; save it as .xlsx"
    if "content.xml" in names and "META-INF/manifest.xml" in names:
        return "is an OpenDocument file; save it as .docx, .xlsx or .pptx"
    return f"is an archive; unpack it and take in the documents in it; {OFFER}"


def _is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


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
