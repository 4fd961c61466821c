"""Traditional Chinese characters as simplified ones, by OpenCC: what is compared is compared in one script."""

import functools
from collections.abc import Callable

from opencc import OpenCC

_HAN = ((0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x31350))


def simplified(text: str) -> str:
    """As long as the text, so that a place in it stays one; other text stays as it is."""
    if text.isascii() or _traditional().isdisjoint(text):
        return text
    try:
        found = _converted(text)
    except UnicodeEncodeError:  # a half of a surrogate pair
        return text
    return found if len(found) == len(text) else "".join(map(_one, text))


@functools.cache
def _traditional() -> frozenset[str]:
    """The characters that have a simplified one: most texts have none of them, and need no more than this look."""
    every = [chr(point) for first, last in _HAN for point in range(first, last)]
    return frozenset(
        one for one, other in zip(every, _converted("\n".join(every)).split("\n"), strict=True) if one != other
    )


def _one(char: str) -> str:
    found = _converted(char)
    return found if len(found) == 1 else char


def _converted(text: str) -> str:
    return _converter()(text)


@functools.cache
def _converter() -> Callable[[str], str]:
    convert: Callable[[str], str] = OpenCC("t2s").convert
    return convert
