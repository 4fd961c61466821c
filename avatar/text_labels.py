"""Text files and the label in them: front matter of Markdown, a key of JSON, a line of JSONL, a note of WebVTT."""

import json
import re
from typing import Any

import yaml

_FRONT = re.compile(r"---[ \t]*\n(?P<held>(?:.*\n)*?)---[ \t]*(?:\n|\Z)")
_BLOCK = re.compile(r"^AIGC:.*\n(?:[ \t]+.*\n)*", re.MULTILINE)
_NOTE = re.compile(r"^NOTE AIGC (?P<label>\{.*\})\n\n?", re.MULTILINE)


def in_markdown(data: bytes, label: str) -> bytes:
    """The label before what else the front matter holds."""
    text = _text(data)
    block = "AIGC:\n" + "".join(f"  {key}: {_quoted(value)}\n" for key, value in json.loads(label)["AIGC"].items())
    front = _FRONT.match(text)
    held, body = (_BLOCK.sub("", front["held"]), text[front.end() :]) if front else ("", text)
    return f"---\n{block}{held}---\n{'' if front else chr(10)}{body}".encode()


def _quoted(value: str) -> str:
    return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=1_000_000).rstrip("\n")


def of_markdown(data: bytes) -> str | None:
    front = _FRONT.match(_text(data))
    block = _BLOCK.search(front["held"]) if front else None
    if block is None:
        return None
    try:
        return json.dumps(yaml.safe_load(block[0]))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ValueError("the front matter is not YAML") from error


def in_json(data: bytes, label: str) -> bytes:
    """The label as the first key of the object."""
    tree = _tree(data)
    if not isinstance(tree, dict):
        raise ValueError("only a JSON object has a place for a label")
    indent = 2 if b"\n" in data.strip() else None
    return (json.dumps(json.loads(label) | _without(tree), ensure_ascii=False, indent=indent) + "\n").encode()


def of_json(data: bytes) -> str | None:
    tree = _tree(data)
    return json.dumps({"AIGC": tree["AIGC"]}) if isinstance(tree, dict) and "AIGC" in tree else None


def in_jsonl(data: bytes, label: str) -> bytes:
    """The label as a line of its own before the others."""
    text = _text(data)
    first, _, rest = text.partition("\n")
    return f"{label}\n{rest if _is_label(first) else text}".encode()


def of_jsonl(data: bytes) -> str | None:
    first = _text(data).partition("\n")[0]
    return first if _is_label(first) else None


def in_vtt(data: bytes, label: str) -> bytes:
    """The label as a note behind the header, before the first cue."""
    text = _NOTE.sub("", _vtt(data))
    header, blank, rest = text.partition("\n\n")
    return f"{header.rstrip()}\n\nNOTE AIGC {label}\n{chr(10) if blank else ''}{rest}".encode()


def of_vtt(data: bytes) -> str | None:
    note = _NOTE.search(_vtt(data) + "\n")
    return note["label"] if note else None


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ValueError("the file is not UTF-8") from error


def _vtt(data: bytes) -> str:
    text = _text(data)
    if not re.match(r"WEBVTT(?:[ \t].*)?(?:\n|\Z)", text):
        raise ValueError("this is not a WebVTT file")
    return text


def _tree(data: bytes) -> Any:
    try:
        return json.loads(_text(data))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("the file is not JSON") from error


def _without(tree: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if key != "AIGC"}


def _is_label(line: str) -> bool:
    """A label's line is an object with that key alone."""
    try:
        tree = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(tree, dict) and tree.keys() == {"AIGC"}
