"""Markdown to blocks, by way of its HTML; a YAML front matter may name the title."""

import re

import yaml
from markdown_it import MarkdownIt

from knowledge.formats.html import parse_html
from knowledge.structure import Parsed, one_line

_LONGEST = 4096
"""Characters of a front matter: more than that is text between two rules."""
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def parse_markdown(text: str) -> Parsed:
    title, body = _front_matter(text)
    parsed = parse_html(MarkdownIt("commonmark", {"html": True}).enable("table").render(body))
    return Parsed(title or parsed.title, parsed.text, parsed.blocks, parsed.warnings)


def _front_matter(text: str) -> tuple[str, str]:
    match = _FRONT_MATTER.match(text, 0, _LONGEST)
    if match is None:
        return "", text
    try:
        fields = yaml.load(match[1], yaml.BaseLoader)  # noqa: S506 - it makes strings, lists and mappings only
    except (yaml.YAMLError, ValueError, RecursionError):
        return "", text
    if not isinstance(fields, dict):
        return "", text
    title = fields.get("title")
    return one_line(title)[:200] if isinstance(title, str) else "", text[match.end() :]
