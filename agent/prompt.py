"""The prompt: what never changes comes first, so that a prefix cache serves it; the question comes last."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.model import Message
from agent.persona import Persona
from configs.language import Lang

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


def system(lang: Lang, persona: Persona) -> Message:
    """The first message of every prompt in `lang`: what `ChatModel.warm` is given."""
    return Message("system", _SYSTEM[lang].format(name=persona.name[lang], role=persona.role[lang]))


def compose(
    question: str, lang: Lang, text: str, persona: Persona, history: Sequence[Message] = ()
) -> tuple[Message, ...]:
    """One answer's prompt. `text`: the evidence, already cut to size. `history`: user and assistant by turns."""
    recalled = tuple(Message(said.role, _plain(said.text)[:RECALLED_CHARACTERS]) for said in history[-RECALLED:])
    asked = Message("user", f"{_PASSAGES[lang]}\n{_plain(text)}\n\n{_QUESTION[lang]}{_plain(question)}")
    return (system(lang, persona), *recalled, asked)


def read(messages: Sequence[Message]) -> Asked | None:
    """The evidence and the question of a prompt that `compose` made; None for any other."""
    last = messages[-1].text if messages else ""
    for lang in _PASSAGES:
        head, mark = f"{_PASSAGES[lang]}\n", f"\n\n{_QUESTION[lang]}"
        if last.startswith(head) and mark in last:
            text, question = last[len(head) :].rsplit(mark, 1)
            return Asked(lang, text, question)
    return None


def _plain(text: str) -> str:
    """Text that neither opens a chat template's control token, such as `<|im_end|>`, nor breaks UTF-8."""
    return text.replace("<|", "< |").encode("utf-8", "replace").decode("utf-8")
