"""Plain text to blocks: paragraphs by blank lines, headings and list items by their looks."""

import re
from itertools import groupby

from knowledge.structure import Draft, Parsed, is_item, reaching, unwrap, width

_NUMBERED = re.compile(
    r"(?:第[一二三四五六七八九十百\d]+[章节部分篇]|[一二三四五六七八九十]+、|（[一二三四五六七八九十]+）|\d{1,2}(?:\.\d{1,2})*[.、]?\s)\s*\S"
)
_BRACKETED = re.compile(r"[【\[].{1,30}[】\]]$")
_UNDERLINE = re.compile(r"(={3,}|-{3,}|~{3,}|\*{3,})$")
_STOP = re.compile(r"[。．.!！?？;；:：,，、…]$")
_BULLET = re.compile(r"^\s*[-*•·▪●○◆■]\s*")
_HEADING_WIDTH = 48


def parse_text(text: str) -> Parsed:
    draft = Draft()
    lines = [line.rstrip() for line in text.splitlines()]
    groups = [list(group) for filled, group in groupby(lines, key=lambda line: bool(line.strip())) if filled]
    for index, group in enumerate(groups):
        _read(draft, group, first=index == 0, alone=len(groups) == 1)
    title = draft.first("heading")
    opening = draft.text.split("\n", 1)[0]
    return draft.parsed(title or (opening if width(opening) <= 2 * _HEADING_WIDTH else ""))


def _read(draft: Draft, lines: list[str], first: bool, alone: bool) -> None:
    """One group of lines between blank lines."""
    if len(lines) > 1 and _UNDERLINE.fullmatch(lines[1].strip()):
        draft.add("heading", lines[0], 1 if first or lines[1].strip().startswith("=") else 2)
        lines = lines[2:]
    elif not alone and _is_heading(lines[0], single=len(lines) == 1):
        name = lines[0].strip()
        draft.add("heading", name.strip(" 【】[]") if _BRACKETED.match(name) else name, 1 if first else 2)
        lines = lines[1:]
    for item, group in groupby(lines, key=is_item):
        run = [line.strip() for line in group]
        for line in run if item else unwrap(run, reaching(run)):
            draft.add("item" if item else "paragraph", _BULLET.sub("", line))


def _is_heading(line: str, single: bool) -> bool:
    line = line.strip()
    if width(line) > _HEADING_WIDTH or _STOP.search(line) or not any(map(str.isalpha, line)):
        return False
    if _BRACKETED.match(line) or (_NUMBERED.match(line) and single):
        return True
    if _NUMBERED.match(line):
        return not line[0].isdigit()
    return single and not any(map(str.isdigit, line)) and not _BULLET.match(line)
