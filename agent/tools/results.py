"""A tool's result made harmless: text from outside that the model reads as data. No I/O."""

import re
import unicodedata

from agent.orders import gives_orders

_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs"})
_TAG = re.compile(r"<(?=\s*[|｜/!?A-Za-z_])")
"""What may open a chat template's token, `<|im_end|>`, or a tag such as `</tool_response>` and `<think>`."""
_CUE = re.compile(r"\[(?=\s*/?\s*[A-Za-z_]+\s*[:：\]])")
"""What may open a cue of ours, `[emotion:happy]`, or `[/INST]`."""
_SENTENCE = re.compile(r"(?<=[。！？!?；;\n])|(?<=\.)(?![0-9A-Za-z])")


def inert(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, with a note where it was cut; without what is invisible or could be
    taken for markup, and with `…` for sentences that give orders."""
    kept = "".join(char for char in text[:limit] if char in "\n\t" or unicodedata.category(char) not in _HIDDEN)
    kept = _CUE.sub("［", _TAG.sub("‹", kept)).strip()
    kept = "".join("…" if gives_orders(sentence) else sentence for sentence in _SENTENCE.split(kept))
    if len(text) > limit:
        kept += f"\n(cut: the first {limit} of {len(text)} characters)"
    return kept
