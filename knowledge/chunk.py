"""Passages from a parsed file: whole sentences of one section, small enough for a small model's prompt."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from knowledge.documents import Place
from knowledge.sentences import clause_spans, sentence_spans
from knowledge.structure import Block, Kind, Parsed


@dataclass(frozen=True, slots=True)
class Sizes:
    """In tokens, as `tokens` estimates them.

    A passage grows until the next block would take it past `aim`, and never past `most`; only a single sentence
    longer than `most` is cut, at a comma. A table or list of at most `most` stays whole. `parent`: the context that
    a passage has around it in its section.
    """

    aim: int = 200
    most: int = 300
    parent: int = 1500


_LATIN = 0.35
_WIDE = re.compile(r"[\u2e80-\U0010ffff]+")
_LISTED: frozenset[Kind] = frozenset(("row", "item"))
_ANNOUNCES = ("：", ":")


def tokens(text: str) -> float:
    """An estimate: a Chinese character is a token, any other a third of one."""
    narrow = len(_WIDE.sub("", text))
    return len(text) - narrow + _LATIN * narrow


def passages(parsed: Parsed, sizes: Sizes = Sizes()) -> list[Place]:
    """Places that cover every block but the headings; a heading that has no text of its own is a passage."""
    places: list[Place] = []
    for section, blocks in _sections(parsed):
        groups = _packed(parsed.text, _runs(parsed.text, blocks, sizes), sizes)
        places.extend(_placed(parsed.text, section, groups, sizes))
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


def _runs(text: str, blocks: list[Block], sizes: Sizes) -> Iterator[list[Block]]:
    """Blocks that stay together: a table or list that fits, with the line that announces it; else one by one."""
    announced: list[Block] = []
    for kind, group in groupby(blocks, key=lambda block: block.kind):
        run = list(group)
        if kind in _LISTED and tokens(text[(announced or run)[0].start : run[-1].end]) <= sizes.most:
            yield announced + run
            announced = []
            continue
        pieces = [piece for block in announced + run for piece in _pieces(text, block, sizes)]
        announced = []
        if kind == "paragraph" and text[pieces[-1].start : pieces[-1].end].endswith(_ANNOUNCES):
            announced = [pieces.pop()]
        yield from ([piece] for piece in pieces)
    if announced:
        yield announced


def _pieces(text: str, block: Block, sizes: Sizes) -> list[Block]:
    """The block itself if it fits a passage, else its sentences; a sentence that does not fit, in clauses."""
    content = text[block.start : block.end]
    if tokens(content) <= sizes.aim:
        return [block]
    pieces: list[Block] = []
    for start, end in sentence_spans(content):
        spans = [(start, end)]
        if (length := tokens(content[start:end])) > sizes.most:
            longest = int(sizes.aim * (end - start) / length)
            spans = [(start + left, start + right) for left, right in clause_spans(content[start:end], longest)]
        pieces.extend(replace(block, start=block.start + left, end=block.start + right) for left, right in spans)
    return pieces


def _packed(text: str, runs: Iterator[list[Block]], sizes: Sizes) -> list[list[Block]]:
    """Neighbours together while they fit; a small remainder joins the passage before it."""
    groups: list[list[Block]] = []
    for run in runs:
        if groups and tokens(text[groups[-1][0].start : run[-1].end]) <= sizes.aim:
            groups[-1].extend(run)
        else:
            groups.append(run)
    if len(groups) > 1 and tokens(text[groups[-2][0].start : groups[-1][-1].end]) <= sizes.most:
        groups[-2].extend(groups.pop())
    return groups


def _placed(text: str, section: tuple[str, ...], groups: list[list[Block]], sizes: Sizes) -> Iterator[Place]:
    spans = [(group[0].start, group[-1].end) for group in groups]
    lengths = [tokens(text[start:end]) for start, end in spans]
    for index, group in enumerate(groups):
        first, last = _around(lengths, index, sizes.parent)
        start, end = spans[index]
        yield Place(section, group[0].page, start, end, group[0].at, (spans[first][0], spans[last][1]))


def _around(lengths: list[float], index: int, most: float) -> tuple[int, int]:
    """The first and last of the neighbours that fit into `most` together, by turns after and before."""
    first = last = index
    length = lengths[index]
    grew = True
    while grew:
        grew = False
        if last + 1 < len(lengths) and length + lengths[last + 1] <= most:
            last += 1
            length += lengths[last]
            grew = True
        if first > 0 and length + lengths[first - 1] <= most:
            first -= 1
            length += lengths[first]
            grew = True
    return first, last
