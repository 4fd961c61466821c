"""Tables of cells that cover several rows and columns, as rows in which their text is repeated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WIDEST = 100
_SPAN = 50


@dataclass(slots=True)
class Cell:
    """`text` is gathered in parts. `across` and `down`: how many columns and rows the cell covers."""

    heads: bool
    across: int
    down: int
    text: list[str]


def spread(rows: Iterable[list[Cell]]) -> Iterator[list[str]]:
    pending: dict[int, tuple[str, int]] = {}
    for row in rows:
        line: list[str] = []
        cells = iter(row)
        cell = next(cells, None)
        while (cell is not None or len(line) in pending) and len(line) < WIDEST:
            column = len(line)
            if column in pending:
                text, left = pending.pop(column)
                line.append(text)
                if left > 1:
                    pending[column] = (text, left - 1)
            elif cell is not None:
                text = "".join(cell.text)
                for covered in range(column, column + min(cell.across, _SPAN)):
                    line.append(text)
                    if cell.down > 1:
                        pending[covered] = (text, min(cell.down, _SPAN) - 1)
                cell = next(cells, None)
        yield line
