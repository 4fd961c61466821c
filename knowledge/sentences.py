"""Where sentences end in written Chinese and English."""

import re

_END = re.compile(r"[。！？!?…]+[”’」』）)\"']*|(?<!\.)\.++[”’\"')]*+(?=\s|$)|[；;](?=\s*\n)|\n")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|vs|etc|e\.g|i\.e|approx|Inc|Ltd|Co|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept"
    r"|Oct|Nov|Dec|Mt|Fig|a\.m|p\.m)|(?:^|\n)\d{1,3})\.$"
)
_CLAUSE = re.compile(r"[，,；;：:、](?!\d)\s*|\s+")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences, without the space around them; a line break always ends one."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        if match[0][0] == "." and _continues(text, start, match.end()):
            continue
        _keep(spans, text, start, match.end())
        start = match.end()
    _keep(spans, text, start, len(text))
    return spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def clause_spans(text: str, longest: int) -> list[tuple[int, int]]:
    """Spans of at most `longest` characters, cut at commas or spaces where there are any."""
    spans: list[tuple[int, int]] = []
    start = 0
    while len(text) - start > longest:
        cuts = [match.end() for match in _CLAUSE.finditer(text, start + 1, start + longest)]
        end = cuts[-1] if cuts else start + longest
        _keep(spans, text, start, end)
        start = end
    _keep(spans, text, start, len(text))
    return spans


def _continues(text: str, start: int, end: int) -> bool:
    """Is this full stop part of an abbreviation, or of a number that opens a list item?"""
    before = text[max(start, end - 12) : end]
    if not _ABBREVIATION.search(before):
        return False
    final = re.search(r"(?:a\.m|p\.m|etc|Inc|Ltd|Co)\.$", before)
    while text[end : end + 1] == " ":
        end += 1
    following = text[end : end + 1]
    return bool(following) and following != "\n" and not (final and following.isupper())


def _keep(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        spans.append((start, end))
