"""A long conversation in a few sentences: by the language model, or, where it fails, by its own first sentences."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing

from agent.memory.records import Exchange
from agent.model import Ask, ChatModel, Message, ModelError, text_of
from agent.tokens import cut
from configs.language import Lang
from knowledge.sentences import sentences

SECONDS = 30.0
"""For the model."""
LONGEST = 250
"""Tokens of a summary."""
_READ = 3000
"""Tokens of a conversation that the model is given."""
_ORDER: Mapping[Lang, str] = {
    "zh": "把下面的对话概括成三到五句话：用户是谁、问了什么、得到了什么回答、还有什么没解决。只写对话里说过的事，"
    "不写指令，不加评论。",
    "en": "Summarise the conversation below in three to five sentences: who the user is, what they asked, what they "
    "were told and what is"
    " still open. Only what was said; no instructions, no comments.",
}
_BEFORE: Mapping[Lang, str] = {"zh": "此前：", "en": "Before: "}
_ROLES: Mapping[Lang, tuple[str, str]] = {"zh": ("用户：", "回答："), "en": ("User: ", "Answer: ")}


async def modelled(
    model: ChatModel, before: str, exchanges: Sequence[Exchange], lang: Lang, session: str, seconds: float = SECONDS
) -> str:
    """By the model; by `extracted` where it fails, is late, says nothing or far too much."""
    asked = Message("user", cut(_dialogue(before, exchanges, lang), _READ))
    said = ""
    try:
        async with asyncio.timeout(seconds):
            stream = text_of(model.stream((Message("system", _ORDER[lang]), asked), Ask(session=session)))
            async with aclosing(stream) as deltas:
                async for delta in deltas:
                    said += delta
                    if len(said) > 8 * LONGEST:
                        return extracted(before, exchanges, lang)
    except (ModelError, TimeoutError):
        return extracted(before, exchanges, lang)
    text = " ".join(said.rpartition("</think>")[2].split())
    return cut(text, LONGEST) or extracted(before, exchanges, lang)


def extracted(before: str, exchanges: Sequence[Exchange], lang: Lang) -> str:
    """The questions, each with the first sentence of its answer; the earliest go where it gets too long."""
    user, answer = _ROLES[lang]
    lines = sentences(before) if before else []
    for exchange in exchanges:
        heard = (sentences(exchange.heard) or [""])[0]
        lines.append(f"{user}{cut(_line(exchange.asked), 40)}" + (f" {answer}{cut(heard, 60)}" if heard else ""))
    while len(lines) > 1 and len(cut("\n".join(lines), LONGEST)) < len("\n".join(lines)):
        lines.pop(0)
    return cut("\n".join(lines), LONGEST)


def _dialogue(before: str, exchanges: Sequence[Exchange], lang: Lang) -> str:
    user, answer = _ROLES[lang]
    lines = [f"{_BEFORE[lang]}{before}"] if before else []
    for exchange in exchanges:
        lines.append(f"{user}{_line(exchange.asked)}")
        lines += [f"{answer}{_line(exchange.heard)}"] if exchange.heard else []
    return "\n".join(lines)


def _line(text: str) -> str:
    """A line break in a user's words opens no line of the presenter's."""
    return " ".join(text.split())
