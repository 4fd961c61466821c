"""Traditional Chinese characters as simplified ones, by OpenCC: what is compared is compared in one script."""

import functools
from collections.abc import Callable

from opencc import OpenCC


def simplified(text: str) -> str:
    """As long as the text, so that a place in it stays one; other text stays as it is."""
    if text.isascii():
        return text
    try:
        found = _converted(text)
    except UnicodeEncodeError:  # a half of a surrogate pair
        return text
    return found if len(found) == len(text) else "".join(map(_one, text))


def _one(char: str) -> str:
    found = _converted(char)
    return found if len(found) == 1 else char


def _converted(text: str) -> str:
    return _converter()(text)


@functools.cache
def _converter() -> Callable[[str], str]:
    convert: Callable[[str], str] = OpenCC("t2s").convert
    return convert
