"""The few sentences of the documents that answer a question best: what the model is given, quoted and held to."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from agent.asked import Asked
from agent.events import Citation
from agent.orders import gives_orders
from agent.wording import Credits
from configs.language import Lang
from knowledge.documents import Hit, Passage, Retrieval
from knowledge.sentences import sentence_spans

HITS = 5
"""Passages looked at; of 80 questions on the sample documents one had its answer below the third."""

WINDOW = 3
"""Sentences of one candidate at most: "It opened in 1987." needs the one before it."""

LATER_HIT, LONGER = 0.05, 0.08
"""What a candidate loses for each passage ranked before its own and for each further sentence."""

UNLIKE, BEFORE, LACKS = 0.15, 0.3, 0.6
"""What it loses for not looking like the kind of answer that is asked for, for naming who held a post before, and
for lacking the time or year that the question tells."""

SUITS = 0.2
"""What a candidate gains when it is about the age that the question tells, and loses when only about others."""

ALONE = 0.15
"""Share of a candidate's score that its own words give; the rest they give together with its headings."""

ROOM: dict[Lang, int] = {"zh": 160, "en": 420}
"""Characters given to the model: about 110 tokens, 0.6 s of prefill on two cores; more made its answers worse."""

QUOTED: dict[Lang, int] = {"zh": 120, "en": 320}
"""Characters of a quotation: what can be listened to."""

SPOKEN_OF = 0.4
"""How far a passage must speak of the noun that is asked for: more than one character of two, alone."""

NEARLY = 0.8
"""Share of the candidate's coverage that its quoted part must keep."""

SECOND = 0.08
"""A second passage is given too when its best candidate is this close to the best of all."""

DANGLING = re.compile(r"(?:它|该|其中?|这|他|她|此|There\b|It\b|Its\b|This\b|They\b|These\b|She\b|He\b|That\b)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """`text` is for the prompt; `sentences` are those of `text`; `quotation` answers by itself.

    `citations` have the passages' own words, the quotation's first; `origins` tells which of them each sentence
    stands in; `spoken_of`: whether the quotation's passage speaks of the noun that is asked for; `asked` is the
    question as it was weighed. `learnt`: what tools gave since, sentence by sentence; none of it is cited.
    """

    text: str
    sentences: tuple[str, ...]
    origins: tuple[int, ...]
    quotation: str
    citations: tuple[Citation, ...]
    spoken_of: bool
    asked: Asked
    learnt: tuple[str, ...] = ()

    @classmethod
    def nothing(cls, asked: Asked) -> "Evidence":
        """The documents do not say."""
        return cls("", (), (), "", (), False, asked)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Neighbouring sentences of one passage. `covered`: the share of the question that they speak of."""

    rank: int
    first: int
    last: int
    score: float
    covered: float


@dataclass(frozen=True, slots=True)
class Leaf:
    """One hit, its sentences' spans, and how far each of them and the headings they stand under speak of the question.

    `fits`: which sentences have the kind of answer that is asked for; `orders`: which speak to the model.
    """

    hit: Hit
    spans: tuple[tuple[int, int], ...]
    credits: tuple[Credits, ...]
    heading: Credits
    fits: tuple[bool, ...]
    orders: tuple[bool, ...]

    @classmethod
    def of(cls, hit: Hit, asked: Asked) -> "Leaf":
        spans = tuple(sentence_spans(hit.passage.text))
        texts = [hit.passage.text[start:end] for start, end in spans]
        heading = asked.wording.credits(" ".join([hit.passage.title, *hit.passage.place.section]))
        credits = tuple(asked.wording.credits(text) for text in texts)
        fits, orders = (tuple(map(tells, texts)) for tells in (asked.fits, _gives_orders))
        return cls(hit, spans, credits, heading, fits, orders)

    def text(self, first: int, last: int) -> str:
        return self.hit.passage.text[self.spans[first][0] : self.spans[last][1]]


@lru_cache(maxsize=4096)
def _gives_orders(sentence: str) -> bool:
    """Of a document, whose sentences come again with other questions."""
    return gives_orders(sentence)


def candidates(asked: Asked, leaves: Sequence[Leaf]) -> list[Candidate]:
    """Every window that has the kind of answer that is asked for, best first."""
    found = [candidate for rank, leaf in enumerate(leaves) for candidate in _windows(asked, rank, leaf)]
    return sorted(found, key=lambda candidate: -candidate.score)


def gather(asked: Asked, leaves: Sequence[Leaf], ranked: Sequence[Candidate]) -> Evidence:
    """The best candidate with its surroundings, and a second passage's where it is nearly as good."""
    best = ranked[0]
    chosen = [best, *_second(ranked)]
    room = ROOM[asked.lang] // len(chosen)
    spans = [(leaves[one.rank], *_widened(leaves[one.rank], one, room)) for one in chosen]
    return Evidence(
        text="\n".join(leaf.text(first, last) for leaf, first, last in spans),
        sentences=tuple(leaf.text(at, at) for leaf, first, last in spans for at in range(first, last + 1)),
        origins=tuple(number for number, (_, first, last) in enumerate(spans) for _ in range(first, last + 1)),
        quotation=_quotation(asked, leaves[best.rank], best),
        citations=tuple(
            _citation(leaf.hit.passage, leaf.spans[first][0], leaf.spans[last][1]) for leaf, first, last in spans
        ),
        spoken_of=asked.wording.wanted(leaves[best.rank].heading, *leaves[best.rank].credits) > SPOKEN_OF,
        asked=asked,
    )


def broadened(evidence: Evidence, hits: Sequence[Hit], surroundings: Mapping[str, str]) -> Evidence:
    """The same with all that a full prompt shows: every sentence of the passages and of the text around them, in their
    order; those that are new have a citation each. `surroundings`: by passage, the text of its `Place.parent`."""
    citations, found = list(evidence.citations), dict[str, int]()
    known = dict(zip(evidence.sentences, evidence.origins, strict=True))
    for passage in (_around(hit.passage, surroundings) for hit in hits):
        for start, end in sentence_spans(passage.text):
            text = passage.text[start:end]
            if text in found or gives_orders(text):
                continue
            found[text] = known.get(text, len(citations))
            if text not in known:
                citations.append(_citation(passage, start, end))
    found |= known
    return replace(
        evidence,
        text="\n".join(found),
        sentences=tuple(found),
        origins=tuple(found.values()),
        citations=tuple(citations),
    )


def _around(passage: Passage, surroundings: Mapping[str, str]) -> Passage:
    """The passage, as large as its surroundings where they are known."""
    if passage.place.parent is None or passage.id not in surroundings:
        return passage
    start, end = passage.place.parent
    return replace(passage, text=surroundings[passage.id], place=replace(passage.place, start=start, end=end))


def _windows(asked: Asked, rank: int, leaf: Leaf) -> Iterator[Candidate]:
    for first in range(len(leaf.spans)):
        for last in range(first, min(first + WINDOW, len(leaf.spans))):
            if leaf.orders[last]:
                break
            fits = any(leaf.fits[first : last + 1])
            if not (fits or asked.kind.soft):
                continue
            credits, text = leaf.credits[first : last + 1], leaf.text(first, last)
            alone, covered = asked.wording.share(*credits), asked.wording.share(leaf.heading, *credits)
            lost = LATER_HIT * rank + LONGER * (last - first) + UNLIKE * (not fits)
            lost += BEFORE * asked.dated(text) + LACKS * asked.lacks(text)
            score = ALONE * alone + (1 - ALONE) * covered + SUITS * asked.suits(text) - lost
            yield Candidate(rank, first, last, score, covered)


def _second(ranked: Sequence[Candidate]) -> list[Candidate]:
    best = ranked[0]
    others = [one for one in ranked if one.rank != best.rank and one.score >= best.score - SECOND]
    return others[:1]


def _widened(leaf: Leaf, chosen: Candidate, room: int) -> tuple[int, int]:
    """The candidate's sentences and its neighbours, the following one first, while they fit."""
    first, last = chosen.first, chosen.last
    grown = True
    while grown:
        grown = False
        if last + 1 < len(leaf.spans) and not leaf.orders[last + 1] and len(leaf.text(first, last + 1)) <= room:
            last, grown = last + 1, True
        if first > 0 and not leaf.orders[first - 1] and len(leaf.text(first - 1, last)) <= room:
            first, grown = first - 1, True
    return first, last


def _quotation(asked: Asked, leaf: Leaf, best: Candidate) -> str:
    """The shortest part of the candidate that answers nearly as well, with what its first word refers to."""
    inner = [(first, last) for first in range(best.first, best.last + 1) for last in range(first, best.last + 1)]
    whole = asked.wording.share(*leaf.credits[best.first : best.last + 1])
    suits = asked.suits(leaf.text(best.first, best.last))
    good = [
        (first, last)
        for first, last in inner
        if _likely(asked, text := leaf.text(first, last))
        and asked.suits(text) >= suits
        and asked.wording.share(*leaf.credits[first : last + 1]) >= NEARLY * whole
    ]
    first, last = min(good or [(best.first, best.last)], key=lambda span: len(leaf.text(*span)))
    leads = first > 0 and not leaf.orders[first - 1] and DANGLING.match(leaf.text(first, first))
    if leads and len(leaf.text(first - 1, last)) <= QUOTED[asked.lang]:
        first -= 1
    return " ".join(leaf.text(first, last).split())


def _likely(asked: Asked, text: str) -> bool:
    return asked.fits(text) and not asked.dated(text)


def _citation(passage: Passage, start: int, end: int) -> Citation:
    """Of these characters of the passage."""
    place = replace(passage.place, start=passage.place.start + start, end=passage.place.start + end)
    return Citation(passage.document, passage.title, passage.source, passage.text[start:end], place, passage.revision)


def leaves_of(asked: Asked, retrieval: Retrieval) -> list[Leaf]:
    return [leaf for hit in retrieval.hits[:HITS] if (leaf := Leaf.of(hit, asked)).spans]
