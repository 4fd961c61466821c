"""Arguments held to a tool's JSON schema, and a stranger's schema cut to what may stand in a prompt. No I/O."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from agent.tools.results import inert

LONGEST = 20_000
"""Characters of a call's arguments."""

_DEPTH = 8
_WHOLE = 8_000
_TOO_LARGE = f"its parameters take more than {_WHOLE} characters"
_TEXT = 300
_DROPPED = ("pattern", "patternProperties", "$schema", "$id", "examples")
"""A pattern is a stranger's regular expression, which can take for ever; its own server checks it."""
_NAMING = ("properties", "$defs", "definitions")
"""Keywords whose keys are names of the tool's own: one of them may be `pattern`."""


class Unfit(ValueError):
    """Arguments that the tool cannot be called with; the message tells the model how to mend them."""


def arguments(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a model wrote, read and held to `schema`. Raises Unfit."""
    if len(text) > LONGEST:
        raise Unfit(f"arguments are too long: {len(text)} characters, at most {LONGEST}")
    try:
        given: Any = json.loads(text or "{}", parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"arguments are not JSON: {error}") from error
    if not isinstance(given, dict):
        raise Unfit(f"arguments must be a JSON object, not {type(given).__name__}")
    try:
        wrong = best_match(_validator(schema).iter_errors(given))
    except (Unresolvable, RecursionError) as error:
        raise Unfit("arguments cannot be checked: the tool's schema refers to what is not there") from error
    if wrong is not None:
        where = ".".join(map(str, wrong.absolute_path))
        raise Unfit(f"argument {where}: {wrong.message}" if where else f"arguments: {wrong.message}")
    return given


def bounded(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A stranger's schema: its texts cleaned and cut, its patterns left out. Raises ValueError where it is none, or
    too large to stand in every prompt."""
    cut: dict[str, Any] = _bounded(dict(schema), 0, itertools.count())
    cut["type"] = "object"
    cut.setdefault("properties", {})
    if len(json.dumps(cut, ensure_ascii=False, default=str)) > _WHOLE:
        raise ValueError(_TOO_LARGE)
    try:
        Draft202012Validator.check_schema(cut)
    except (SchemaError, RecursionError) as error:
        raise ValueError("its parameters are no JSON schema") from error
    return cut


def _bounded(value: Any, depth: int, values: Iterator[int]) -> Any:
    """`values`: counts them; each takes a character at least, so that too many are not even looked at."""
    if next(values) > _WHOLE:
        raise ValueError(_TOO_LARGE)
    if depth > _DEPTH:
        return {}
    match value:
        case str():
            return inert(value, _TEXT)
        case dict():
            return {
                key: {name: _bounded(one, depth + 2, values) for name, one in part.items()}
                if key in _NAMING and isinstance(part, dict)
                else _bounded(part, depth + 1, values)
                for key, part in value.items()
                if key not in _DROPPED
            }
        case list():
            return [_bounded(part, depth + 1, values) for part in value[:100]]
        case _:
            return value


def _validator(schema: Mapping[str, Any]) -> Draft202012Validator:
    """An empty registry: a reference to another host's schema is not fetched."""
    return Draft202012Validator(schema, registry=Registry())


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")
