"""Markdown to blocks, by way of its HTML; a YAML front matter may state the title, the date and tags."""

import re
from dataclasses import replace
from typing import Any

import yaml
from markdown_it import MarkdownIt

from knowledge.formats.html import parse_html
from knowledge.stated import day, keywords
from knowledge.structure import Parsed, one_line

_LONGEST = 4096
"""Characters of a front matter: more than that is text between two rules."""
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def parse_markdown(text: str) -> Parsed:
    fields, body = _front_matter(text)
    parsed = parse_html(MarkdownIt("commonmark", {"html": True}).enable("table").render(body))
    title = fields.get("title")
    return replace(
        parsed,
        title=one_line(title)[:200] if isinstance(title, str) and title.strip() else parsed.title,
        dated=day(fields.get("date")) or parsed.dated,
        tags=keywords(fields.get("tags")) or parsed.tags,
    )


def _front_matter(text: str) -> tuple[dict[str, Any], str]:
    match = _FRONT_MATTER.match(text, 0, _LONGEST)
    if match is None:
        return {}, text
    try:
        fields = yaml.load(match[1], yaml.BaseLoader)  # noqa: S506 - it makes strings, lists and mappings only
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, text
    return (fields, text[match.end() :]) if isinstance(fields, dict) else ({}, text)
