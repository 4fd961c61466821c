"""Which of a user's facts a question is about: by subject, by words, by vectors where there are any, and by age."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.asked import Asked
from agent.memory import topics
from agent.memory.records import Fact
from agent.wording import Wording
from configs.language import Lang
from knowledge.lexical import question_terms

_SUBJECT = 0.6
"""Of a fact of the subject that is asked for, before its words count."""
_UNNAMED = 0.9
"""Of the words, where the kind of thing that is asked for is left out: "which instrument do I play"."""
_ANOTHER = 0.4
"""Of the words of a fact about somebody of the user's, where the user's own name, age … is asked for."""
_FEW = 5
"""Facts, with vectors, fewer than which do not tell what is near."""
_RECENT = 0.05
_MONTH = 30 * 86400.0
_LEAST = 0.25
_KIND: Mapping[Lang, re.Pattern[str]] = {
    "zh": re.compile(
        r"(?:什么|哪[一]?[个门只些所位座条种样家款支本]?)([\u3400-\u9fff]{1,4}(?=[?？]?$)|[\u3400-\u9fff]{2})"
    ),
    "en": re.compile(
        r"\b(?:what|which)(?: kind of| sort of| type of)? ((?:\w+ )?\w+)"
        r" (?=(?:do|did|am|are|is|was|have|can|can't|does|don't|will)\b)",
        re.IGNORECASE,
    ),
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """`words`: the share of the question's words that the fact has; `subject`: it is of the subject that is asked for;
    `score`: of both, of vectors and of the fact's age, comparable within one question."""

    fact: Fact
    words: float
    subject: bool
    score: float


def ranked(
    question: str, lang: Lang, facts: Sequence[Fact], now: float, vector: NDArray[np.float32] | None = None
) -> list[Ranked]:
    """The best first. Those of somebody else than the question's are left out, and those that share nothing with it."""
    topic = topics.asked(question, lang)
    wordings, near = _wordings(question, lang), _near(facts, vector)
    found = []
    for fact in facts:
        statement = topics.said(fact.text, fact.lang)
        if topic.whose and not topic.concerns(statement):
            continue
        words = max(share * wording.coverage(fact.text) for share, wording in wordings) if fact.lang == lang else 0.0
        if statement.whose and not topic.whose and topic.about & topics.ONLY:
            words *= _ANOTHER
        subject = topic.answered_by(statement)
        score = max(words, _SUBJECT + (1 - _SUBJECT) * words if subject else 0.0, near.get(fact.id, 0.0))
        if score >= _LEAST:
            found.append(Ranked(fact, words, subject, score + _RECENT / (1 + max(now - fact.said, 0.0) / _MONTH)))
    return sorted(found, key=lambda one: -one.score)


def _wordings(question: str, lang: Lang) -> list[tuple[float, Wording]]:
    """The question's words; and, for less, those without the kind of thing that is asked for, if any are left."""
    found = [(1.0, Asked.of(question, lang, {}).wording)]
    if match := _KIND[lang].search(question):
        rest = question[: match.start(1)] + question[match.end(1) :]
        if not question_terms(rest) & {"我", "i", "my", "do", "am"}:
            found.append((_UNNAMED, Asked.of(rest, lang, {}).wording))
    return found


def _near(facts: Sequence[Fact], vector: NDArray[np.float32] | None) -> Mapping[str, float]:
    """How far the cosine of each fact stands out among those of all, 0 to 0.6: embedders differ in where theirs lie."""
    alike = [fact for fact in facts if vector is not None and len(fact.vector) == vector.nbytes]
    if vector is None or len(alike) < _FEW:
        return {}
    cosines = np.stack([np.frombuffer(fact.vector, np.float32) for fact in alike]) @ vector
    out = (cosines - cosines.mean()) / max(float(cosines.std()), 1e-3)
    return {fact.id: float(np.clip((stands - 1) / 3, 0.0, 0.6)) for fact, stands in zip(alike, out, strict=True)}
