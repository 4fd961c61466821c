"""How a Han character is read, without its tone: by pypinyin, where that is installed."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

Reading = Callable[[str], str]


@functools.cache
def reading() -> Reading | None:
    """Of one character; "" for one that has none."""
    try:
        from pypinyin import Style, pinyin
    except ImportError:
        return None

    @functools.lru_cache(maxsize=8192)
    def read(char: str) -> str:
        given: Sequence[Any] = pinyin(char, style=Style.NORMAL, errors="ignore")
        return str(given[0][0]) if given else ""

    return read
