"""Passages from a parsed file: whole sentences of one section, small enough for a small model's prompt."""

from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.documents import Place
from knowledge.sentences import clause_spans, sentence_spans
from knowledge.structure import Block, Parsed


@dataclass(frozen=True, slots=True)
class Sizes:
    """Weights of a passage: a Chinese character weighs 1, a Latin one 0.35.

    A passage grows until the next block would take it past `aim`, and never past `most`; only a single sentence
    heavier than `most` is cut, at a comma.
    """

    aim: int = 200
    most: int = 300


_LATIN = 0.35


def weight(text: str) -> float:
    wide = sum(character > "\u2e7f" for character in text)
    return wide + _LATIN * (len(text) - wide)


def passages(parsed: Parsed, sizes: Sizes = Sizes()) -> list[Place]:
    """Places that cover every block but the headings; a heading that has no text of its own is a passage."""
    places: list[Place] = []
    for section, blocks in _sections(parsed):
        pieces = [piece for block in blocks for piece in _pieces(parsed.text, block, sizes)]
        places.extend(_packed(parsed.text, section, pieces, sizes))
    return places


def _sections(parsed: Parsed) -> Iterator[tuple[tuple[str, ...], list[Block]]]:
    """Blocks under each heading, with the path of headings that leads there."""
    path: list[tuple[int, Block]] = []
    body: list[Block] = []

    def names(headings: list[tuple[int, Block]]) -> tuple[str, ...]:
        return tuple(parsed.text[block.start : block.end] for _, block in headings)

    for block in parsed.blocks:
        if block.kind != "heading":
            body.append(block)
            continue
        if body:
            yield names(path), body
        elif path and block.level <= path[-1][0]:
            yield names(path[:-1]), [path[-1][1]]
        body = []
        path = [(level, heading) for level, heading in path if level < block.level]
        path.append((block.level, block))
    if body:
        yield names(path), body
    elif path:
        yield names(path[:-1]), [path[-1][1]]


def _pieces(text: str, block: Block, sizes: Sizes) -> list[Block]:
    """The block itself if it fits a passage, else its sentences; a sentence that does not fit, in clauses."""
    content = text[block.start : block.end]
    if weight(content) <= sizes.aim:
        return [block]
    pieces: list[Block] = []
    for start, end in sentence_spans(content):
        spans = [(start, end)]
        if weight(content[start:end]) > sizes.most:
            longest = int(sizes.aim * (end - start) / weight(content[start:end]))
            spans = [(start + left, start + right) for left, right in clause_spans(content[start:end], longest)]
        pieces.extend(
            Block(block.kind, block.start + left, block.start + right, block.level, block.page) for left, right in spans
        )
    return pieces


def _packed(text: str, section: tuple[str, ...], pieces: list[Block], sizes: Sizes) -> Iterator[Place]:
    """Neighbours together while they fit; a small remainder joins the passage before it."""
    groups: list[list[Block]] = []
    for piece in pieces:
        if groups and weight(text[groups[-1][0].start : piece.end]) <= sizes.aim:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    if len(groups) > 1 and weight(text[groups[-2][0].start : groups[-1][-1].end]) <= sizes.most:
        groups[-2].extend(groups.pop())
    for group in groups:
        yield Place(section, group[0].page, group[0].start, group[-1].end)
