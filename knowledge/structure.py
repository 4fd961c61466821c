"""A parsed file: one text, and the blocks (headings, paragraphs, list items, table rows, code) it is made of."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Literal

from knowledge.documents import DocumentError, QuestionAnswer

Kind = Literal["heading", "paragraph", "item", "row", "code", "speech"]
"""`speech`: one sentence of a transcript."""

_SPACE = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\u200b\u2060\ud800-\udfff]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_TIGHT = frozenset(("item", "row", "code", "speech"))


@dataclass(frozen=True, slots=True)
class Block:
    """A span of the text. `level` is a heading's depth from 1; `page` counts pages or slides from 1.

    `at`: seconds into the recording that a transcript belongs to.
    """

    kind: Kind
    start: int
    end: int
    level: int = 0
    page: int | None = None
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """`questions`: the curated answers of an FAQ sheet. `dated` and `tags`: what the file itself says of them."""

    title: str
    text: str
    blocks: tuple[Block, ...]
    warnings: tuple[str, ...] = ()
    questions: tuple[QuestionAnswer, ...] = ()
    dated: date | None = None
    tags: tuple[str, ...] = ()


class Draft:
    """Collects blocks in document order and keeps their spans.

    Raises DocumentError(`too_large`) past `most` characters: merged cells and column names repeat what a file says.
    """

    def __init__(self, most: int = 20_000_000) -> None:
        self._most = most
        self._parts: list[str] = []
        self._length = 0
        self.blocks: list[Block] = []

    def add(self, kind: Kind, text: str, level: int = 0, page: int | None = None, at: float | None = None) -> None:
        text = printable(text) if kind == "code" else one_line(text)
        if not text:
            return
        if self.blocks:
            near = kind in _TIGHT and self.blocks[-1].kind == kind
            self._append("\n" if near else "\n\n")
        start = self._length
        self._append(text)
        self.blocks.append(Block(kind, start, self._length, level, page, at))

    def table(self, rows: Iterable[Sequence[str]], header: bool | None = None, page: int | None = None) -> None:
        """One block a row. `header`: does the first row name the columns? None judges by its looks."""
        filled = self._filled(rows)
        opening = [row for row in (next(filled, None), next(filled, None)) if row]
        if header is None:
            header = len(opening) > 1 and names_columns(opening[0])
        names = opening.pop(0) if header and len(opening) > 1 else []
        for row in chain(opening, filled):
            self._reserve(sum(map(len, names)))
            self.add("row", row_sentence(names, row), page=page)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def first(self, kind: Kind) -> str:
        """The text of the first block of this kind, or an empty string."""
        text = self.text
        return next((text[block.start : block.end] for block in self.blocks if block.kind == kind), "")

    def parsed(
        self,
        title: str,
        warnings: Iterable[str] = (),
        questions: Iterable[QuestionAnswer] = (),
        dated: date | None = None,
        tags: tuple[str, ...] = (),
    ) -> Parsed:
        name = one_line(title)[:200]
        return Parsed(name, self.text, tuple(self.blocks), tuple(warnings), tuple(questions), dated, tags)

    def _filled(self, rows: Iterable[Sequence[str]]) -> Iterator[list[str]]:
        """The rows with something in them."""
        for row in rows:
            self._reserve(sum(map(len, row)))
            cells = [one_line(cell) for cell in row]
            if any(cells):
                yield cells

    def _reserve(self, length: int) -> None:
        if self._length + length > self._most:
            raise DocumentError("too_large", f"the file spreads out to more than {self._most} characters; split it")

    def _append(self, text: str) -> None:
        self._reserve(len(text))
        self._parts.append(text)
        self._length += len(text)


def row_sentence(names: Sequence[str], cells: Sequence[str]) -> str:
    """A table row that can stand alone: each cell with its column's name, as one sentence."""
    han = bool(_HAN.search("".join([*names, *cells])))
    colon, semicolon, stop = ("：", "；", "。") if han else (": ", "; ", ".")
    if not names and len(cells) == 2 and all(cells):
        return f"{cells[0]}{colon}{cells[1]}{stop}"
    padded = [*names, *[""] * (len(cells) - len(names))]
    parts = [
        f"{name}{colon}{cell}" if name and name != cell else cell
        for name, cell in zip(padded, cells, strict=False)
        if cell
    ]
    sentence = semicolon.join(parts)
    return sentence if sentence.endswith(("。", ".", "！", "!", "？", "?")) else sentence + stop


def names_columns(row: Sequence[str]) -> bool:
    """Does a first row look like column names: filled, without figures, all different?"""
    filled = [cell for cell in row[1:] if cell]
    return (
        len(row) > 1
        and len(filled) == len(row) - 1
        and len(set(row)) == len(row)
        and not any(character.isdigit() for cell in row for character in cell)
    )


def one_line(text: str) -> str:
    return _SPACE.sub(" ", _CONTROL.sub("", text)).strip()


def printable(text: str) -> str:
    lines = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def width(text: str) -> int:
    """Columns in a fixed-width font: a Chinese character takes two."""
    return sum(2 if character > "\u2e7f" else 1 for character in text)


_HYPHENATED = re.compile(r"[A-Za-z]-$")
_BROKEN = re.compile(r"[。！？!?.：:；;”」』）)]$")
_OPENER = re.compile(r"^\s*(?:[-*•·▪●○◆■]|\(?\d{1,2}[.)、）]|[（(]?[一二三四五六七八九十]+[、）)])")


def unwrap(lines: Sequence[str], full: Sequence[bool]) -> list[str]:
    """Lines that were broken only by the width of a page, joined again. `full`: does the line reach the margin?"""
    joined: list[list[str]] = []
    continues = False
    for line, reaches in zip(lines, full, strict=True):
        if not continues or is_item(line):
            joined.append([])
        resume(joined[-1], line)
        continues = reaches
    return ["".join(parts) for parts in joined]


def reaching(lines: Sequence[str]) -> list[bool]:
    """Which lines of plain text were likely broken by the width of a page, and not at the end of a sentence."""
    widest = max(map(width, lines), default=0)
    return [width(line) >= max(0.75 * widest, 24) and not _BROKEN.search(line) for line in lines]


def resume(parts: list[str], line: str) -> None:
    """Add the next of a paragraph's lines: a space between words, none between Chinese characters, hyphens mended."""
    if parts:
        left = parts[-1]
        if _HYPHENATED.search(left[-2:]) and line[:1].islower():
            parts[-1] = left[:-1]
        elif not (left[-1:] > "\u2e7f" or line[:1] > "\u2e7f"):
            parts.append(" ")
    parts.append(line)


def is_item(line: str) -> bool:
    """Does the line open a list item?"""
    return bool(_OPENER.match(line))
