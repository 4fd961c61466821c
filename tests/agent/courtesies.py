"""Do greetings, thanks, hesitation and what somebody tells first hide the answer? `python -m tests.agent.courtesies`.

Each way of asking in tests/data/courtesies.LANG.jsonl is put around each question of tests/data/questions.LANG.jsonl
and judged on the sample documents with the packaged embedder; no language model is asked. `as said`: without the
presenter's taking it apart.
"""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import orjson

from agent.grounding import Grounding, Supported
from agent.persona import load
from configs.home import current
from configs.language import LANGUAGES, Lang
from knowledge.base import KnowledgeBase
from knowledge.courtesy import core, parted
from tests.agent.evaluate import DATA, Question, knowing, questions

NAMES = load("guide").name
_WRITTEN = {"zh": "小灯", "en": "Lumi"}
"""The presenter's names in the file."""
Sort = Literal["courtesy", "preamble"]
SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class Form:
    """`text` holds the question as it stands ({q}), without its mark ({b}), or that and small ({l})."""

    text: str
    sort: Sort

    def around(self, question: str, lang: Lang) -> str:
        bare = question.rstrip("?？")
        said = self.text.replace(_WRITTEN[lang], NAMES[lang]).replace(_WRITTEN[lang].lower(), NAMES[lang].lower())
        return said.replace("{q}", question).replace("{b}", bare).replace("{l}", bare[0].lower() + bare[1:])


def forms(lang: Lang, sort: Sort) -> list[Form]:
    rows = [orjson.loads(line) for line in (DATA / f"courtesies.{lang}.jsonl").read_bytes().splitlines()]
    return [Form(row["form"], row["kind"]) for row in rows if row["kind"] == sort]


async def supported(knowledge: KnowledgeBase, question: str, lang: Lang) -> bool:
    return isinstance(Grounding().judge(question, lang, await knowledge.search(question, 6)), Supported)


async def answered(knowledge: KnowledgeBase, said: str, lang: Lang) -> bool:
    """As the presenter takes it apart."""
    question = core(said, NAMES[lang])
    _, asked = parted(question)
    return await supported(knowledge, asked, lang) or await supported(knowledge, question, lang)


@dataclass(frozen=True, slots=True)
class Tally:
    kept: int
    answerable: int
    passed: int
    others: int

    def __str__(self) -> str:
        return f"{self.kept / self.answerable:6.1%} kept, {self.passed / self.others:6.1%} let through"


async def tally(knowledge: KnowledgeBase, lang: Lang, ways: list[Form], *, apart: bool) -> Tally:
    judge = answered if apart else supported
    asked = questions(DATA / f"questions.{lang}.jsonl")

    async def count(wanted: bool) -> tuple[int, int]:
        texts = list(_texts(asked, ways, lang, wanted))
        return sum([await judge(knowledge, text, lang) for text in texts]), len(texts)

    return Tally(*await count(True), *await count(False))


def _texts(asked: list[Question], ways: list[Form], lang: Lang, wanted: bool) -> Iterator[str]:
    for way in ways:
        yield from (way.around(one.text, lang) for one in asked if bool(one.accepted) is wanted)


async def main() -> None:
    async with knowing(current()) as knowledge:
        for lang in LANGUAGES:
            plain = await tally(knowledge, lang, [Form("{q}", "courtesy")], apart=False)
            sys.stdout.write(f"{lang} the question alone       {plain}\n")
            for sort in SORTS:
                ways = forms(lang, sort)
                for apart, name in ((False, "as said"), (True, "taken apart")):
                    sys.stdout.write(f"{lang} {sort:8} {name:14} {await tally(knowledge, lang, ways, apart=apart)}\n")
                    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
