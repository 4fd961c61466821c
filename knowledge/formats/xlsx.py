"""XLSX to blocks: a section for each sheet, a sentence for each row, values as the sheet shows them."""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook

from knowledge.documents import DocumentError
from knowledge.formats.damage import DAMAGE
from knowledge.formats.grid import WIDEST
from knowledge.formats.sheet import Sheets
from knowledge.limits import FileLimits
from knowledge.structure import Draft, Parsed

_UNNAMED = re.compile(r"(?:sheet|工作表)\s*\d*", re.IGNORECASE)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_LITERAL = r'(?:"([^"]*)"|\[\$([^\]-]*)[^\]]*\]|[\s_()*\\-]|([¥￥$€£元]))*'
_NUMBER = re.compile(rf"{_LITERAL}(?:#|0|,|\?)*[0#?](?:\.([0#?]+))?{_LITERAL}")
_MERGES = 10_000


def parse_xlsx(data: bytes, limits: FileLimits) -> Parsed:
    """Raises DocumentError: `damaged` or `too_large`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _parsed(data, limits)
    except DocumentError:
        raise
    except DAMAGE as error:
        raise DocumentError("damaged", f"the Excel file cannot be read: {error}") from error


def _parsed(data: bytes, limits: FileLimits) -> Parsed:
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = Sheets(Draft(), limits)
    visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if hidden := len(book.worksheets) - len(visible):
        sheets.warnings.append(f"{hidden} hidden sheets were left out")
    for sheet in visible:
        if len(visible) > 1 or not _UNNAMED.fullmatch(sheet.title):
            sheets.draft.add("heading", sheet.title, 1)
        sheets.add(_rows(sheet, _merged(book, sheet)))
    return sheets.draft.parsed(book.properties.title or "", sheets.warnings, sheets.questions)


def _rows(sheet: Any, merged: dict[tuple[int, int], tuple[int, int]]) -> Iterator[Sequence[str]]:
    """The rows, without the empty ones; what a merged cell says is repeated wherever it covers."""
    sheet.reset_dimensions()
    origins = set(merged.values())
    said: dict[tuple[int, int], str] = {}
    blank: object = None
    for number, row in enumerate(sheet.iter_rows(max_col=WIDEST), 1):
        if row is blank:  # the library has one row for all that are missing
            continue
        cells = [_shown(cell) for cell in row]
        if merged:
            for index in range(len(cells)):
                at = (number, index + 1)
                if at in origins:
                    said[at] = cells[index]
                elif at in merged:
                    cells[index] = said.get(merged[at], "")
        if any(cells):
            yield cells
        else:
            blank = row


def _merged(book: Any, sheet: Any) -> dict[tuple[int, int], tuple[int, int]]:
    """Cells that another one covers, with that one. The library does not tell when it reads row by row."""
    content = book._archive.read(sheet._worksheet_path)
    covered: dict[tuple[int, int], tuple[int, int]] = {}
    for match in _MERGED.finditer(content):
        left, right = _column(match[1]), min(_column(match[3]), WIDEST)
        top, bottom = int(match[2]), int(match[4])
        if (right - left + 1) * (bottom - top + 1) + len(covered) > _MERGES:
            break
        for row in range(top, bottom + 1):
            covered.update({(row, column): (top, left) for column in range(left, right + 1)})
        covered.pop((top, left), None)
    return covered


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _shown(cell: Any) -> str:
    value = cell.value
    if value is None or cell.data_type == "e":
        return ""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return shown_number(value, str(cell.number_format or ""))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case time():
            return value.strftime("%H:%M")
        case _:
            return str(value)


def shown_number(value: float, style: str) -> str:
    """A number with its decimals, unit and currency, as a number format such as `0.00"元"` has it."""
    plain = f"{value:.15g}"
    positive = style.split(";")[0]
    if positive.rstrip().endswith("%"):
        decimals = len(positive.partition(".")[2].rstrip("% "))
        return f"{value * 100:.{decimals}f}%"
    match = _NUMBER.fullmatch(positive)
    if match is None:
        return plain
    before = next(filter(None, match.groups()[:3]), "")
    after = next(filter(None, match.groups()[4:]), "")
    if match[4] and "e" not in plain:
        plain = f"{value:.{len(match[4])}f}"
    return f"{before}{plain}{after}"
