"""Whether what was said so far can be all of it, told from the words."""

import re
from typing import Literal

from agent.listening.wordlists import Words, folded, words
from configs.language import Lang

Clause = Literal["complete", "open", "unfinished"]
"""It is a whole question or sentence; it may be; something has to follow."""

_HANGING = re.compile(r"(?:[，,、；;：:—…-]|\.\.\.)\s*$")
_ASKED = re.compile(r"[？?]\s*$")
"""A full stop tells nothing: recognisers put one at the end of whatever they are given."""


def clause(text: str, lang: Lang) -> Clause:
    listed, plain = words(lang), folded(text)
    if not plain or _HANGING.search(text) or _hangs(plain, listed, lang):
        return "unfinished"
    if _ASKED.search(text) or any(pattern.search(text) for pattern in listed.asked):
        return "complete"
    return "open"


def _hangs(plain: str, listed: Words, lang: Lang) -> bool:
    if lang == "zh" and len(plain) == 1:
        return not (listed.backchannel.match(plain) or plain in listed.stops | listed.asks)
    joint = "" if lang == "zh" else " "
    ends = any(pattern.search(plain) for pattern in listed.hanging) or any(
        plain == ending or plain.endswith(joint + ending) for ending in listed.unfinished
    )
    return ends and not any(pattern.search(plain) for pattern in listed.whole)
