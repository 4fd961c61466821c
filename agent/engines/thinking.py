"""A reasoning model's thoughts taken out of its text: what stands between `<think>` and `</think>`. No I/O."""

import re

_TAG = re.compile(r"</?think>")
_TAGS = ("<think>", "</think>")


class Thoughts:
    """`feed` text as it comes, take out what is meant to be heard; `flush` at its end.

    A tag may be cut anywhere. One that closes what nothing opened is dropped: some chat templates open the block
    in the prompt, and there the model server's own reasoning parser has to tell the two apart.
    """

    def __init__(self) -> None:
        self._inside = False
        self._held = ""

    def feed(self, text: str) -> str:
        if not self._inside and not self._held and "<" not in text:
            return text
        text, self._held = self._held + text, ""
        heard = ""
        while (tag := _TAG.search(text)) is not None:
            heard += "" if self._inside else text[: tag.start()]
            self._inside = tag[0] == "<think>"
            text = text[tag.end() :]
        whole = len(text) - _begun(text)
        self._held = text[whole:]
        return heard if self._inside else heard + text[:whole]

    def flush(self) -> str:
        held, self._held = self._held, ""
        return "" if self._inside else held


def _begun(text: str) -> int:
    """How many characters at the end may be the beginning of a tag."""
    start = text.rfind("<")
    end = text[start:] if start >= 0 else ""
    return len(end) if end and any(tag.startswith(end) for tag in _TAGS) else 0
