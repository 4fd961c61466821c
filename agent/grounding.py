"""Whether the documents answer a question, and whether what the model says is what they say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.asked import Asked
from agent.claims import Claims
from agent.evidence import Candidate, Evidence, Leaf, candidates, gather, leaves_of
from configs.language import Lang
from knowledge.documents import Retrieval

__all__ = ["Checker", "Evidence", "Grounding", "Supported", "Unsupported"]

ENOUGH = 0.64
"""Support from which a question is answered. Of 156 visitors' questions on the sample documents (tests/data) it keeps
103 of the 105 that can be answered and lets 5 of the 51 others through. On XQuAD, whose unanswerable questions were
made by hiding the right paragraph among its siblings, it keeps 84 % in English and 90 % in Chinese and lets 15 % and
21 % through, where a threshold on similarity that keeps as many lets through more than half."""

WINDOW_SHARE, PASSAGE_SHARE, LEAD_SHARE = 0.4, 0.6, 0.07
"""How coverage by the best sentences, coverage by their passage, and the passage's lead over the next one make up
support: a logistic fit on half of XQuAD's articles and our questions, rounded."""

AGE_SHARE = 0.1
"""What support gains where the best sentences are about the age that the question tells, and loses where not."""

LEAD = 2.0
"""A lead of more standard deviations says nothing more."""


@dataclass(frozen=True, slots=True)
class Supported:
    evidence: Evidence
    support: float


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The documents do not say."""

    support: float


class Grounding:
    """`enough`: the support from which a question is answered; more refuses more."""

    def __init__(self, enough: float = ENOUGH) -> None:
        self._enough = enough

    def judge(self, question: str, lang: Lang, retrieval: Retrieval) -> Supported | Unsupported:
        """Decide before the model is asked; pure, and about a millisecond of CPU."""
        asked = Asked.of(question, lang, retrieval.weights)
        leaves = leaves_of(asked, retrieval)
        ranked = candidates(asked, leaves)
        if not ranked:
            return Unsupported(0.0)
        support = _support(asked, leaves, ranked[0])
        if support < self._enough:
            return Unsupported(support)
        return Supported(gather(asked, leaves, ranked), support)


def _support(asked: Asked, leaves: Sequence[Leaf], best: Candidate) -> float:
    leaf = leaves[best.rank]
    passage = asked.wording.share(leaf.heading, *leaf.credits)
    others = [other.hit.score for other in leaves if other is not leaf]
    lead = leaf.hit.score - max(others) if others else 0.0
    suits = AGE_SHARE * asked.suits(leaf.text(best.first, best.last))
    return WINDOW_SHARE * best.covered + PASSAGE_SHARE * passage + LEAD_SHARE * max(-LEAD, min(lead, LEAD)) + suits


class Checker:
    """`feed` the model's answer piece by piece, take out what may be said; `finish` at its end.

    A piece that the evidence does not bear out ends the model's answer: the evidence is quoted instead, unless
    what was said before it already answers the question.
    """

    def __init__(self, evidence: Evidence, question: str, lang: Lang) -> None:
        self._evidence, self._lang = evidence, lang
        self._claims = Claims(evidence)
        self._held = ""
        self._said = ""
        self._closed = False

    @property
    def closed(self) -> bool:
        """The evidence has been quoted: nothing more of the model's will be said."""
        return self._closed

    def feed(self, piece: str) -> str | None:
        if self._closed:
            return None
        text = self._held + _bare(piece, first=not (self._said or self._held))
        self._held = ""
        match self._claims.verdict(text):
            case "borne out" if self._claims.repeats(text, self._said):
                return None
            case "borne out":
                self._said += text
                return text
            case "nothing yet":
                self._held = "" if text.rstrip().endswith(("?", "？")) else text
                return None
            case "unfounded":
                return self._quote()

    def finish(self) -> str | None:
        """A quotation where nothing that answers was said."""
        return None if self._closed else self._quote()

    def _quote(self) -> str | None:
        self._closed = True
        if self._claims.answers(self._said):
            return None
        return self._joint() + self._evidence.quotation

    def _joint(self) -> str:
        """What belongs between what was said and a new sentence."""
        if not self._said:
            return ""
        stop = "" if self._said.rstrip()[-1:] in "。！？.!?" else {"zh": "。", "en": "."}[self._lang]
        return stop + (" " if self._lang == "en" else "")


_PREAMBLE = re.compile(
    r"^\s*(?:[-*•#>]+\s*|\d{1,2}[.、)]\s+)?"
    r"(?:(?:根据|依据|按照|基于)[^，,。：:]{0,12}(?:资料|文档|信息|内容|文本|描述)[^，,。：:]{0,6}[，,：:]\s*"
    r"|(?:答案|回答|答)(?:是|为)?[：:]\s*"
    r"|(?:according to|based on) the (?:text|passage|document|information|context)[^,:]{0,20}[,:]\s*"
    r"|(?:the )?answer(?: is)?:\s*)?"
    r"(?:(?:是的?|对的?|不是的?|可以的?|能|不能|不可以|有|没有|yes|no)\s*[，,。.！!；;]+\s*)?",
    re.IGNORECASE,
)


def _bare(piece: str, first: bool) -> str:
    """Without list marks, "according to the text" and a bare yes or no, which a small model gets wrong."""
    if not first:
        return piece
    return _PREAMBLE.sub("", piece, count=1)
