"""Ask every question of a file on the sample documents, with the packaged models, and count right answers.

`python -m tests.agent.evaluate [FILE.jsonl …]` prints answers, citations and refusals as they are. A line of a file
is `{"question": …, "answer_any": [accepted words, …]}`; a question that must be refused has no accepted words.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import orjson

from agent import prompt
from agent.engines.llama import Llama
from agent.grounding import Checker, Grounding, Supported
from agent.model import ChatModel
from agent.persona import load
from avatar.sentences import SentenceSplitter
from configs.home import Home, current
from configs.language import detect
from knowledge.base import Engines, KnowledgeBase
from knowledge.embedding import Embedding, Role, Vectors
from knowledge.engines.e5 import E5
from knowledge.engines.memory import Memory
from knowledge.sample import sample_documents
from tests.doubles import HereReader

DATA = Path(__file__).parents[1] / "data"
GUIDE = prompt.Mandate(load("guide"))


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    accepted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`answer` is None for a refusal; `said` is what the model said before it was checked."""

    question: Question
    support: float
    answer: str | None
    said: str
    cited: tuple[str, ...]
    first_text: float

    @property
    def right(self) -> bool:
        if self.answer is None or not self.question.accepted:
            return self.answer is None and not self.question.accepted
        return any(_bare(accepted) in _bare(self.answer) for accepted in self.question.accepted)


def questions(file: Path) -> list[Question]:
    rows = [orjson.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    return [Question(row["question"], tuple(row.get("answer_any", ()))) for row in rows]


class Remembering:
    """The packaged embedder; a text that it has embedded in this process costs nothing again."""

    _known: ClassVar[dict[tuple[Role, str], Vectors]] = {}

    def __init__(self, home: Home) -> None:
        self._embedder = E5(E5.Options(), home)
        self.identity, self.dimension = self._embedder.identity, self._embedder.dimension

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        new = [text for text in texts if (role, text) not in self._known]
        for text in new:
            self._known[role, text] = self._embedder.embed([text], role)[0]
        return np.stack([self._known[role, text] for text in texts])


@asynccontextmanager
async def knowing(
    home: Home, documents: Callable[[], Iterable[tuple[str, bytes]]] = sample_documents
) -> AsyncIterator[KnowledgeBase]:
    """The sample documents, or others, with their vectors."""
    with tempfile.TemporaryDirectory() as folder:
        engines = Engines(Embedding(Remembering(home)), Memory(Memory.Options(), home), HereReader())
        knowledge = KnowledgeBase(Path(folder), engines)
        await knowledge.open()
        for name, data in documents():
            await knowledge.ingest(name, data)
        await knowledge.settled()
        try:
            yield knowledge
        finally:
            await knowledge.close()


async def ask(question: Question, knowledge: KnowledgeBase, model: ChatModel) -> Outcome:
    began = time.perf_counter()
    lang = detect(question.text) or "en"
    judged = Grounding().judge(question.text, lang, await knowledge.search(question.text, 6))
    if not isinstance(judged, Supported):
        return Outcome(question, judged.support, None, "", (), 0.0)
    checker = Checker(judged.evidence, question.text, lang, None if judged.sure else GUIDE.persona.refusal(lang))
    splitter = SentenceSplitter()
    said, answer, first = "", "", 0.0
    async for delta in model.stream(prompt.compose(GUIDE, prompt.Material(question.text, lang, judged.evidence.text))):
        said += delta
        for piece in splitter.feed(delta):
            answer += checker.feed(piece) or ""
            first = first or (time.perf_counter() - began if answer else 0.0)
    for piece in splitter.flush():
        answer += checker.feed(piece) or ""
    answer += checker.finish() or ""
    if checker.refused:
        return Outcome(question, judged.support, None, said, (), 0.0)
    cited = tuple(citation.quote for citation in judged.evidence.citations)
    return Outcome(question, judged.support, answer, said, cited, first or time.perf_counter() - began)


async def evaluate(files: Sequence[Path]) -> dict[Path, list[Outcome]]:
    home = current()
    model = await asyncio.to_thread(Llama, Llama.Options(), home)
    try:
        for lang in ("zh", "en"):
            await model.warm([prompt.opening(GUIDE, lang)])
        async with knowing(home) as knowledge:
            return {file: [await ask(one, knowledge, model) for one in questions(file)] for file in files}
    finally:
        await model.aclose()


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def _print(outcome: Outcome) -> None:
    print(f"{'right' if outcome.right else 'WRONG'}  {outcome.question.text}  [{outcome.support:.2f}]")
    print(f"       answer: {outcome.answer if outcome.answer is not None else '(refused)'}")
    if outcome.answer is not None:
        print(f"       model:  {outcome.said}\n       cites:  {' / '.join(outcome.cited)}")


def main() -> None:
    files = [Path(name) for name in sys.argv[1:]] or sorted(DATA.glob("questions.*.jsonl"))
    found = asyncio.run(evaluate(files))
    for file, outcomes in found.items():
        for outcome in outcomes:
            _print(outcome)
        answerable = [outcome for outcome in outcomes if outcome.question.accepted]
        others = [outcome for outcome in outcomes if not outcome.question.accepted]
        times = sorted(outcome.first_text for outcome in outcomes if outcome.answer is not None)
        print(
            f"== {file.name}: right {sum(o.right for o in answerable)} of {len(answerable)}, "
            f"refused {sum(o.right for o in others)} of {len(others)}, first text p50 {times[len(times) // 2]:.2f} s"
        )


if __name__ == "__main__":
    main()
