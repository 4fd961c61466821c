"""The support from which a base answers, fitted on it: its sentences are asked with their passages there and hidden."""

import asyncio
import math
import random
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

import orjson

from agent.facts import names
from agent.grounding import ENOUGH, Grounding, Supported
from configs.language import Lang, detect
from knowledge.documents import ANYTHING, Filter, Passage, Retrieval
from knowledge.lexical import question_terms
from knowledge.sentences import sentences

KEY = "calibration"
"""The note that a calibration is kept under."""

MOST = 200
"""Passages asked about: two searches each, about 10 s of CPU in all."""

THROUGH = 0.1
"""Share of the questions whose passage is left out that may be answered."""

TRUST = 200
"""Questions whose verdict weighs as much as the shipped threshold."""

LOWEST, HIGHEST = 0.3, 0.55
"""A base cannot move the threshold further: its sentences are not the questions that people ask."""

_FORGOTTEN = 0.4
"""Share of the other words that the question does without: people do not know the documents' words."""

_PAUSE = 0.5
"""Seconds between two questions: a twentieth of a core, so that nobody who waits for an answer notices."""

_SHORTEST: dict[Lang, int] = {"zh": 4, "en": 4}
_FIGURE = re.compile(r"[0-9][0-9.,:]*[0-9]|[0-9]")
_CLAUSE = re.compile(r"[，；：,;:](?![0-9])\s*")
_WORD = re.compile(r"[\u3400-\u9fff]{2}|[A-Za-z][A-Za-z'’-]*")
_WANTED: dict[Lang, str] = {"zh": "多少", "en": "how many"}
_NAMED: dict[Lang, str] = {"zh": "什么", "en": "what"}

Search = Callable[[str, Filter], Awaitable[Retrieval]]


@dataclass(frozen=True, slots=True)
class Cloze:
    """A sentence of a passage as a question, and the words of it that answer."""

    passage: str
    question: str
    answer: str
    lang: Lang


@dataclass(frozen=True, slots=True)
class Calibration:
    """`asked`: questions on both sides; `kept`, `through`: the shares of them that are answered at `enough`;
    `embedder`: the identity of the one by whose vectors they were searched."""

    enough: float
    asked: int
    kept: float
    through: float
    embedder: str = ""

    def note(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def read(cls, note: str | None) -> "Calibration | None":
        """None where there is none, or none that can be read."""
        try:
            return None if note is None else cls(**orjson.loads(note))
        except (orjson.JSONDecodeError, TypeError):
            return None


class Base(Protocol):
    @property
    def embedder(self) -> str: ...
    async def search(self, question: str, count: int, *, only: Filter = ...) -> Retrieval: ...
    async def passages(self) -> Sequence[Passage]: ...
    async def note(self, key: str) -> str | None: ...
    async def set_note(self, key: str, value: str) -> None: ...
    def calibrate(self, enough: float, embedder: str) -> None: ...


async def recall(base: Base) -> Calibration | None:
    """Let a base answer from the threshold that was kept with it; None where none was."""
    found = Calibration.read(await base.note(KEY))
    if found is not None:
        base.calibrate(found.enough, found.embedder or base.embedder)
    return found


async def recalibrate(base: Base, grounding: Grounding, count: int) -> Calibration:
    """Fit a settled base's threshold, keep it and let the base answer from it. `count`: passages of a retrieval.

    The event loop is never held for longer than one question takes.
    """

    async def search(question: str, only: Filter) -> Retrieval:
        await asyncio.sleep(_PAUSE)
        return await base.search(question, count, only=only)

    embedder = base.embedder
    found = replace(await calibrate(search, await base.passages(), grounding), embedder=embedder)
    await base.set_note(KEY, found.note())
    base.calibrate(found.enough, embedder)
    return found


def clozes(passages: Sequence[Passage], most: int = MOST) -> list[Cloze]:
    """One for each of at most `most` passages, the same in every run."""
    chosen = sorted(passages, key=lambda passage: random.Random(passage.id).random())
    found: list[Cloze] = []
    for passage in chosen:
        if len(found) == most:
            break
        found += list(_of(passage))[:1]
    return found


async def calibrate(search: Search, passages: Sequence[Passage], grounding: Grounding) -> Calibration:
    """Ask every cloze of the base as it is and without its passage, and choose the threshold."""
    kept, through = [], []
    for one in clozes(passages):
        answerable = grounding.judge(one.question, one.lang, await search(one.question, ANYTHING))
        hidden = Filter(without=frozenset({one.passage}))
        left_out = grounding.judge(one.question, one.lang, await search(one.question, hidden))
        if isinstance(left_out, Supported) and one.answer in left_out.evidence.text:
            continue
        kept.append(answerable.support)
        through.append(left_out.support)
    return choose(kept, through)


def choose(answerable: Sequence[float], left_out: Sequence[float]) -> Calibration:
    """The lowest threshold that lets no more than a tenth through, drawn towards the shipped one, and bounded."""
    count = len(left_out)
    if not count:
        return Calibration(ENOUGH, 0, 0.0, 0.0)
    found = sorted(left_out)[min(math.ceil((1 - THROUGH) * count), count - 1)]
    odds = (count * _odds(found) + TRUST * _odds(ENOUGH)) / (count + TRUST)
    enough = max(LOWEST, min(1 / (1 + math.exp(-odds)), HIGHEST))
    return Calibration(enough, count, _share(answerable, enough), _share(left_out, enough))


def _share(supports: Sequence[float], enough: float) -> float:
    return sum(support >= enough for support in supports) / len(supports)


def _odds(chance: float) -> float:
    chance = max(0.01, min(chance, 0.99))
    return math.log(chance / (1 - chance))


def _of(passage: Passage) -> Iterator[Cloze]:
    """The passage's sentences as questions, those with a figure first."""
    draw = random.Random(passage.id)
    spoken = sentences(passage.text)
    draw.shuffle(spoken)
    lang = detect(passage.text) or "en"
    for wanted in (_figure, _name):
        for sentence in spoken:
            if (asked := wanted(sentence, lang)) is None:
                continue
            before, answer, after, word = asked
            before, after = _CLAUSE.split(before)[-1], _CLAUSE.split(after)[0]
            text = f"{_forgetful(before, draw)} {word} {_forgetful(after, draw)}"
            question = " ".join(text.split()) if lang == "en" else "".join(text.split())
            if len(question_terms(question)) >= _SHORTEST[lang]:
                yield Cloze(passage.id, question + {"zh": "？", "en": "?"}[lang], answer, lang)


def _figure(sentence: str, lang: Lang) -> tuple[str, str, str, str] | None:
    match = _FIGURE.search(sentence)
    return None if match is None else (sentence[: match.start()], match[0], sentence[match.end() :], _WANTED[lang])


def _name(sentence: str, lang: Lang) -> tuple[str, str, str, str] | None:
    """Where there is no figure: the last name of an English sentence, the last two words of a Chinese one."""
    if lang == "en":
        last = next((word for word in reversed(sentence.split()) if names(f"a {word}")), None)
        at = sentence.rfind(last) if last else -1
        return None if last is None else (sentence[:at], last, sentence[at + len(last) :], _NAMED[lang])
    bare = sentence.rstrip("。！？；")
    return (bare[:-4], bare[-4:], "", _NAMED[lang]) if len(bare) > 12 else None


def _forgetful(text: str, draw: random.Random) -> str:
    """A text without some of its words."""
    return _WORD.sub(lambda match: "" if draw.random() < _FORGOTTEN else match[0], text.rstrip("。.!?！？"))
