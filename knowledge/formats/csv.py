"""CSV and TSV to blocks: each row a sentence with the names of its columns."""

import csv
import io
from itertools import islice

from knowledge.documents import DocumentError
from knowledge.formats.sheet import Sheets
from knowledge.limits import FileLimits
from knowledge.structure import Draft, Parsed

_DELIMITERS = ",\t;|，"
_SAMPLE = 20
_BEGINNING = 20_000


def parse_csv(text: str, limits: FileLimits) -> Parsed:
    sheets = Sheets(Draft(), limits)
    try:
        sheets.add(csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise DocumentError("damaged", f"the table cannot be read: {error}; save it as CSV anew") from error
    return sheets.draft.parsed("", sheets.warnings, sheets.questions)


def _delimiter(text: str) -> str:
    """What parts the first rows into the same number of cells most faithfully, and into more than one."""
    best, found = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        try:
            lines = csv.reader(io.StringIO(text[:_BEGINNING], newline=""), delimiter=delimiter)
            widths = [len(row) for row in islice(lines, _SAMPLE) if row]
        except csv.Error:
            continue
        width = max(set(widths), key=widths.count, default=1)
        faith = widths.count(width) / max(len(widths), 1)
        if width > 1 and (faith, width) > found:
            best, found = delimiter, (faith, width)
    return best
