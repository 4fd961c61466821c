"""Markdown to blocks, by way of its HTML; a YAML front matter may name the title."""

import re

import yaml
from markdown_it import MarkdownIt

from knowledge.formats.html import parse_html
from knowledge.structure import Parsed, one_line

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def parse_markdown(text: str) -> Parsed:
    title, body = _front_matter(text)
    parsed = parse_html(MarkdownIt("commonmark", {"html": True}).enable("table").render(body))
    return Parsed(title or parsed.title, parsed.text, parsed.blocks, parsed.warnings)


def _front_matter(text: str) -> tuple[str, str]:
    match = _FRONT_MATTER.match(text)
    if match is None:
        return "", text
    try:
        fields = yaml.safe_load(match[1])
    except yaml.YAMLError:
        return "", text
    if not isinstance(fields, dict):
        return "", text
    return one_line(str(fields.get("title") or ""))[:200], text[match.end() :]
