"""JSON and JSON lines to blocks: each object a row, with its fields as columns.

An object's own values are one row: those of objects within it are named `outer.inner`, lists of values are joined.
Objects in a list are rows of their own, under a heading with the list's name, each led by the first value of the
object that holds the list. Objects that have a question and an answer are curated answers.
"""

from typing import Any

import orjson

from knowledge.documents import DocumentError
from knowledge.formats.grid import WIDEST
from knowledge.formats.sheet import Sheets, has_role
from knowledge.limits import FileLimits, check_rows
from knowledge.structure import Draft, Parsed

_DEEPEST = 12
_TITLES = ("title", "name", "标题", "標題", "名称", "名稱")
Fields = dict[str, str]


def parse_json(text: str, limits: FileLimits, lines: bool) -> Parsed:
    """`lines`: a value on each line, where the whole is not one value."""
    values = _values(text, lines)
    sheets = Sheets(Draft(), limits)
    title = ""
    if len(values) == 1 and isinstance(values[0], dict):
        named = (values[0].get(key) for key in _TITLES)
        title = next((name for name in named if isinstance(name, str) and name.strip()), "")
    if len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    _table(sheets, "", [({}, value) for value in values if isinstance(value, dict)], 1)
    for value in values:
        if not isinstance(value, dict):
            sheets.draft.add("item", _shown(value))
    return sheets.draft.parsed(title, sheets.warnings, sheets.questions)


def _values(text: str, lines: bool) -> list[Any]:
    try:
        return [orjson.loads(text)]
    except orjson.JSONDecodeError as error:
        if not lines:
            raise DocumentError("damaged", f"the file is not JSON: {error}") from error
    values = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            values.extend([orjson.loads(line)] if line.strip() else [])
        except orjson.JSONDecodeError as error:
            raise DocumentError("damaged", f"line {number} is not JSON: {error}") from error
    return values


def _table(sheets: Sheets, name: str, records: list[tuple[Fields, dict[str, Any]]], level: int) -> None:
    """Records with what each is led by; then what lists of records they hold, list by list."""
    if not records:
        return
    check_rows(len(records), sheets.limits)
    if name:
        sheets.draft.add("heading", name, min(level - 1, 6))
    rows: list[Fields] = []
    below: dict[str, list[tuple[Fields, dict[str, Any]]]] = {}
    for lead, record in records:
        fields: Fields = {}
        lists: dict[str, list[dict[str, Any]]] = {}
        _flatten(record, "", fields, lists, level)
        rows.append({**lead, **fields})
        first = dict([next(iter(fields.items()))]) if fields and len(records) > 1 else {}
        for key, inner in lists.items():
            below.setdefault(key, []).extend((_leading(first, name, one), one) for one in inner)
    names = list(dict.fromkeys(key for row in rows for key in row))
    if len(names) > WIDEST:
        sheets.warnings.append(f"only the first {WIDEST} fields of the records were read")
    names = names[:WIDEST]
    sheets.add([names, *([row.get(key, "") for key in names] for row in rows)], header=True)
    for key, held in below.items():
        _table(sheets, key, held, level + 1)


def _leading(first: Fields, name: str, record: dict[str, Any]) -> Fields:
    """The outer object's first value, under a name that the inner one does not have."""
    return {(f"{name or '…'}.{key}" if key in record else key): value for key, value in first.items()}


def _flatten(
    value: dict[str, Any], prefix: str, fields: Fields, lists: dict[str, list[dict[str, Any]]], level: int
) -> None:
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict) and inner and prefix.count(".") + level < _DEEPEST:
            _flatten(inner, f"{name}.", fields, lists, level)
        elif isinstance(inner, list) and level < _DEEPEST and (held := [one for one in inner if isinstance(one, dict)]):
            lists.setdefault(name, []).extend(held)
        elif isinstance(inner, list) and has_role(name, "question"):
            fields[name] = "\n".join(map(_shown, inner))
        else:
            fields[name] = _shown(inner)


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        words = [_shown(one) for one in value]
        return ("、" if any(word[:1] > "\u2e7f" for word in words) else ", ").join(words)
    if isinstance(value, float):
        return f"{value:.15g}"
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return "…"
