"""HTML to blocks: headings, paragraphs, lists and tables in reading order, without navigation and scripts."""

from collections import Counter
from collections.abc import Mapping
from datetime import date

from lxml import etree

from knowledge.formats.grid import Cell, spread
from knowledge.stated import day, keywords
from knowledge.structure import Draft, Parsed, one_line

_DROPPED = frozenset(
    ("script", "style", "nav", "noscript", "template", "svg", "math", "iframe", "object", "embed", "canvas", "audio")
    + ("video", "button", "select", "input", "textarea", "dialog")
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    ("p", "div", "section", "article", "main", "header", "footer", "aside", "ul", "ol", "li", "dl", "dt", "dd")
    + ("blockquote", "figure", "figcaption", "address", "details", "summary", "form", "fieldset", "table", "tr")
    + ("td", "th", "caption", "hr", "body", "html", "pre", *_HEADINGS)
)
_DATES = frozenset(("article:published_time", "date", "dc.date", "dcterms.date", "pubdate", "datepublished"))
_DIGITS = 6
_SPREAD = 6
"""How many times as long as the page its text may become, where cells and column names are repeated."""

Attributes = Mapping[str, str]


def parse_html(text: str) -> Parsed:
    draft = Draft(_SPREAD * len(text) + 10_000)
    page = read_html(text, draft)
    return draft.parsed(page.title or draft.first("heading"), dated=page.dated, tags=page.tags)


def read_html(text: str, draft: Draft, page: int | None = None) -> "Page":
    """Add a page's blocks to a draft."""
    reader = Page(draft, page)
    parser = etree.HTMLParser(target=reader, encoding="utf-8", huge_tree=True)
    parser.feed(text.replace("\0", "").encode("utf-8", "replace") or b" ")
    parser.close()
    return reader


class _Table:
    """A table that is being read: its cells, and all that came by, should it turn out to be layout."""

    def __init__(self) -> None:
        self.passed: list[tuple[str, Attributes | None]] = []
        self.rows: list[list[Cell]] = []
        self.caption: list[str] = []
        self._text: list[str] | None = None

    def start(self, name: str, attributes: Attributes) -> None:
        self.passed.append((name, attributes))
        if name == "tr":
            self.rows.append([])
        elif name in ("td", "th"):
            across, down = _figure(attributes, "colspan", 1), _figure(attributes, "rowspan", 1)
            cell = Cell(name == "th", max(across, 1), max(down, 1), [])
            if not self.rows:
                self.rows.append([])
            self.rows[-1].append(cell)
            self._text = cell.text
        elif name == "caption":
            self._text = self.caption
        elif self._text is not None and (name == "br" or name in _BLOCKS):
            self._text.append(" ")

    def end(self, name: str) -> None:
        self.passed.append((name, None))
        if name in ("td", "th", "caption"):
            self._text = None
        elif self._text is not None and name in _BLOCKS:
            self._text.append(" ")

    def data(self, text: str) -> None:
        self.passed.append(("", {"": text}))
        if self._text is not None:
            self._text.append(text)

    @property
    def is_data(self) -> bool:
        return any(len(row) > 1 for row in self.rows)

    def add_to(self, draft: Draft, page: int | None) -> None:
        rows = [row for row in self.rows if row]
        heads = [cell.heads for row in rows for cell in row]
        header = True if all(cell.heads for cell in rows[0]) else False if any(heads) else None
        draft.add("paragraph", "".join(self.caption), page=page)
        draft.table(spread(rows), header, page)


class Page:
    """A target for lxml's parser: text gathers until a block begins or ends. It keeps no tree, however deep one is."""

    def __init__(self, draft: Draft, page: int | None = None) -> None:
        self.title = ""
        self.dated: date | None = None
        self.tags: tuple[str, ...] = ()
        self._draft = draft
        self._page = page
        self._inline: list[str] = []
        self._open: list[str] = []
        self._names: Counter[str] = Counter()
        self._counters: list[int] = []
        self._number = ""
        self._dropped = 0
        self._naming = False
        self._table: _Table | None = None

    def start(self, name: str, attributes: Attributes) -> None:
        if self._dropped or _is_dropped(name, attributes):
            self._dropped += 1
        elif name == "title" and not self.title:
            self._naming = True
        elif name == "meta":
            self._state(attributes)
        elif name == "table":
            self._replay()
            self._table = _Table()
        elif self._table is not None:
            self._table.start(name, attributes)
        else:
            self._enter(name, attributes)

    def end(self, name: str) -> None:
        if self._dropped:
            self._dropped -= 1
        elif name == "title":
            self._naming = False
        elif self._table is not None and name == "table":
            self._close_table(self._table)
        elif self._table is not None:
            self._table.end(name)
        else:
            self._leave(name)

    def data(self, text: str) -> None:
        if self._naming:
            self.title = one_line(self.title + text)
        elif self._dropped:
            return
        elif self._table is not None:
            self._table.data(text)
        else:
            self._inline.append(text)

    def close(self) -> None:
        self._replay()
        self._flush()

    def _state(self, attributes: Attributes) -> None:
        name = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or "").lower()
        content = attributes.get("content", "")
        if name in _DATES:
            self.dated = self.dated or day(content)
        elif name == "keywords":
            self.tags = keywords(content)

    def _close_table(self, table: _Table) -> None:
        if not table.is_data:
            self._replay()
            self._leave("table")
            return
        self._table = None
        self._flush()
        table.add_to(self._draft, self._page)

    def _replay(self) -> None:
        """A table within a table, or without columns, only lays out the page: what it holds is read as text."""
        if self._table is None:
            return
        passed, self._table = self._table.passed, None
        self._enter("table", {})
        for name, attributes in passed:
            if attributes is None:
                self._leave(name)
            elif name:
                self._enter(name, attributes)
            else:
                self._inline.append(attributes[""])

    def _enter(self, name: str, attributes: Attributes) -> None:
        if name == "br":
            self._inline.append("\n" if self._names["pre"] else " ")
        elif name in _BLOCKS:
            self._flush()
            if name == "ol":
                self._counters.append(_figure(attributes, "start", 1))
            elif name == "li":
                self._number = self._next()
            self._open.append(name)
            self._names[name] += 1

    def _leave(self, name: str) -> None:
        if self._names[name] <= 0:
            return
        self._flush()
        while (inner := self._open.pop()) != name:
            self._forget(inner)
        self._forget(name)

    def _forget(self, name: str) -> None:
        self._names[name] -= 1
        if name == "ol":
            self._counters.pop()

    def _next(self) -> str:
        """The number of an item of an ordered list; nothing for any other."""
        if not self._open or self._open[-1] != "ol":
            return ""
        self._counters[-1] += 1
        return f"{self._counters[-1] - 1}. "

    def _flush(self) -> None:
        text = "".join(self._inline)
        self._inline.clear()
        if not text.strip():
            return
        innermost = self._open[-1] if self._open else ""
        if innermost in _HEADINGS:
            self._draft.add("heading", text, _HEADINGS[innermost], self._page)
        elif self._names["pre"]:
            self._draft.add("code", text, page=self._page)
        elif self._names["li"]:
            self._draft.add("item", self._number + one_line(text), page=self._page)
            self._number = ""
        else:
            self._draft.add("paragraph", text, page=self._page)


def _is_dropped(name: str, attributes: Attributes) -> bool:
    if name in _DROPPED:
        return True
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") == "navigation"
        or "display:none" in attributes.get("style", "").replace(" ", "").lower()
    )


def _figure(attributes: Attributes, name: str, otherwise: int) -> int:
    """An attribute that is a whole number of few digits."""
    value = attributes.get(name, "")
    return int(value) if value.isdecimal() and len(value) <= _DIGITS else otherwise
