"""The full prompt: rules, what is known, the conversation and the question, cut down in order until it fits.

What changes least comes first, so that a prefix cache serves it: the instructions, the facts, the passages, the
summary, the history, the question. Roles take turns, as many chat templates demand.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from agent.instructions import instructions
from agent.material import Mandate, Material
from agent.model import Message, Offer, Part
from agent.orders import gives_orders
from agent.tokens import cut, estimate
from avatar.markup import stripped
from configs.language import Lang
from knowledge.documents import Hit
from knowledge.sentences import sentence_spans

MESSAGE = 6
"""Tokens with which a chat template surrounds a message."""

OFFERING, OFFERED = 180, 20
"""Tokens with which it explains tools, and surrounds each of them."""

LEAST = 40
"""Tokens of the question that are left of it, whatever the budget."""

_SEEN: dict[Lang, str] = {"zh": "明白。", "en": "Understood."}
"""Answers the facts and the passages, in the conversation that the prompt pretends to be."""

_TAG = re.compile(r"<(?=[/|a-z])", re.IGNORECASE)
_PASSAGE = re.compile(r'<passage title="[^"\n]*">\n(.*?)\n</passage>', re.DOTALL)
_QUESTION = re.compile(r"<question>\n(.*)\n</question>\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Span:
    """Characters of a document."""

    document: str
    start: int
    end: int

    def meets(self, other: "_Span") -> bool:
        return self.document == other.document and self.start < other.end and other.start < self.end


def opening(mandate: Mandate, lang: Lang) -> Message:
    return Message("system", instructions(mandate, lang))


def compose(mandate: Mandate, material: Material) -> tuple[Message, ...]:
    """What is least missed goes first: surroundings, from the passage ranked last to the first; the oldest of the
    history; passages, the last first, down to one; facts, the last first; the summary; the last passage. After all that
    the question is cut at its end.
    """
    head = opening(mandate, material.lang)
    room = mandate.settings.tokens - _cost(head) - _offering(mandate.offers)
    clean = _cleaned(material)
    for smaller in _reductions(clean):
        messages = _messages(smaller)
        if sum(map(_cost, messages)) <= room:
            return head, *messages
    bare = sum(map(_cost, _messages(replace(smaller, question=""))))
    return head, *_messages(replace(smaller, question=cut(clean.question, max(room - bare, LEAST))))


def ordered(hits: Sequence[Hit], earlier: Sequence[str]) -> tuple[Hit, ...]:
    """The passages that the prompt before had, in its order, and then the others as they are ranked."""
    places = {passage: place for place, passage in enumerate(earlier)}
    return tuple(sorted(hits, key=lambda hit: places.get(hit.passage.id, len(places))))


def read(messages: Sequence[Part]) -> tuple[Lang, str, str] | None:
    """Language, passages and question of a prompt that `compose` made; None for any other."""
    said = [message for message in messages if isinstance(message, Message)]
    asked = next(
        (found for one in reversed(said) if one.role == "user" and (found := _QUESTION.search(one.text))), None
    )
    if asked is None:
        return None
    lang = next((lang for lang, seen in _SEEN.items() if len(said) > 2 and said[2].text == seen), None)
    if lang is None:
        return None
    return lang, "\n".join(_PASSAGE.findall(said[1].text)), asked[1]


def _messages(material: Material) -> tuple[Message, ...]:
    """All but the instructions."""
    known = "\n".join(filter(None, (_facts(material), _documents(material), _fenced("summary", material.summary))))
    asked = "\n".join(
        filter(None, (_fenced("staff", material.whisper), f"<question>\n{material.question}\n</question>"))
    )
    return Message("user", known), Message("assistant", _SEEN[material.lang]), *material.history, Message("user", asked)


def _facts(material: Material) -> str:
    return _fenced("facts", "\n".join(material.facts))


def _documents(material: Material) -> str:
    blocks = "\n".join(_blocks(ordered(material.hits, material.earlier), material.surroundings))
    return f"<documents>\n{blocks}\n</documents>" if blocks else "<documents></documents>"


def _blocks(hits: Sequence[Hit], surroundings: Mapping[str, str]) -> Iterator[str]:
    """One for each passage, with its surroundings where they meet no other's; none for one that stands in another."""
    shown: list[_Span] = []
    for passage in (hit.passage for hit in hits):
        place, text = passage.place, passage.text
        span = _Span(passage.document, place.start, place.end)
        if any(span.start >= other.start and span.end <= other.end for other in shown if other.meets(span)):
            continue
        if place.parent is not None and passage.id in surroundings:
            wide = _Span(passage.document, *place.parent)
            if not any(wide.meets(other) for other in shown):
                span, text = wide, surroundings[passage.id]
        shown.append(span)
        title = " › ".join(dict.fromkeys((passage.title, *place.section)))
        yield f'<passage title="{_attribute(title)}">\n{text}\n</passage>'


def _reductions(material: Material) -> Iterator[Material]:
    """Ever less of it, and at last the question alone."""
    yield material
    for hit in reversed(material.hits):
        if hit.passage.id in material.surroundings:
            kept = {one: text for one, text in material.surroundings.items() if one != hit.passage.id}
            material = replace(material, surroundings=kept)
            yield material
    while material.history:
        material = replace(material, history=_after_first(material.history))
        yield material
    while len(material.hits) > 1:
        material = replace(material, hits=material.hits[:-1])
        yield material
    while material.facts:
        material = replace(material, facts=material.facts[:-1])
        yield material
    material = replace(material, summary="")
    yield material
    yield replace(material, hits=())


def _after_first(history: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without the oldest exchange: what is left begins with the user's words."""
    return next((history[at:] for at in range(1, len(history)) if history[at].role == "user"), ())


def _cleaned(material: Material) -> Material:
    """No part of it opens a tag, a cue or a control token of its own, and no passage gives orders."""
    history = (
        material.history
        if not material.history or material.history[0].role == "user"
        else _after_first(material.history)
    )
    return replace(
        material,
        question=plain(material.question),
        hits=tuple(
            replace(hit, passage=replace(hit.passage, text=_content(hit.passage.text))) for hit in material.hits
        ),
        surroundings={passage: _content(text) for passage, text in material.surroundings.items()},
        facts=tuple(" ".join(plain(fact).split()) for fact in material.facts),
        summary=plain(material.summary),
        history=tuple(Message(said.role, plain(said.text)) for said in history),
        whisper=plain(material.whisper),
    )


def _content(text: str) -> str:
    """A passage without the sentences that speak to the model."""
    whole = plain(text)
    spans = sentence_spans(whole)
    ordering = [span for span in spans if gives_orders(whole[slice(*span)])]
    for start, end in reversed(ordering):
        whole = whole[:start] + whole[end:]
    return whole.strip()


def plain(text: str) -> str:
    """Text that opens neither a tag, a control token nor a cue, and does not break UTF-8."""
    return _TAG.sub("< ", stripped(text)).encode("utf-8", "replace").decode("utf-8")


def _attribute(text: str) -> str:
    return " ".join(plain(text).replace('"', "'").split())


def _fenced(tag: str, text: str) -> str:
    return f"<{tag}>\n{text}\n</{tag}>" if text else ""


def _cost(message: Message) -> int:
    return estimate(message.text) + MESSAGE


def _offering(offers: Sequence[Offer]) -> int:
    """Of the tools' descriptions, which the server puts into the prompt."""
    told = [estimate(one.name + one.description + orjson.dumps(one.parameters).decode()) + OFFERED for one in offers]
    return OFFERING + sum(told) if told else 0
