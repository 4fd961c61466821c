"""PDF to blocks: the text layer page by page, headings by the height of their letters."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from threading import Lock

import pypdfium2

from knowledge.documents import DocumentError
from knowledge.structure import Draft, Parsed, is_item, one_line, resume, unwrap, width

_PDFIUM = Lock()  # the library keeps state of its own and is not safe to enter twice
_TALLER = 1.15
_FULL = 0.9
_HEADING_WIDTH = 80
_PAGE_NUMBER = re.compile(r"^\W*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*(?:/|of|共)\s*\d{1,4}(?:\s*页)?)?\W*$", re.IGNORECASE)
_NO_TITLE = re.compile(r"^(?:microsoft (?:word|powerpoint)|untitled|无标题|未命名)|\.\w{2,4}$", re.IGNORECASE)
_ENDED = re.compile(r"[。！？!?.：:；;”」』）)]$")


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    height: float
    right: float
    page: int


def parse_pdf(data: bytes) -> Parsed:
    """Raises DocumentError: `encrypted`, `damaged`, or `empty` for pages that are only pictures."""
    with _PDFIUM:
        try:
            pdf = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as error:
            if "password" in str(error).lower() or "security" in str(error).lower():
                raise DocumentError("encrypted", "the PDF needs a password; save it without one") from error
            raise DocumentError("damaged", f"the PDF cannot be read: {error}") from error
        try:
            pages = [_lines(page, number) for number, page in enumerate(pdf, 1)]
            title = one_line(pdf.get_metadata_dict().get("Title", ""))
        except pypdfium2.PdfiumError as error:
            raise DocumentError("damaged", f"a page of the PDF cannot be read: {error}") from error
        finally:
            pdf.close()
    lines = _without_running_heads(pages)
    if not lines:
        raise DocumentError("empty", "the PDF has no text; scanned pages need text recognition first")
    draft = _blocks(lines)
    return draft.parsed(title if title and not _NO_TITLE.search(title) else draft.first("heading"))


def _lines(page: pypdfium2.PdfPage, number: int) -> list[_Line]:
    textpage = page.get_textpage()
    try:
        text: str = textpage.get_text_range()
        lines, offset = [], 0
        for raw in text.split("\n"):
            if line := one_line(raw):
                first = offset + len(raw) - len(raw.lstrip())
                height, right = _box(textpage, first, offset + len(raw.rstrip()))
                lines.append(_Line(line, height, right, number))
            offset += len(raw) + 1
        return lines
    finally:
        textpage.close()
        page.close()


def _box(textpage: pypdfium2.PdfTextPage, start: int, end: int) -> tuple[float, float]:
    """Height of the tallest of some characters, and the right edge of the last."""
    step = max((end - start) // 8, 1)
    last = min(end, textpage.count_chars()) - 1
    boxes = [textpage.get_charbox(index, loose=True) for index in {*range(start, last, step), last} if index >= 0]
    return round(float(max(top - bottom for _, bottom, _, top in boxes)), 1), float(max(box[2] for box in boxes))


def _without_running_heads(pages: list[list[_Line]]) -> list[_Line]:
    """All lines, without page numbers and without what stands at the edge of most pages."""
    edges = Counter(_shape(line.text) for page in pages for line in {*page[:1], *page[-1:]})
    running = {shape for shape, count in edges.items() if len(pages) > 2 and count > len(pages) / 2}
    kept = []
    for page in pages:
        for index, line in enumerate(page):
            edge = index == 0 or index == len(page) - 1
            if not (edge and (_shape(line.text) in running or _PAGE_NUMBER.match(line.text))):
                kept.append(line)
    return kept


def _shape(text: str) -> str:
    return re.sub(r"\d+", "0", text)


def _blocks(lines: list[_Line]) -> Draft:
    draft = Draft()
    body = median(line.height for line in lines for _ in range(max(len(line.text) // 8, 1)))
    heights = sorted({line.height for line in lines if _is_heading(line, body)}, reverse=True)
    margins = {line.page: 0.0 for line in lines}
    for line in lines:
        margins[line.page] = max(margins[line.page], _FULL * line.right)
    paragraph: list[_Line] = []
    for line in lines:
        if _is_heading(line, body):
            _flush(draft, paragraph, margins)
            draft.add("heading", line.text, min(heights.index(line.height) + 1, 6), line.page)
        else:
            paragraph.append(line)
    _flush(draft, paragraph, margins)
    return draft


def _is_heading(line: _Line, body: float) -> bool:
    return line.height > _TALLER * body and width(line.text) <= _HEADING_WIDTH and not line.text.endswith(("。", "，"))


def _flush(draft: Draft, lines: list[_Line], margins: dict[int, float]) -> None:
    """Body lines to paragraphs; a sentence that runs on over a page break belongs to the page it began on."""
    paragraphs: list[tuple[list[str], int]] = []
    for page, group in groupby(lines, key=lambda line: line.page):
        here = list(group)
        texts = unwrap([line.text for line in here], [line.right >= margins[page] for line in here])
        if paragraphs and texts and not _ENDED.search(paragraphs[-1][0][-1][-1:]) and not is_item(texts[0]):
            resume(paragraphs[-1][0], texts.pop(0))
        paragraphs.extend(([text], page) for text in texts)
    for parts, page in paragraphs:
        text = "".join(parts)
        draft.add("item" if is_item(text) else "paragraph", text, page=page)
    lines.clear()
