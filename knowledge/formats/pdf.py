"""PDF to blocks: the text layer page by page; pages that are only pictures by way of a recognizer."""

import re
from threading import Lock

import pypdfium2
import pypdfium2.raw as pdfium

from knowledge.documents import DocumentError
from knowledge.formats.image import HOW, recognised
from knowledge.formats.pages import Line, blocks, without_running_heads
from knowledge.limits import FileLimits
from knowledge.ocr import TextRecognizer
from knowledge.stated import keywords
from knowledge.structure import Parsed, one_line

_PDFIUM = Lock()  # the library keeps state of its own and is not safe to enter twice
_NO_TITLE = re.compile(r"^(?:microsoft (?:word|powerpoint)|untitled|无标题|未命名)|\.\w{2,4}$", re.IGNORECASE)
_POINTS = 72
_DOTS = 150
"""Dots per inch of a page that is recognised."""


def parse_pdf(data: bytes, limits: FileLimits, recognizer: TextRecognizer | None) -> Parsed:
    """Raises DocumentError: `encrypted`, `damaged`, `too_large`, or `empty` for pages that are only pictures."""
    with _PDFIUM:
        try:
            pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower() or "security" in str(error).lower():
                raise DocumentError("encrypted", "the PDF needs a password; save it without one") from error
            raise DocumentError("damaged", f"the PDF cannot be read: {error}") from error
        try:
            if len(pdf) > limits.pages:
                raise DocumentError("too_large", f"the PDF has more than {limits.pages} pages; split it")
            return _parsed(pdf, limits, recognizer)
        except pypdfium2.PdfiumError as error:
            raise DocumentError("damaged", f"a page of the PDF cannot be read: {error}") from error
        finally:
            pdf.close()


def _parsed(pdf: pypdfium2.PdfDocument, limits: FileLimits, recognizer: TextRecognizer | None) -> Parsed:
    pages: list[list[Line]] = []
    pictures: list[int] = []
    for number, page in enumerate(pdf, 1):
        try:
            lines = _lines(page, number)
            if not lines and _is_picture(page):
                if recognizer is None:
                    pictures.append(number)
                else:
                    lines = _recognised(page, number, limits, recognizer)
            pages.append(lines)
        finally:
            page.close()
    lines = without_running_heads(pages)
    if not lines:
        raise DocumentError("empty", f"the PDF has no text; to have scanned pages recognised, {HOW}")
    told = [f"{_numbers(pictures)} only pictures and were left out; to have them recognised, {HOW}"] if pictures else []
    properties = pdf.get_metadata_dict()
    title = one_line(properties.get("Title", ""))
    draft = blocks(lines)
    return draft.parsed(
        title if title and not _NO_TITLE.search(title) else draft.first("heading"),
        told,
        tags=keywords(one_line(properties.get("Keywords", ""))),
    )


def _numbers(pages: list[int]) -> str:
    shown = ", ".join(map(str, pages[:10])) + (" …" if len(pages) > 10 else "")
    return f"pages {shown} are" if len(pages) > 1 else f"page {shown} is"


def _lines(page: pypdfium2.PdfPage, number: int) -> list[Line]:
    textpage = page.get_textpage()
    try:
        text: str = textpage.get_text_range()
        lines, offset = [], 0
        for raw in text.split("\n"):
            if line := one_line(raw):
                first = offset + len(raw) - len(raw.lstrip())
                height, right = _box(textpage, first, offset + len(raw.rstrip()))
                lines.append(Line(line, height, right, number))
            offset += len(raw) + 1
        return lines
    finally:
        textpage.close()


def _box(textpage: pypdfium2.PdfTextPage, start: int, end: int) -> tuple[float, float]:
    """Height of the tallest of some characters, and the right edge of the last."""
    step = max((end - start) // 8, 1)
    last = min(end, textpage.count_chars()) - 1
    boxes = [textpage.get_charbox(index, loose=True) for index in {*range(start, last, step), last} if index >= 0]
    return round(float(max(top - bottom for _, bottom, _, top in boxes)), 1), float(max(box[2] for box in boxes))


def _is_picture(page: pypdfium2.PdfPage) -> bool:
    return any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=3))


def _recognised(page: pypdfium2.PdfPage, number: int, limits: FileLimits, recognizer: TextRecognizer) -> list[Line]:
    """A page is drawn as finely as the limit of pixels lets it."""
    width, height = page.get_size()
    scale = min(_DOTS / _POINTS, (limits.pixels / max(width * height, 1)) ** 0.5)
    bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
    try:
        return recognised(bitmap.to_numpy()[:, :, :3].copy(), number, recognizer)
    finally:
        bitmap.close()
