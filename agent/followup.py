"""Questions that lean on the one before: told apart from those that stand alone, and worded so that they stand too."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import aclosing

from agent.model import ChatModel, Message, ModelError, text_of
from agent.topic import Manner, manner
from configs.language import Lang, detect
from knowledge.courtesy import core
from knowledge.lexical import question_terms, terms

EXCHANGES = 4
"""Exchanges looked back on: what a follow-up of a follow-up is about stands further up."""

LONGEST = 80
"""Characters of a question that may lean on another; who asks at such length says what about."""

SPECIFIC = 4
"""Terms from which what follows "what about" or goes with "they" says itself what it is about."""

_CLAUSE = re.compile(r"[，,；;：:]|\b(?:and|if|when|while|because|before|after|where|who|which)\b", re.IGNORECASE)
_OWNED = ("its", "their", "theirs", "his", "her", "hers")
_HAN = re.compile(r"[\u3400-\u9fff]")
_ORDER: dict[Lang, str] = {
    "zh": "把对话里最后一个问题改写成不看对话也能懂的一个问题。只用对话里出现过的词，不回答，只输出改写后的问题。",
    "en": "Reword the last question of the dialogue so that it can be understood without the dialogue. "
    "Use only words of the dialogue, do not answer, print the reworded question and nothing else.",
}


def rewrite(question: str, history: Sequence[Message]) -> tuple[str, ...]:
    """Wordings to search for besides the question itself, the best first; none where the question stands alone."""
    before, heard, question = "", "", core(question)
    for asked, answer in _exchanges(history[-2 * EXCHANGES :]):
        whole = _whole(asked, before, heard)
        if whole or not before or manner(detect(asked) or "en").topic(asked):
            before, heard = whole or asked, answer
    wording = _whole(question, before, heard)
    return (wording,) if wording else ()


def standing(question: str, wordings: Sequence[str]) -> str:
    """The wording that says by itself what is asked: by it a question is judged and its evidence chosen."""
    return wordings[0] if wordings else question


async def model_rewrite(
    model: ChatModel, question: str, history: Sequence[Message], seconds: float = 1.5
) -> tuple[str, ...]:
    """As `rewrite`, the first worded by a language model; by the rules alone where it is late, fails or strays."""
    ruled = rewrite(question, history)
    if not ruled:
        return ()
    dialogue = [message.text for message in history[-2 * EXCHANGES :]] + [question]
    order = Message("system", _ORDER[detect(question) or detect(ruled[0]) or "en"])
    said = ""
    try:
        async with asyncio.timeout(seconds):
            async with aclosing(text_of(model.stream((order, Message("user", "\n".join(dialogue)))))) as deltas:
                async for delta in deltas:
                    said += delta
                    if len(said) > 2 * LONGEST:
                        return ruled
    except (ModelError, TimeoutError):
        return ruled
    wording = " ".join(said.split())
    return (wording, *ruled) if _faithful(wording, question, ruled[0], dialogue) else ruled


def _faithful(wording: str, question: str, ruled: str, dialogue: Sequence[str]) -> bool:
    """Does a model's wording ask what was asked, about what it was asked about, in the words of the dialogue?"""
    given, own, whole = (_words(question_terms(text)) for text in (wording, question, ruled))
    repeats = any(wording.strip("?？。.") in text for text in (*dialogue, ruled))
    asks = 2 * len(given & own) >= len(own & whole) and bool(given & (whole - own))
    return bool(wording) and not repeats and asks and given <= _words(terms(" ".join(dialogue)))


def _words(found: Sequence[str] | set[str]) -> set[str]:
    """Terms without the pairs of Chinese characters, which any new order of words makes."""
    return {term for term in found if len(term) == 1 or not _HAN.match(term)}


def _exchanges(history: Sequence[Message]) -> Iterator[tuple[str, str]]:
    """Questions with what was heard of their answers."""
    asked = None
    for message in history:
        if message.role == "user":
            if asked is not None:
                yield asked, ""
            asked = core(message.text)
        elif message.role == "assistant" and asked is not None:
            yield asked, message.text
            asked = None
    if asked is not None:
        yield asked, ""


def _whole(question: str, before: str, heard: str) -> str | None:
    """The question worded to stand alone; None where it does already or `before` is about nothing."""
    if len(question) > LONGEST or not any(char.isalnum() for char in before):
        return None
    ways = manner(detect(question) or detect(before) or "en")
    theirs = manner(detect(before) or ways.lang)
    bare = ways.bare(question)
    if fragment := _fragment(bare, question, ways):
        return ways.placed(fragment, before) or _joined(theirs.bare(before), fragment, ways)
    topic = theirs.topic(before)
    if not topic:
        return None
    if match := _leaning(ways.person, bare, ways):
        return bare[: match.start()] + (_name(heard, ways) or topic) + bare[match.end() :]
    if match := _leaning(ways.pronoun, bare, ways):
        return bare[: match.start()] + topic + bare[match.end() :]
    return _joined(topic, bare, ways) if ways.lacking(bare) else None


def _fragment(bare: str, question: str, ways: Manner) -> str | None:
    """The part in which a question differs from the one before, where it says no more: "and on Mondays?"."""
    match = ways.fragment.search(question.strip(" ?？。.!！")) or ways.fragment.search(bare)
    if match is None:
        return None
    fragment = next(group for group in match.groups() if group)
    specific = ways.lang == "en" and len(question_terms(fragment)) >= SPECIFIC
    return None if specific or ways.pronoun.search(fragment) else fragment.strip()


def _leaning(pattern: re.Pattern[str], bare: str, ways: Manner) -> re.Match[str] | None:
    """The first pronoun that stands for nothing in the question itself."""
    apart = [match.span() for match in ways.alone.finditer(bare)]
    for match in pattern.finditer(bare):
        if any(start < match.end() and match.start() < end for start, end in apart):
            continue
        clauses = [clause.end() for clause in _CLAUSE.finditer(bare, 0, match.start())]
        if clauses and not ways.weightless(bare[: clauses[-1]]):
            continue
        if match[0].casefold() in _OWNED and not ways.weightless(bare[: match.start()]):
            continue
        if match[0].casefold() in ("they", "them", "their") and len(question_terms(bare)) >= SPECIFIC - 1:
            continue
        return match
    return None


def _name(heard: str, ways: Manner) -> str | None:
    match = ways.name.search(heard)
    return match[0] if match else None


def _joined(topic: str, rest: str, ways: Manner) -> str:
    return f"{topic} {rest}" if ways.lang == "en" or not _HAN.search(topic) else f"{topic}，{rest}"
