"""PPTX to blocks: a section for each slide, its tables and lists, and what the speaker notes say."""

import io
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from pptx import Presentation
from pptx.exc import PythonPptxError
from pptx.util import Emu

from knowledge.documents import DocumentError
from knowledge.formats.damage import DAMAGE
from knowledge.formats.grid import Cell, spread
from knowledge.stated import keywords
from knowledge.structure import Draft, Parsed, one_line, width

_HEADING_WIDTH = 80
_TITLE = {1, 3, 5}
"""Placeholder types of a slide's title: title, centred title, vertical title."""
_NOISE = {13, 15, 16}
"""Placeholder types that repeat on every slide: number, footer, date."""
_DEEPEST = 20


def parse_pptx(data: bytes) -> Parsed:
    """Raises DocumentError: `damaged` or `too_large`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parsed(data)
    except DocumentError:
        raise
    except (*DAMAGE, PythonPptxError) as error:
        raise DocumentError("damaged", f"the PowerPoint file cannot be read: {error}") from error


def _parsed(data: bytes) -> Parsed:
    deck = Presentation(io.BytesIO(data))
    draft = Draft()
    hidden = 0
    for number, slide in enumerate(deck.slides, 1):
        if slide._element.get("show") == "0":
            hidden += 1
            continue
        _slide(draft, slide, number)
    properties = deck.core_properties
    told = [f"{hidden} hidden slides were left out"] if hidden else []
    title = one_line(properties.title or "")
    if not title or title.lower() == "powerpoint presentation":
        title = draft.first("heading")
    return draft.parsed(title, told, tags=keywords(properties.keywords or ""))


def _slide(draft: Draft, slide: Any, number: int) -> None:
    shapes = list(_shapes(slide.shapes))
    titles = [shape for shape in shapes if _placeholder(shape) in _TITLE and one_line(shape.text_frame.text)]
    named = titles[0] if titles else None
    if named is not None:
        draft.add("heading", named.text_frame.text, 1, number)
    else:
        opening = next((text for shape in shapes if (text := _opening(shape))), "")
        draft.add("heading", opening or str(number), 1, number)
    for shape in shapes:
        if shape is not named and _placeholder(shape) not in _NOISE:
            _shape(draft, shape, number)
    if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None:
        for paragraph in notes.paragraphs:
            draft.add("paragraph", paragraph.text, page=number)


def _shapes(shapes: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    """A slide's shapes in the order they are read, those of groups with them."""
    for shape in sorted(shapes, key=_position):
        inner = getattr(shape, "shapes", None)
        if inner is not None and depth < _DEEPEST:
            yield from _shapes(inner, depth + 1)
        else:
            yield shape


def _position(shape: Any) -> tuple[int, int]:
    return (shape.top or Emu(0)) // 200_000, shape.left or Emu(0)


def _placeholder(shape: Any) -> int:
    return int(shape.placeholder_format.type or 0) if shape.is_placeholder else 0


def _opening(shape: Any) -> str:
    """The first line of a shape, where it could name the slide."""
    if not getattr(shape, "has_text_frame", False) or _placeholder(shape) in _NOISE:
        return ""
    text = next((line for paragraph in shape.text_frame.paragraphs if (line := one_line(paragraph.text))), "")
    return text if width(text) <= _HEADING_WIDTH else ""


def _shape(draft: Draft, shape: Any, number: int) -> None:
    if getattr(shape, "has_table", False):
        draft.table(spread(_cells(row) for row in shape.table.rows), None, number)
    elif getattr(shape, "has_chart", False) and shape.chart.has_title and shape.chart.chart_title.has_text_frame:
        draft.add("paragraph", shape.chart.chart_title.text_frame.text, page=number)
    elif getattr(shape, "has_text_frame", False):
        listed = [paragraph for paragraph in shape.text_frame.paragraphs if one_line(paragraph.text)]
        for paragraph in listed:
            draft.add("item" if len(listed) > 1 else "paragraph", paragraph.text, page=number)


def _cells(row: Any) -> list[Cell]:
    return [
        Cell(False, cell.span_width, cell.span_height, [one_line(cell.text)])
        for cell in row.cells
        if not cell.is_spanned
    ]
