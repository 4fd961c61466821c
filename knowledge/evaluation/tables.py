"""Tables of plain text that are also Markdown."""

import unicodedata
from collections.abc import Sequence

from knowledge.evaluation.bootstrap import Estimate


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, the others to the right; wide characters take two columns."""
    widths = [max(_width(row[at]) for row in [head, *rows]) for at in range(len(head))]
    lines = [_line(head, widths), "|" + "|".join(_rule(at, width) for at, width in enumerate(widths)) + "|"]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def share(value: float) -> str:
    """.957, or a dash where there is nothing to count."""
    return "-" if value != value else f"{value:.4f}".removeprefix("0")


def interval(estimate: Estimate) -> str:
    return f"{share(estimate.mean)} [{share(estimate.low)}, {share(estimate.high)}]"


def difference(estimate: Estimate) -> str:
    """With its sign; an asterisk where the interval leaves out zero."""
    return f"{estimate.mean:+.4f} [{estimate.low:+.4f}, {estimate.high:+.4f}]" + ("*" if estimate.clear else " ")


def percent(value: float) -> str:
    return "-" if value != value else f"{value:.1%}".replace("%", " %")


def milliseconds(value: float) -> str:
    return "-" if value != value else f"{value:.2f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell + " " * (width - _width(cell)) if at == 0 else " " * (width - _width(cell)) + cell
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "| " + " | ".join(padded) + " |"


def _rule(at: int, width: int) -> str:
    return "-" * (width + 2) if at == 0 else "-" * (width + 1) + ":"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
