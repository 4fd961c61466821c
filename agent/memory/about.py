"""Questions that users ask about themselves, answered word for word from what they told."""

import re
from collections.abc import Mapping, Sequence

from agent.memory.records import Fact
from agent.memory.relevance import Ranked
from agent.memory.requests import LINES
from agent.memory.telling import second_person
from agent.memory.topics import ONLY, asked
from configs.language import Lang
from knowledge.lexical import question_terms

_SPEAKER: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile("[我俺咱]"),
    "en": re.compile(r"\b(?:i|my|me|mine|we|our|us)\b", re.IGNORECASE),
}
_ASKS: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile("[?？]$|[吗呢]$|什么|[谁哪几]|多少|多大|怎么|啥"),
    "en": re.compile(
        r"\?$|^(?:what|where|when|who|whose|which|how|do|did|does|am|is|are|was|have|has|can|could|remind|tell)\b",
        re.IGNORECASE,
    ),
}
_MEMORY: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        "[你您](?:还|是否|应该|一定)*(?:记得|知道|记不记得|知不知道|记住)|我(?:之前|以前|刚才|上次)?(?:告诉|跟你说"
        "|和你说|说过)"
    ),
    "en": re.compile(
        r"\b(?:do|did|can|could) you (?:still |happen to )*(?:remember|know|recall)\b|\bi (?:told|said)\b|\bdid i "
        r"(?:tell|say)\b"
        r"|\b(?:tell|remind) me (?:of |about )?(?:again )?(?:my\b|(?:what|where|who|when|how \w+) (?:i|my)\b)",
        re.IGNORECASE,
    ),
}
"""Asked of the memory itself: "do you remember …"."""
_HOUSE: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        "可以|能(?!力)|[买付票]|收费|免费|预约|带.*进|需要|应该|必须|想|怎么(?:去|到|走|进|办|订)|要(?:带|交|怎)|得"
    ),
    "en": re.compile(
        r"\b(?:can|could|should|may|must|need|have to|allowed|supposed to|want|pay|costs?|buy|bring|book|tickets?|entry"
        r"|free)\b"
        r"|\b(?:how|where) do (?:i|we) (?:get to|find|reach|park|enter|go)\b",
        re.IGNORECASE,
    ),
}
"""What one may do, or wants to: asked of the house, not of the memory, unless a fact says all of it."""
_PLAINLY, _REMEMBERED, _HOUSED = 0.6, 0.5, 0.8
"""The share of the question's words that a fact must have, by whom it is asked of."""
_ALIKE, _MOST, _LISTED = 0.08, 3, 12


def asks(text: str, lang: Lang) -> bool:
    """May it be a question about the user? Cheap: every question is asked so."""
    return bool(_SPEAKER[lang].search(text) and _ASKS[lang].search(text.strip()))


def answer(question: str, lang: Lang, facts: Sequence[Ranked]) -> str | None:
    """What the user told that answers it; None where the question is not about them, or they did not tell.

    `facts`: as ranked for the question. Asked of the memory, a thing that was not told is said to be so.
    """
    if not asks(question, lang):
        return None
    memory = _MEMORY[lang].search(question)
    if not memory and _HOUSE[lang].search(question):
        several = len(question_terms(question)) > 1
        fit = [one for one in facts if one.words >= _HOUSED and several]
    else:
        fit = [one for one in facts if one.subject or one.words >= (_REMEMBERED if memory else _PLAINLY)]
        fit = [one for one in fit if one.subject] or fit
    if fit:
        return recital([(one.fact.text, one.fact.lang) for one in _best(fit)], lang)
    return LINES["unknown"][lang] if memory and asked(question, lang).about & ONLY else None


def listed(statements: Sequence[tuple[str, Lang]], lang: Lang) -> str:
    """The latest facts, told back; few enough to listen to."""
    return recital(statements[:_LISTED], lang) if statements else LINES["nothing"][lang]


def meant(facts: Sequence[Ranked]) -> list[Fact]:
    """The facts to forget, where they are ranked for what the user named."""
    fit = [one for one in facts if one.subject or one.words >= _PLAINLY]
    return [one.fact for one in ([one for one in fit if one.subject] or fit)]


def recital(statements: Sequence[tuple[str, Lang]], lang: Lang) -> str:
    """Statements as told back to the user; those of the other language are quoted."""
    own = [second_person(text, lang) for text, theirs in statements if theirs == lang]
    others = [f"“{text}”" for text, theirs in statements if theirs != lang]
    if lang == "zh":
        parts = ["，".join(["您告诉过我", *own])] if own else []
        return "；".join(parts + [f"您告诉过我：{'、'.join(others)}"] if others else parts) + "。"
    told = " and ".join(f"that {statement}" for statement in own)
    sentences = [f"You told me {told}."] if own else []
    return " ".join(sentences + [f"You told me: {', '.join(others)}."] if others else sentences)


def _best(fit: Sequence[Ranked]) -> list[Ranked]:
    """The best, and those that are as good, where it is nothing that one has only one of."""
    best = fit[0]
    if best.fact.key.rpartition(": ")[2] in ONLY:
        return [best]
    return [one for one in fit if one.score >= best.score - _ALIKE][:_MOST]
