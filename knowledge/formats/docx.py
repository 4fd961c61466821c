"""DOCX to blocks: headings, lists and tables in the order of the document."""

import io
import re
import zipfile

from docx import Document as open_docx
from docx.opc.exceptions import OpcError, PackageNotFoundError
from docx.oxml.exceptions import InvalidXmlError
from docx.table import Table
from docx.text.paragraph import Paragraph

from knowledge.documents import DocumentError
from knowledge.structure import Draft, Parsed

_HEADING = re.compile(r"(?:heading|标题|標題)\s*(\d)", re.IGNORECASE)
_OUTLINE = "w:pPr/w:outlineLvl/@w:val"


def parse_docx(data: bytes) -> Parsed:
    """Raises DocumentError(`damaged`) for a file that Word could not open either."""
    draft = Draft()
    try:
        document = open_docx(io.BytesIO(data))
        title = document.core_properties.title or ""
        for block in document.iter_inner_content():
            if isinstance(block, Table):
                draft.table([[cell.text for cell in row.cells] for row in block.rows])
            else:
                title = _paragraph(draft, block) or title
    except (
        PackageNotFoundError,
        OpcError,
        InvalidXmlError,
        SyntaxError,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        AttributeError,
        OSError,
    ) as error:
        raise DocumentError("damaged", f"the Word file cannot be read: {error}") from error
    return draft.parsed(title or draft.first("heading"))


def _paragraph(draft: Draft, paragraph: Paragraph) -> str:
    """Add a paragraph; returns its text if it is the document's title."""
    style = paragraph.style
    name = (style.name or "") if style is not None else ""
    if name.lower() in ("title", "标题", "標題"):
        draft.add("heading", paragraph.text, 1)
        return paragraph.text
    if level := _level(paragraph, name):
        draft.add("heading", paragraph.text, level)
    elif "list" in name.lower() or "列表" in name or paragraph._p.xpath("w:pPr/w:numPr"):
        draft.add("item", paragraph.text)
    else:
        draft.add("paragraph", paragraph.text)
    return ""


def _level(paragraph: Paragraph, name: str) -> int:
    """A heading's depth by its style's name or its outline level; 0 for body text."""
    if match := _HEADING.match(name):
        return int(match[1])
    outlines = paragraph._p.xpath(_OUTLINE)
    if not outlines and paragraph.style is not None:
        outlines = paragraph.style.element.xpath(_OUTLINE)
    return int(outlines[0]) + 1 if outlines and int(outlines[0]) < 9 else 0
