"""DOCX to blocks: headings, lists and tables in the order of the document."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from docx import Document as open_docx
from docx.opc.exceptions import OpcError
from docx.oxml.exceptions import InvalidXmlError
from docx.oxml.ns import qn
from docx.oxml.table import CT_Tbl
from docx.oxml.text.hyperlink import CT_Hyperlink
from docx.oxml.text.paragraph import CT_P
from docx.oxml.text.run import CT_R
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

from knowledge.documents import DocumentError
from knowledge.formats.damage import DAMAGE
from knowledge.stated import keywords
from knowledge.structure import Draft, Parsed, one_line

_HEADING = re.compile(r"(?:heading|标题|標題)\s*(\d)", re.IGNORECASE)
_TITLES = ("title", "标题", "標題")
_OUTLINE = "w:pPr/w:outlineLvl/@w:val"
_SPAN = 50
_WIDEST = 100


@dataclass(frozen=True, slots=True)
class _Style:
    """`level`: a heading's depth by the style's name or its outline level; 0 for body text."""

    name: str
    level: int


def parse_docx(data: bytes) -> Parsed:
    """Raises DocumentError: `damaged` for a file that Word could not open either, or `too_large`."""
    try:
        return _parsed(data)
    except DocumentError:
        raise
    except (*DAMAGE, OpcError, InvalidXmlError) as error:
        raise DocumentError("damaged", f"the Word file cannot be read: {error}") from error


def _parsed(data: bytes) -> Parsed:
    draft = Draft()
    styles: dict[str | None, _Style] = {}
    document = open_docx(io.BytesIO(data))
    properties = document.core_properties
    title = properties.title or ""
    for element in document.element.body:
        if isinstance(element, CT_Tbl):
            draft.table(_grid(Table(element, document._body)))
        elif isinstance(element, CT_P) and (text := _text(element)).strip():
            if element.style not in styles:
                styles[element.style] = _style(Paragraph(element, document._body))
            title = _paragraph(draft, element, text, styles[element.style]) or title
    return draft.parsed(title or draft.first("heading"), tags=keywords(properties.keywords or ""))


def _text(paragraph: CT_P) -> str:
    return "".join(str(part.text) for part in paragraph if isinstance(part, CT_R | CT_Hyperlink))


def _paragraph(draft: Draft, paragraph: CT_P, text: str, style: _Style) -> str:
    """Add a paragraph; returns its text if it is the document's title."""
    if style.name in _TITLES:
        draft.add("heading", text, 1)
        return text
    own = paragraph.pPr
    outline = None if own is None or style.level else own.find(qn("w:outlineLvl"))
    level = style.level if outline is None else _depth(str(outline.get(qn("w:val"))))
    if level:
        draft.add("heading", text, level)
    elif "list" in style.name or "列表" in style.name or (own is not None and own.find(qn("w:numPr")) is not None):
        draft.add("item", text)
    else:
        draft.add("paragraph", text)
    return ""


def _style(paragraph: Paragraph) -> _Style:
    style = paragraph.style
    if style is None:
        return _Style("", 0)
    name = (style.name or "").lower()
    if match := _HEADING.match(name):
        return _Style(name, int(match[1]))
    outlines = style.element.xpath(_OUTLINE)
    return _Style(name, _depth(str(outlines[0])) if outlines else 0)


def _depth(outline: str) -> int:
    """Word counts outline levels from 0; 9 is body text."""
    level = int(outline)
    return level + 1 if 0 <= level < 9 else 0


def _grid(table: Table) -> Iterator[list[str]]:
    """The cells' text, with merged cells repeated in every row and column they cover."""
    above: list[str] = []
    for row in table._tbl.tr_lst:
        line = [""] * min(row.grid_before, _WIDEST)
        for cell in row.tc_lst:
            column = len(line)
            if column >= _WIDEST:
                break
            merged = cell.vMerge == "continue" and column < len(above)
            text = above[column] if merged else one_line(_Cell(cell, table).text)
            line.extend([text] * min(cell.grid_span, _SPAN))
        yield line
        above = line
