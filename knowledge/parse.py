"""A file's bytes to its text and structure, judged by what the bytes are and not by what the name says."""

import re
from dataclasses import replace
from pathlib import PurePath

from knowledge.documents import DocumentError, Format
from knowledge.encodings import decode
from knowledge.limits import FileLimits as FileLimits
from knowledge.limits import check_size as check_size
from knowledge.ocr import OcrError, TextRecognizer
from knowledge.signatures import BINARY, PICTURES, recognise
from knowledge.signatures import SUFFIXES as SUFFIXES
from knowledge.structure import Parsed, one_line

_MARK = re.compile(r"^[^:\s]+:(?=\S)")


def parse(
    name: str, data: bytes, limits: FileLimits, recognizer: TextRecognizer | None = None
) -> tuple[Format, Parsed]:
    """Raises DocumentError: `too_large`, `empty`, `unsupported`, `damaged`, `encrypted` or `encoding`."""
    check_size(name, len(data), limits)
    if not data.strip(b"\0 \t\r\n"):
        raise DocumentError("empty", f"{name} is empty")
    kind = recognise(name, data, limits)
    if kind in ("markdown", "html"):
        check_size(name, len(data), FileLimits(size=limits.markup))
    try:
        parsed = _packed(kind, data, limits, recognizer) if kind in BINARY else _plain(name, kind, data, limits)
    except OcrError as error:
        raise DocumentError("damaged", f"the text in {name} cannot be recognised: {error}") from error
    if not any(character.isalnum() for character in parsed.text):
        raise DocumentError("empty", f"{name} has no text in it")
    title = parsed.title or _named(name)
    warnings = parsed.warnings
    if _expected(name) not in (kind, None) and BINARY & {kind, _expected(name)}:
        warnings = (f"{name} is not what its name says; it was read as {kind}", *warnings)
    return kind, replace(parsed, title=title, warnings=warnings)


def _named(name: str) -> str:
    """What a file is called, without the mark of the folder it is watched in or the sign of a page of the web."""
    stem = one_line(PurePath(name).stem)
    return (_MARK.sub("", stem).rstrip("#") or stem)[:200]


def _expected(name: str) -> Format | None:
    suffix = PurePath(name).suffix.lower()
    return "image" if suffix in PICTURES else SUFFIXES.get(suffix)


def _packed(kind: Format, data: bytes, limits: FileLimits, recognizer: TextRecognizer | None) -> Parsed:
    match kind:
        case "pdf":
            from knowledge.formats.pdf import parse_pdf

            return parse_pdf(data, limits, recognizer)
        case "docx":
            from knowledge.formats.docx import parse_docx

            return parse_docx(data)
        case "pptx":
            from knowledge.formats.pptx import parse_pptx

            return parse_pptx(data)
        case "xlsx":
            from knowledge.formats.xlsx import parse_xlsx

            return parse_xlsx(data, limits)
        case "epub":
            from knowledge.formats.epub import parse_epub

            return parse_epub(data)
        case _:
            from knowledge.formats.image import parse_image

            return parse_image(data, limits, recognizer)


def _plain(name: str, kind: Format, data: bytes, limits: FileLimits) -> Parsed:
    decoded = decode(data)
    parsed = _text(name, kind, decoded.text, limits)
    return replace(parsed, warnings=(*decoded.warnings, *parsed.warnings))


def _text(name: str, kind: Format, text: str, limits: FileLimits) -> Parsed:
    match kind:
        case "html":
            from knowledge.formats.html import parse_html

            return parse_html(text)
        case "markdown":
            from knowledge.formats.markdown import parse_markdown

            return parse_markdown(text)
        case "csv":
            from knowledge.formats.csv import parse_csv

            return parse_csv(text, limits)
        case "json":
            from knowledge.formats.json import parse_json

            return parse_json(text, limits, lines=not name.lower().endswith(".json"))
        case "subtitles":
            from knowledge.formats.subtitles import parse_subtitles

            return parse_subtitles(text)
        case _:
            from knowledge.formats.plain import parse_text

            return parse_text(text)
