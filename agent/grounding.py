"""Whether the documents answer a question, and whether what the model says is what they say."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.asked import Asked
from agent.claims import Claims
from agent.evidence import Evidence, candidates, gather, leaves_of
from agent.support import SCALES, support
from configs.language import Lang
from knowledge.documents import Retrieval
from knowledge.sentences import sentences

__all__ = ["Checker", "Evidence", "Grounding", "Supported", "Unsupported"]

ENOUGH = 0.4
"""Support from which a question is answered, where the base has no threshold of its own."""

MARGIN = 0.8
"""Log odds above it from which the documents surely answer: there a quotation stands in for an answer that they do not
bear out. Below, what the model could not draw from them is taken not to be there."""


@dataclass(frozen=True, slots=True)
class Supported:
    """`sure`: whatever the model makes of it, the evidence may be quoted."""

    evidence: Evidence
    support: float
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The documents do not say. `evidence`: none yet."""

    support: float
    evidence: Evidence


class Grounding:
    """`enough`: the support from which a question is answered; more refuses more."""

    def __init__(self, enough: float = ENOUGH) -> None:
        self._enough = enough

    def judge(self, question: str, lang: Lang, retrieval: Retrieval) -> Supported | Unsupported:
        """Decide before the model is asked; pure, and two or three milliseconds of CPU."""
        asked = Asked.of(question, lang, retrieval.weights)
        leaves = leaves_of(asked, retrieval)
        ranked = candidates(asked, leaves)
        if not ranked:
            return Unsupported(0.0, Evidence.nothing(asked))
        found, enough = (
            support(asked, leaves, ranked[0], SCALES.get(retrieval.embedder)),
            self._enough if retrieval.enough is None else retrieval.enough,
        )
        if found < enough:
            return Unsupported(found, Evidence.nothing(asked))
        evidence = gather(asked, leaves, ranked)
        return Supported(evidence, found, evidence.spoken_of and found >= _surely(enough))


def _surely(enough: float) -> float:
    """A threshold raised by the margin."""
    odds = enough / max(1 - enough, 1e-9) * math.exp(MARGIN)
    return odds / (1 + odds)


class Checker:
    """`feed` the model's answer piece by piece, take out what may be said; `finish` at its end.

    A piece that the evidence does not bear out ends the model's answer: the evidence is quoted instead, unless
    what was said before it already answers the question. With a `refusal`, that is said instead of a quotation.
    Without any evidence nothing is said until there is some.
    """

    def __init__(self, evidence: Evidence, question: str, lang: Lang, refusal: str | None = None) -> None:
        self._evidence, self._lang, self._refusal = evidence, lang, refusal
        self._claims = Claims(evidence)
        self._held = ""
        self._said = ""
        self._closed = False
        self._refused = False
        self._origin: int | None = None

    @property
    def refused(self) -> bool:
        """The documents were found not to say."""
        return self._refused

    @property
    def origin(self) -> int | None:
        """The citation that bears out what was taken out last."""
        return self._origin

    @property
    def closed(self) -> bool:
        """The evidence has been quoted, or the question refused: nothing more of the model's will be said."""
        return self._closed

    def learn(self, texts: Sequence[str]) -> None:
        """What tools gave bears out an answer, too."""
        learnt = tuple(sentence for text in texts for sentence in sentences(text))
        if learnt:
            self._evidence = replace(self._evidence, learnt=self._evidence.learnt + learnt)
            self._claims = Claims(self._evidence)

    def feed(self, piece: str) -> str | None:
        if self._closed or not (self._evidence.sentences or self._evidence.learnt):
            return None
        text = self._held + _bare(piece, first=not (self._said or self._held))
        self._held = ""
        match self._claims.verdict(text):
            case "borne out" if self._claims.repeats(text, self._said):
                return None
            case "borne out":
                self._said += text
                self._origin = self._claims.origin(text)
                return text
            case "nothing yet":
                self._held = "" if text.rstrip().endswith(("?", "？")) else text
                return None
            case "unfounded":
                return self._quote()

    def finish(self) -> str | None:
        """A quotation or the refusal, where nothing that answers was said."""
        return None if self._closed else self._quote()

    def _quote(self) -> str | None:
        self._closed = True
        if self._claims.answers(self._said) or (self._said and not self._evidence.quotation):
            return None
        if self._refusal is not None and not self._said:
            self._refused, self._origin = True, None
            return self._refusal
        self._origin = 0
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
