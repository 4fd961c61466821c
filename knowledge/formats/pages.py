"""Lines of pages to blocks: headings by the height of their letters, paragraphs mended where lines were broken."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import groupby
from statistics import median

from knowledge.structure import Draft, is_item, resume, unwrap, width

_TALLER = 1.15
_FULL = 0.9
_HEADING_WIDTH = 80
_PAGE_NUMBER = re.compile(r"^\W*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*(?:/|of|共)\s*\d{1,4}(?:\s*页)?)?\W*$", re.IGNORECASE)
_ENDED = re.compile(r"[。！？!?.：:；;”」』）)]$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line on a page, with its height and its right edge."""

    text: str
    height: float
    right: float
    page: int


def without_running_heads(pages: list[list[Line]]) -> list[Line]:
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


def blocks(lines: list[Line]) -> Draft:
    draft = Draft()
    body = median(line.height for line in lines for _ in range(max(len(line.text) // 8, 1)))
    heights = sorted({line.height for line in lines if _is_heading(line, body)}, reverse=True)
    margins = {line.page: 0.0 for line in lines}
    for line in lines:
        margins[line.page] = max(margins[line.page], _FULL * line.right)
    paragraph: list[Line] = []
    for line in lines:
        if _is_heading(line, body):
            _flush(draft, paragraph, margins)
            draft.add("heading", line.text, min(heights.index(line.height) + 1, 6), line.page)
        else:
            paragraph.append(line)
    _flush(draft, paragraph, margins)
    return draft


def _is_heading(line: Line, body: float) -> bool:
    return line.height > _TALLER * body and width(line.text) <= _HEADING_WIDTH and not line.text.endswith(("。", "，"))


def _flush(draft: Draft, lines: list[Line], margins: dict[int, float]) -> None:
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
