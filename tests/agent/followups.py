"""How much rewriting helps to find the right passage for a second question, on the sample documents.

`python -m tests.agent.followups [--embedder e5|hashing] [FILE.jsonl …]` prints recall@1 and @5 with and without. A line
is `{"first": …, "answer": as it was heard, "question": …, "evidence": a string of the right passage, "alone": true
where the second question needs no first}`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from agent.followup import rewrite, standing
from agent.model import Message
from configs.home import current
from knowledge.documents import Document, Entry
from knowledge.embedding import Embedder
from knowledge.engines.e5 import E5
from knowledge.engines.hashing import Hashing
from knowledge.ingest import document_id, indexed, passages, read
from knowledge.parse import FileLimits
from knowledge.retrieve import Nearest, Shelf, Wording
from knowledge.sample import sample_documents

DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, slots=True)
class Dialogue:
    first: str
    answer: str
    question: str
    evidence: str
    alone: bool

    @property
    def history(self) -> tuple[Message, ...]:
        return (Message("user", self.first), Message("assistant", self.answer))

    @property
    def wordings(self) -> tuple[str, ...]:
        return rewrite(self.question, self.history)


def dialogues(file: Path) -> list[Dialogue]:
    rows = [orjson.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    return [Dialogue(r["first"], r["answer"], r["question"], r["evidence"], r.get("alone", False)) for r in rows]


class Sample:
    """The sample documents on a shelf, with vectors."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder, self._shelf = embedder, Shelf()
        self._ids: list[str] = []
        texts: list[str] = []
        for name, data in sample_documents():
            made = read(name, data, FileLimits())
            key = document_id(name)
            document = Document(key, made.title, name, made.format, made.lang, "", made.text)
            cut = passages(document, made.places)
            self._shelf.stock(zip(cut, made.terms, strict=True))
            entry = Entry(key, made.title, name, made.format, made.lang, "", len(made.text), len(cut))
            self._shelf.swap([], [(entry, cut)])
            self._ids += [passage.id for passage in cut]
            texts += [indexed(passage) for passage in cut]
        self._vectors = embedder.embed(texts, "passage")

    def rank(self, evidence: str, wordings: Sequence[str]) -> int:
        """Where the first passage with the evidence stands, from 1; past the end where it is not found."""
        asked = [
            Wording(
                text, Nearest(dict(zip(self._ids, map(float, self._vectors @ vector), strict=True)), lambda _: False)
            )
            for text, vector in zip(wordings, self._embedder.embed(wordings, "question"), strict=True)
        ]
        hits = self._shelf.search(asked, len(self._ids)).hits
        return next((at for at, hit in enumerate(hits, 1) if evidence in hit.passage.text), len(self._ids) + 1)


def _print(name: str, ranks: Sequence[int]) -> None:
    first, fifth = (sum(rank <= count for rank in ranks) for count in (1, 5))
    print(f"  {name:34} R@1 {first}/{len(ranks)} = {first / len(ranks):.2f}   R@5 {fifth / len(ranks):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embedder", choices=("e5", "hashing"), default="e5")
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    home = current()
    sample = Sample(E5(E5.Options(), home) if options.embedder == "e5" else Hashing(Hashing.Options(), home))
    for file in options.files or sorted(DATA.glob("dialogues.*.jsonl")):
        every = dialogues(file)
        for alone, kind in ((False, "needs the first question"), (True, "stands alone")):
            group = [dialogue for dialogue in every if dialogue.alone == alone]
            print(f"{file.name}: {len(group)} dialogues whose second question {kind}")
            print(f"  rewritten: {sum(bool(dialogue.wordings) for dialogue in group)}")
            if group:
                _print("the question as asked", [sample.rank(d.evidence, [d.question]) for d in group])
                _print(
                    "the question and its rewriting",
                    [sample.rank(d.evidence, [d.question, *d.wordings]) for d in group],
                )
                _print(
                    "the rewriting alone", [sample.rank(d.evidence, [standing(d.question, d.wordings)]) for d in group]
                )


if __name__ == "__main__":
    main()
