"""The prompt: what never changes comes first, so that a prefix cache serves it; the question comes last."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent import briefing
from agent.material import Mandate, Material
from agent.model import Message, Part
from agent.tokens import cut, estimate
from avatar.markup import stripped
from configs.language import Lang

__all__ = ["Asked", "Mandate", "Material", "compose", "opening", "read"]

RECALLED = 2
"""Messages of the conversation so far that are sent along: one exchange, so that "and on Mondays?" makes sense."""

RECALLED_CHARACTERS = 160
"""Of each recalled message; the small model's prefill costs about 6 ms a token on two cores."""

_SYSTEM: dict[Lang, str] = {
    "zh": "你是{name}，{role}。请根据资料回答问题。用一个完整的句子，说清楚是什么。",
    "en": "You are {name}, {role}. Answer the question from the text. "
    "Give only the answer, in one sentence, in the text's own words.",
}
_PASSAGES: dict[Lang, str] = {"zh": "资料：", "en": "Text:"}
_QUESTION: dict[Lang, str] = {"zh": "问题：", "en": "Question: "}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a composed prompt asks: the inverse of `compose` for whoever plays the model."""

    lang: Lang
    text: str
    question: str


def opening(mandate: Mandate, lang: Lang) -> Message:
    """The first message of every prompt in `lang`: what `ChatModel.warm` is given."""
    if mandate.settings.size == "full":
        return briefing.opening(mandate, lang)
    persona = mandate.persona
    return Message("system", _SYSTEM[lang].format(name=persona.name[lang], role=persona.role[lang]))


def compose(mandate: Mandate, material: Material) -> tuple[Message, ...]:
    """One answer's prompt, of at most `PromptSettings.tokens` as they are estimated."""
    if mandate.settings.size == "full":
        return briefing.compose(mandate, material)
    head, lang = opening(mandate, material.lang), material.lang
    recalled = tuple(
        Message(said.role, _plain(said.text)[:RECALLED_CHARACTERS]) for said in material.history[-RECALLED:]
    )
    before = f"{_PASSAGES[lang]}\n{_plain(material.text)}\n\n{_QUESTION[lang]}"
    taken = sum(estimate(message.text) + briefing.MESSAGE for message in (head, *recalled)) + estimate(before)
    question = cut(_plain(material.question), max(mandate.settings.tokens - taken - briefing.MESSAGE, briefing.LEAST))
    return head, *recalled, Message("user", before + question)


def read(messages: Sequence[Part]) -> Asked | None:
    """The evidence and the question of a prompt that `compose` made; None for any other."""
    if (full := briefing.read(messages)) is not None:
        return Asked(*full)
    last = messages[-1] if messages else None
    if not isinstance(last, Message):
        return None
    for lang in _PASSAGES:
        head, mark = f"{_PASSAGES[lang]}\n", f"\n\n{_QUESTION[lang]}"
        if last.text.startswith(head) and mark in last.text:
            text, question = last.text[len(head) :].rsplit(mark, 1)
            return Asked(lang, text, question)
    return None


def _plain(text: str) -> str:
    """Text that opens neither a control token of a chat template, such as `<|im_end|>`, nor a cue, nor breaks UTF-8."""
    return stripped(text).replace("<|", "< |").encode("utf-8", "replace").decode("utf-8")
