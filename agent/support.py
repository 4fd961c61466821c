"""How far the passages found support an answer: measures of the best of them, weighed into one number from 0 to 1."""

import math
from collections.abc import Mapping, Sequence

from agent.asked import Asked
from agent.evidence import Candidate, Leaf
from agent.facts import names, spellings
from agent.wording import searchable

# Log odds for each unit of a measure, fitted by `python -m tests.agent.fit_support` on XQuAD (zh and en, each question
# with its paragraph there and hidden) and the visitors' questions on the sample documents.
WITH_VECTORS: Mapping[str, float] = {
    "one": -4.40,
    "chinese": -1.60,
    "passage": -0.26,
    "window": 3.24,
    "terms": 1.98,
    "lexical": -2.52,
    "alike": 2.71,
    "lead": 0.39,
    "figures": -1.52,
    "told": 0.74,
    "names": -0.33,
    "near": -0.70,
    "near in Chinese": 0.45,
    "nearest": 1.83,
    "gap": 0.65,
    "apart": 0.15,
}
BY_WORDS: Mapping[str, float] = {
    "one": -4.98,
    "chinese": 0.24,
    "passage": 1.05,
    "window": 2.08,
    "terms": 0.25,
    "lexical": 1.66,
    "alike": 3.85,
    "lead": 0.66,
    "figures": -1.81,
    "told": 0.61,
    "names": -0.62,
}

Scale = tuple[float, float]
SCALES: Mapping[str, Scale] = {"multilingual-e5-small-q4": (0.85, 0.03)}
"""Where an embedder's similarities lie, and how far they spread. Those of an embedder that is not here are not weighed:
the words alone decide."""

SELF = 2.2
"""BM25 of a term for each unit of its idf, at most."""

AGE = 1.5
"""What the log odds gain where the best sentences are about the age that the question tells, and lose where not."""


def support(asked: Asked, leaves: Sequence[Leaf], best: Candidate, scale: Scale | None) -> float:
    """The chance that the documents answer, where half of all questions have their answer in them.

    Held out by article, of XQuAD's questions it keeps 90 % at a threshold that lets 13 % (zh) and 10 % (en) of those
    through whose paragraph is hidden among its siblings, and 95 % where it lets 23 % and 20 % through; of the visitors'
    questions 96 % with 8 % and 4 %. By words alone 17 % are let through where 90 % are kept.
    """
    found = measures(asked, leaves, best, scale)
    weights = WITH_VECTORS if "near" in found else BY_WORDS
    odds = sum(weight * found[name] for name, weight in weights.items())
    odds += AGE * asked.suits(leaves[best.rank].text(best.first, best.last))
    return 1 / (1 + math.exp(-odds))


def measures(asked: Asked, leaves: Sequence[Leaf], best: Candidate, scale: Scale | None) -> dict[str, float]:
    """Of the passage of the best candidate, by name; those of vectors only where every passage has one, and the scale
    of their similarities is known.

    `window` and `passage`: the share of the question's words that the best sentences, and all of them, speak of,
    with their headings; `terms` and `lexical`: the share of its terms, and of the BM25 that the question itself would
    reach; `alike`: the share of its words that are there nearly or in one run; `lead`: of the fused score, over the
    next passage; `told`: whether a time or year of the question is, and
    `figures` and `names`, how many are not.
    """
    leaf = leaves[best.rank]
    others = [other.hit for other in leaves if other is not leaf]
    text = f"{leaf.hit.passage.title} {leaf.hit.passage.text}"
    folded = searchable(text).folded
    figures = [bool(figure & spellings(folded)) for figure in asked.told]
    passage = asked.wording.share(leaf.heading, *leaf.credits)
    found = {
        "one": 1.0,
        "chinese": float(asked.lang == "zh"),
        "passage": passage,
        "window": best.covered * passage,
        "terms": leaf.hit.coverage,
        "lexical": min(leaf.hit.lexical / (SELF * asked.weight), 1.0) if asked.weight else leaf.hit.coverage,
        "alike": asked.wording.resemblance(text),
        "lead": _within(leaf.hit.score - max((hit.score for hit in others), default=leaf.hit.score), -2, 3),
        "told": float(any(figures)),
        "figures": float(figures.count(False)),
        "names": float(sum(name not in folded for name in names(asked.question))),
    }
    if scale is None:
        return found
    return found | _similarities(leaf, [other for other in leaves if other is not leaf], asked, scale)


def _similarities(leaf: Leaf, others: Sequence[Leaf], asked: Asked, scale: Scale) -> dict[str, float]:
    """`near`: of the passage; `nearest`: of all; `gap`: over the next one; `apart`: over what is usual among them."""
    usually, spread = scale
    near, rest = leaf.hit.dense, [other.hit.dense for other in others]
    known = [value for value in rest if value is not None]
    if near is None or len(known) < len(rest):
        return {}
    top = max([near, *known])
    usual = [value for one in (leaf, *others) for value in one.hit.sentences] or [near, *known]
    level = (near - usually) / spread
    return {
        "near": _within(level, -3, 2),
        "near in Chinese": _within(level, -3, 2) * (asked.lang == "zh"),
        "nearest": _within((top - usually) / spread, -3, 2),
        "gap": _within((near - max(known, default=near)) / spread, -1, 2),
        "apart": _within((top - sum(usual) / len(usual)) / spread, 0, 4),
    }


def _within(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))
