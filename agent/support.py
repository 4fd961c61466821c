"""How far the passages found support an answer: measures of the best of them, weighed into one number from 0 to 1."""

import math
from collections.abc import Mapping, Sequence

from agent.asked import Asked
from agent.evidence import Candidate, Leaf
from agent.facts import names, spellings
from agent.wording import fold

WITH_VECTORS: Mapping[str, float] = {
    "one": -4.42,
    "chinese": -1.57,
    "passage": -0.25,
    "window": 3.21,
    "terms": 2.06,
    "lexical": -2.57,
    "alike": 2.75,
    "lead": 0.38,
    "figures": -1.50,
    "wanted": 0.0,
    "told": 0.0,
    "names": -0.31,
    "near": -0.71,
    "near in Chinese": 0.45,
    "nearest": 1.84,
    "gap": 0.67,
    "apart": 0.15,
}
BY_WORDS: Mapping[str, float] = {
    "one": -4.98,
    "chinese": 0.25,
    "passage": 1.06,
    "window": 2.06,
    "terms": 0.32,
    "lexical": 1.58,
    "alike": 3.87,
    "lead": 0.65,
    "figures": -1.78,
    "wanted": 0.0,
    "told": 0.0,
    "names": -0.61,
}

LEVEL, SPREAD = 0.85, 0.03
"""Similarities of the packaged embedder lie about here; another's end at the bounds, and its words decide."""

AGE = 0.8
"""What the log odds gain where the best sentences are about the age that the question tells, and lose where not."""


def support(asked: Asked, leaves: Sequence[Leaf], best: Candidate) -> float:
    """The chance that the question is answered there, as likely as not to be asked of the documents."""
    found = measures(asked, leaves, best)
    weights = WITH_VECTORS if "near" in found else BY_WORDS
    odds = sum(weight * found[name] for name, weight in weights.items())
    odds += AGE * asked.suits(leaves[best.rank].text(best.first, best.last))
    return 1 / (1 + math.exp(-odds))


def measures(asked: Asked, leaves: Sequence[Leaf], best: Candidate) -> dict[str, float]:
    """Of the passage of the best candidate, by name; those of vectors only where every passage has one.

    `window` and `passage`: the share of the question's words that the best sentences, and all of them, speak of,
    with their headings; `terms` and `lexical`: the share of its terms, and of the BM25 that the question itself would
    reach; `alike`: the share of its words that are there nearly or in one run; `lead`: of the fused score, over the
    next passage; `wanted`: how far the noun asked for is there; `told`: whether a time or year of the question is, and
    `figures` and `names`, how many are not.
    """
    leaf = leaves[best.rank]
    others = [other.hit for other in leaves if other is not leaf]
    text = f"{leaf.hit.passage.title} {leaf.hit.passage.text}"
    passage = asked.wording.share(leaf.heading, *leaf.credits)
    found = {
        "one": 1.0,
        "chinese": float(asked.lang == "zh"),
        "passage": passage,
        "window": best.covered * passage,
        "terms": leaf.hit.coverage,
        "lexical": leaf.hit.lexical / max(2.2 * asked.weight, 1e-9),
        "alike": asked.wording.resemblance(text),
        "lead": _within(leaf.hit.score - max((hit.score for hit in others), default=leaf.hit.score), -2, 3),
        "wanted": asked.wording.wanted(leaf.heading, *leaf.credits),
        "told": float(any(figure & spellings(fold(text)) for figure in asked.told)),
        "figures": float(sum(not figure & spellings(fold(text)) for figure in asked.told)),
        "wanted": 0.0,
        "told": 0.0,
        "names": float(sum(name not in fold(text) for name in names(asked.question))),
    }
    return found | _similarities(leaf, [other for other in leaves if other is not leaf], asked)


def _similarities(leaf: Leaf, others: Sequence[Leaf], asked: Asked) -> dict[str, float]:
    """`near`: of the passage; `nearest`: of all; `gap`: over the next one; `apart`: over what is usual among them."""
    near, rest = leaf.hit.dense, [other.hit.dense for other in others]
    known = [value for value in rest if value is not None]
    if near is None or len(known) < len(rest):
        return {}
    top = max([near, *known])
    usual = [value for one in (leaf, *others) for value in one.hit.sentences] or [near, *known]
    level = (near - LEVEL) / SPREAD
    return {
        "near": _within(level, -3, 2),
        "near in Chinese": _within(level, -3, 2) * (asked.lang == "zh"),
        "nearest": _within((top - LEVEL) / SPREAD, -3, 2),
        "gap": _within((near - max(known, default=near)) / SPREAD, -1, 2),
        "apart": _within((top - sum(usual) / len(usual)) / SPREAD, 0, 4),
    }


def _within(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))
