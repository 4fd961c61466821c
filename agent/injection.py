"""Words of a user that are aimed at the model rather than asked of the presenter: told from questions, made harmless.

After the OWASP LLM prompt-injection cheat sheet. `examine` sees through look-alikes, invisible characters, figures for
letters, spelled-out words, encodings, ROT13 and pinyin; other wordings pass as data, and the answer is moderated too.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal, get_args

import yaml

from agent.moderation.folding import bare, fold
from agent.moderation.spelling import words
from agent.payloads import decoded, mirrored
from avatar.motion import EMOTIONS, GESTURES

Kind = Literal["override", "role", "extraction", "smuggling", "encoding"]
_KINDS: tuple[Kind, ...] = get_args(Kind)

_TEMPLATE = re.compile(
    r"<\|?(?:im_start|im_end|im_sep|endoftext|eot_id|begin_of_text|start_header_id|end_header_id|system|user|assistant"
    r"|end|endofprompt|fim_\w+)\|?>|<\|\w{1,30}\|?>|\[/?inst\]|<</?sys>>|</?s>|<(?:start|end)_of_turn>"
    r"|</?(?:system|assistant|user|human|instructions?|prompt|developer|tool_call|tool_response|think|function_calls?)>"
    r"|^[^\S\n]*#{2,}\s*(?:system|instructions?|assistant|human|user|系统|指令|助手)\b[:：]?",
    re.IGNORECASE | re.MULTILINE,
)
_NAMES = "|".join((*EMOTIONS, *GESTURES))
_CUE = re.compile(
    rf"[\[<【［]\s*(?:(?:emotion|gesture|表情|动作|情绪)\s*[:：=]\s*[^\]>】］]{{0,30}}|{_NAMES})\s*[\]>】］]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Attack:
    kind: Kind


def neutral(text: str) -> str:
    """Without what a chat template or the presenter's own markup would take for an order; other text as it is."""
    if not any(mark in text for mark in "<[#【＜［"):
        return text
    return _CUE.sub(" ", _TEMPLATE.sub(" ", text))


def examine(text: str) -> Attack | None:
    """A clear attack, or None: what is doubtful passes, as data."""
    if _TEMPLATE.search(fold(text).text):
        return Attack("smuggling")
    if (kind := _kind(text)) is not None:
        return Attack(kind)
    for hidden in decoded(text):
        return Attack(_kind(hidden) or "encoding")
    _, together = _signs()
    return Attack("encoding") if any(together.search(bare(other)) for other in mirrored(text)) else None


def _kind(text: str) -> Kind | None:
    signs, together = _signs()
    for view in _views(text):
        for kind, pattern in signs.items():
            if pattern.search(view):
                return kind
    return "override" if together.search(bare(text)) else None


def _views(text: str) -> Iterator[str]:
    """The text as it reads, and as its words do once figures and lone letters are read for what they stand for."""
    folded = fold(text).text
    yield folded
    spelled = words(folded)
    if any(word.hidden for word in spelled):
        yield " ".join(word.text for word in spelled)


@functools.cache
def _signs() -> tuple[dict[Kind, re.Pattern[str]], re.Pattern[str]]:
    """Those of `configs/injection.yaml`: by kind, and those of a text without its spaces."""
    content: dict[str, Any] = yaml.safe_load(files("configs").joinpath("injection.yaml").read_text("utf-8"))
    words: dict[str, str] = content["words"]

    def pattern(signs: list[str]) -> re.Pattern[str]:
        whole = "|".join(signs)
        for name, word in words.items():
            whole = whole.replace(f"{{{name}}}", word)
        return re.compile(whole, re.MULTILINE)

    return {kind: pattern(content[kind]) for kind in _KINDS if kind in content}, pattern(content["together"])
