"""HTML to blocks: headings, paragraphs, lists and tables in reading order, without navigation and scripts."""

import warnings
from collections import Counter
from collections.abc import Iterator

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PageElement, PreformattedString, Tag

from knowledge.structure import Draft, Parsed, one_line

_DROPPED = frozenset(
    ("script", "style", "nav", "noscript", "template", "svg", "math", "iframe", "object", "embed", "canvas", "audio")
    + ("video", "button", "select", "input", "textarea", "dialog", "head")
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    ("p", "div", "section", "article", "main", "header", "footer", "aside", "ul", "ol", "li", "dl", "dt", "dd")
    + ("blockquote", "figure", "figcaption", "address", "details", "summary", "form", "fieldset", "table", "tr")
    + ("td", "th", "caption", "hr", "body", "html", "pre")
)
_WIDEST = 100
_SPAN = 50
_DIGITS = 6
_SPREAD = 6
"""How many times as long as the page its text may become, where cells and column names are repeated."""


def parse_html(text: str) -> Parsed:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        soup = BeautifulSoup(text, "lxml")
    titles = [one_line(soup.title.get_text()) if soup.title else ""]
    reader = _Reader(Draft(_SPREAD * len(text) + 10_000))
    reader.read(soup)
    titles.append(reader.draft.first("heading"))
    return reader.draft.parsed(next((title for title in titles if title), ""))


class _Reader:
    """Walks the tree without recursion: text gathers until a block begins or ends."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._inline: list[str] = []
        self._open: list[Tag] = []
        self._names: Counter[str] = Counter()
        self._counters: list[int] = []
        self._number = ""

    def read(self, root: Tag) -> None:
        stack: list[tuple[PageElement, bool]] = [(root, True)]
        while stack:
            node, entering = stack.pop()
            if not isinstance(node, Tag):
                if isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
                    self._inline.append(str(node))
            elif not entering:
                self._leave(node)
            elif not _dropped(node) and self._enter(node):
                stack.append((node, False))
                stack.extend((child, True) for child in reversed(node.contents))
        self._flush()

    def _enter(self, tag: Tag) -> bool:
        """Begin a tag; False when its content has been read already."""
        if tag.name == "br":
            self._inline.append("\n" if self._within("pre") else " ")
        elif tag.name in _HEADINGS or tag.name in _BLOCKS:
            self._flush()
            if tag.name == "table" and (rows := _rows(tag)):
                self._table(tag, rows)
                return False
            if tag.name == "ol":
                self._counters.append(_figure(tag, "start", 1))
            elif tag.name == "li":
                self._number = self._next(tag)
            self._open.append(tag)
            self._names[tag.name] += 1
        return True

    def _leave(self, tag: Tag) -> None:
        if self._open and self._open[-1] is tag:
            self._flush()
            self._open.pop()
            self._names[tag.name] -= 1
            if tag.name == "ol":
                self._counters.pop()

    def _within(self, name: str) -> bool:
        return self._names[name] > 0

    def _next(self, item: Tag) -> str:
        """The number of an item of an ordered list; nothing for any other."""
        if item.parent is None or item.parent.name != "ol":
            return ""
        self._counters[-1] += 1
        return f"{self._counters[-1] - 1}. "

    def _flush(self) -> None:
        text = "".join(self._inline)
        self._inline.clear()
        if not text.strip():
            return
        innermost = self._open[-1].name if self._open else ""
        if innermost in _HEADINGS:
            self.draft.add("heading", text, _HEADINGS[innermost])
        elif self._within("pre"):
            self.draft.add("code", text)
        elif self._within("li"):
            self.draft.add("item", self._number + one_line(text))
            self._number = ""
        else:
            self.draft.add("paragraph", text)

    def _table(self, table: Tag, rows: list[Tag]) -> None:
        if table.caption:
            self.draft.add("paragraph", table.caption.get_text())
        first = [cell.name for cell in _cells(rows[0])]
        header = True if all(name == "th" for name in first) else None if not table.find("th") else False
        self.draft.table(_grid(rows), header)


def _dropped(tag: Tag) -> bool:
    style = str(tag.get("style", "")).replace(" ", "").lower()
    return (
        tag.name in _DROPPED
        or tag.has_attr("hidden")
        or tag.get("aria-hidden") == "true"
        or "display:none" in style
        or tag.get("role") == "navigation"
    )


def _figure(tag: Tag, name: str, otherwise: int) -> int:
    """An attribute that is a whole number of few digits."""
    value = str(tag.get(name, ""))
    return int(value) if value.isdecimal() and len(value) <= _DIGITS else otherwise


def _rows(table: Tag) -> list[Tag]:
    """The rows of a table of data; none for a table that only lays out the page."""
    if table.find("table"):
        return []
    rows = [row for row in table.find_all("tr") if _cells(row)]
    return rows if any(len(_cells(row)) > 1 for row in rows) else []


def _cells(row: Tag) -> list[Tag]:
    return row.find_all(["th", "td"], recursive=False)


def _grid(rows: list[Tag]) -> Iterator[list[str]]:
    """The cells' text, with merged cells repeated in every row and column they cover."""
    pending: dict[int, tuple[str, int]] = {}
    for row in rows:
        line: list[str] = []
        waiting = [
            (one_line(cell.get_text(" ")), _span(cell, "colspan"), _span(cell, "rowspan")) for cell in _cells(row)
        ]
        while (waiting or len(line) in pending) and len(line) < _WIDEST:
            column = len(line)
            if column in pending:
                text, left = pending.pop(column)
                line.append(text)
                if left > 1:
                    pending[column] = (text, left - 1)
                continue
            text, across, down = waiting.pop(0)
            for covered in range(column, column + across):
                line.append(text)
                if down > 1:
                    pending[covered] = (text, down - 1)
        yield line


def _span(cell: Tag, name: str) -> int:
    return min(max(_figure(cell, name, 1), 1), _SPAN)
