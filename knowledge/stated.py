"""What a file states about itself: its day and its keywords."""

import re
from collections.abc import Iterable
from datetime import date, datetime

from knowledge.structure import one_line

_DAY = re.compile(r"\s*(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})(?!\d)")
_BETWEEN = re.compile(r"[,;，；、\n]")
_MOST = 20
_LONGEST = 40


def day(value: object) -> date | None:
    """`2024-05-01`, `2024/5/1`, `2024年5月1日`, with or without a time after it; None for anything else."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    match = _DAY.match(str(value))
    if match is None:
        return None
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        return None


def keywords(value: object) -> tuple[str, ...]:
    """A list of words, or words between commas; each once."""
    if isinstance(value, str):
        values: Iterable[object] = _BETWEEN.split(value)
    elif isinstance(value, list | tuple):
        values = value
    else:
        return ()
    found = dict.fromkeys(one_line(one) for one in values if isinstance(one, str))
    return tuple(word for word in found if 0 < len(word) <= _LONGEST)[:_MOST]
