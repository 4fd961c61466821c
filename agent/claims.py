"""Whether a piece of an answer is borne out by the evidence: its figures, names, words, and what they are about."""

import re
from collections.abc import Iterator
from typing import Literal

from agent.evidence import DANGLING, Evidence
from agent.facts import Figure, figures, names, spellings, without_figures
from agent.wording import fold
from configs.characters import simplified
from knowledge.lexical import question_terms, terms

Verdict = Literal["borne out", "nothing yet", "unfounded"]

WORDS = 0.6
"""Share of a piece's words that the evidence or the question must have: paraphrase is welcome, invention is not."""

NEW_WORDS = 0.5
"""Share of its words that are not the question's which the evidence must have."""

ABOUT = 0.6
"""A claim must come from a sentence that speaks of this share of what the best sentence speaks of."""

TOGETHER = 0.6
"""Share of a claim's new words that must stand together in one sentence of the evidence, where there are three."""

CLAUSE = 0.6
"""The same for the clause a figure stands in: the price must be the one that was asked for."""

LEARNT = 2.0
"""What a sentence that a tool gave is taken to speak of: the tool was asked for it. A figure of its bears out nothing
of what only the documents speak of."""

_REFUSAL = re.compile(
    "没有(?:提到|提及|说明|相关|给出|明确)|未(?:提到|提及|说明|给出|明确)|无法(?:确定|回答|提供)|不(?:知道|清楚|确定)"
    r"|\b(?:not (?:mention|specif|provid|stat|say|given|clear)|no (?:information|mention)|cannot answer|unknown)",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"不(?![足同过仅])|没|无(?![线障人])|未(?!成年|来)|禁|勿|除外|\b(?:not|no|never|nobody|none|cannot|without|forbidden|nor)\b|n't",
    re.IGNORECASE,
)
_FIGURE = 4
"""Words that a figure counts for when the source of a claim is looked for."""

_RESTATING = "时间价格费用地点址位置名称字电话年龄数量面积长高度重语言日期于共可以需要每大约分别为"
"""Characters with which an answer takes up the question in its own words."""

_CLAUSES = re.compile(r"[，；;]\s*|,(?!\d)\s*|\s+(?:and|but|while|whereas)\s+")
_ROW = re.compile(r"[：:][^：:；;]+[；;][^：:；;]+[：:]")
_UNIT = re.compile(r"\d[\d.,:]*\s*([\u3400-\u9fff%]|[a-z]+)?")
_YES_OR_NO = re.compile(
    r"^\s*(?:是|不是|对|不对|可以|不可以|能|不能|会|不会|有|没有|需要|不需要|yes|no|not|cannot|can't)的?(?=\W|$)|\b(?:cannot|not)\b",
    re.IGNORECASE,
)


class Claims:
    def __init__(self, evidence: Evidence) -> None:
        self._asked = evidence.asked
        self._sentences = list(_sentences(evidence))
        self._origins = evidence.origins + (None,) * len(evidence.learnt)
        self._quoted = _Sentence(evidence.quotation, 1.0)
        self._best = max((sentence.covered for sentence in self._sentences), default=0.0)
        self._sentences += [_Sentence(text, LEARNT) for text in evidence.learnt]
        text = "\n".join((evidence.text, *evidence.learnt))
        self._figures = spellings(text)
        self._folded = fold(f"{text} {evidence.asked.question}")
        self._question = set(terms(evidence.asked.question)) | set(_RESTATING)
        self._asked_figures = spellings(evidence.asked.question)
        self._known = set(terms(text))
        self._learnt = {bare(one) for one in evidence.learnt}

    def verdict(self, text: str) -> Verdict:
        """Of one clause or sentence of the answer; "nothing yet" where it says no more than the question."""
        text = simplified(text)
        claimed = [figure for figure in figures(text) if not figure & self._asked_figures]
        words = _words(_YES_OR_NO.sub("", text))
        new = words - self._question
        if _REFUSAL.search(text):
            return "unfounded"
        if not new and not claimed:
            return "borne out" if bare(text) in self._learnt else "nothing yet"
        if any(not (figure & self._figures) for figure in claimed):
            return "unfounded"
        if any(name not in self._folded for name in names(text)):
            return "unfounded"
        if len(new & self._known) < NEW_WORDS * len(new) or len(words - new | words & self._known) < WORDS * len(words):
            return "unfounded"
        return "borne out" if self._to_the_point(text, new, claimed) else "unfounded"

    def origin(self, text: str) -> int | None:
        """The citation that bears out a piece; None where a tool does."""
        claimed = [figure for figure in figures(text) if not figure & self._asked_figures]
        return self._origins[self._sentences.index(self._source(_words(text) - self._question, claimed))]

    def answers(self, said: str) -> bool:
        """Does what was said have the kind of answer that was asked for?"""
        return bool(said.strip()) and self._asked.answerable(said)

    def repeats(self, text: str, said: str) -> bool:
        return bare(text) in bare(said)

    def _to_the_point(self, text: str, new: set[str], claimed: list[Figure]) -> bool:
        """Do the claims come from where the evidence speaks of the question, and mean the same there?"""
        source = self._source(new, claimed)
        known = new & self._known
        if source.covered == LEARNT:
            return all(one.share(known, []) <= source.share(known, []) for one in self._sentences)
        if source.covered < ABOUT * self._best or (len(known) > 2 and source.share(known, []) < TOGETHER * len(known)):
            return False
        if len(new) > 1 and bool(_NEGATION.search(text)) != bool(_NEGATION.search(source.clause(new))):
            return False
        return all(self._stands_with(figure, source) for figure in claimed)

    def _source(self, new: set[str], claimed: list[Figure]) -> "_Sentence":
        return max(self._sentences, key=lambda sentence: (sentence.share(new, claimed), sentence.covered))

    def _stands_with(self, figure: Figure, source: "_Sentence") -> bool:
        """Is it the figure asked for, rather than a like one of a neighbour's?"""
        if self._quoted.alike(figure, source) and not self._quoted.has(figure):
            return False
        if source.alike(figure, source) < 2:
            return True
        covered = [(self._asked.wording.coverage(clause), clause) for clause in source.clauses]
        most = max(share for share, _ in covered)
        return any(share >= CLAUSE * most and figure & spellings(clause) for share, clause in covered)


class _Sentence:
    """A sentence of the evidence. `covered`: the share of the question that it speaks of."""

    def __init__(self, text: str, covered: float) -> None:
        text, self.covered = simplified(text), covered
        self.clauses = list(_clauses(text))
        self._words = _words(text)
        self._figures = spellings(text)
        self._units = [(spellings(match[0]), match[1]) for match in _UNIT.finditer(fold(text))]

    def share(self, words: set[str], claimed: list[Figure]) -> int:
        return len(self._words & words) + _FIGURE * sum(self.has(figure) for figure in claimed)

    def clause(self, words: set[str]) -> str:
        """The clause that has most of these words."""
        return max(self.clauses, key=lambda clause: len(_words(clause) & words))

    def has(self, figure: Figure) -> bool:
        return bool(figure & self._figures)

    def alike(self, figure: Figure, source: "_Sentence") -> int:
        """Figures here with the unit that this one has in its source."""
        unit = next((unit for spelt, unit in source._units if spelt & figure), None)
        return sum(other == unit for _, other in self._units)


def _sentences(evidence: Evidence) -> Iterator[_Sentence]:
    """One that begins with "it" speaks of what the one before it speaks of."""
    before = 0.0
    for text in evidence.sentences:
        covered = evidence.asked.wording.coverage(text) * (not evidence.asked.dated(text))
        if DANGLING.match(text):
            covered = max(covered, before)
        before = covered
        yield _Sentence(text, covered)


def _clauses(text: str) -> Iterator[str]:
    """A table row is one clause; a clause of figures only belongs to the one before it."""
    if _ROW.search(text):
        yield text
        return
    parts = _CLAUSES.split(text)
    clause = ""
    for part in parts:
        if clause and len(_words(part)) > 1:
            yield clause
            clause = part
        else:
            clause = f"{clause} {part}".strip()
    yield clause


def _words(text: str) -> set[str]:
    """English stems and Chinese characters that say something; no figures."""
    found = question_terms(without_figures(text))
    return {term for term in found if not term[0].isdigit() and (len(term) == 1 or term.isascii())}


def bare(text: str) -> str:
    return "".join(char for char in fold(text) if char.isalnum())
