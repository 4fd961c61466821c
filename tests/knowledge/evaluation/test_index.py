"""The measured index: vectors kept between runs, hidden passages, and the code that serves."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from configs.home import Home
from knowledge.embedding import Role, Vectors
from knowledge.engines.hashing import Hashing
from knowledge.evaluation.datasets import Dataset, golden, load, passage
from knowledge.evaluation.index import MODES, Index
from knowledge.evaluation.vectors import VectorCache
from knowledge.ingest import indexed
from tests.knowledge.evaluation.cases import squad


class Counting(Hashing):
    """Fails after `patience` texts."""

    def __init__(self, patience: int = 1000) -> None:
        super().__init__(Hashing.Options(), Home(Path("/dev/null"), Path("/dev/null")))
        self.patience, self.made = patience, list[str]()

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        if self.patience == 0:
            raise KeyboardInterrupt
        self.patience -= 1
        self.made += texts
        return super().embed(texts, role)


def quiet(_: str) -> None: ...


def index_of(dataset: Dataset) -> Index:
    embedder = Counting()
    return Index(dataset.passages, embedder.embed([indexed(one) for one in dataset.passages], "passage"))


def test_vectors_are_made_once_whatever_interrupts(tmp_path: Path) -> None:
    texts = ["一", "two", "三", "two"]
    first = Counting(patience=2)
    with pytest.raises(KeyboardInterrupt):
        VectorCache(tmp_path, first).vectors(texts, "passage", quiet)
    file = next(tmp_path.iterdir())
    file.write_bytes(file.read_bytes() + b"torn")
    second = Counting()
    vectors = VectorCache(tmp_path, second).vectors(texts, "passage", quiet)
    assert first.made == ["一", "two"] and second.made == ["三"]
    np.testing.assert_array_equal(vectors, Counting().embed(texts, "passage"))
    third = Counting()
    np.testing.assert_array_equal(VectorCache(tmp_path, third).vectors(texts, "passage", quiet), vectors)
    VectorCache(tmp_path, third).vectors(["一"], "question", quiet)
    assert third.made == ["一"], "a question is embedded in its own way"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("title", ["海港科学馆", "Observatory"])
def test_every_mode_finds_the_right_passage(tmp_path: Path, mode: str, title: str) -> None:
    dataset = load(squad(tmp_path / "a.json"))
    index = index_of(dataset)
    for case, gold in zip(dataset.cases, golden(dataset.cases, dataset.passages), strict=True):
        if case.group.endswith(title) and case.question != "Is it open?":
            vector = Counting().embed([case.question], "question")[0]
            scored = index.search(case.question, vector, mode)  # type: ignore[arg-type]
            assert max(scored.scores, key=lambda name: scored.scores[name]) in gold
            assert scored.cpu and all(spent >= 0 for spent in scored.cpu.values())


def test_what_is_hidden_was_never_there_and_comes_back(tmp_path: Path) -> None:
    dataset = load(squad(tmp_path / "a.json"))
    index, embedder = index_of(dataset), Counting()
    question = "成人票多少钱？"
    asked = [question], embedder.embed([question], "question"), 4
    (gold,) = [one for one in dataset.passages if "成人票" in one.text]
    before = index.retrieve(*asked)
    with index.without({gold.id}):
        hidden = index.retrieve(*asked)
        left = index_of(Dataset("", "zh", (), tuple(one for one in dataset.passages if one != gold)))
        never = left.retrieve(*asked)
    after = index.retrieve(*asked)
    assert before.hits[0].passage == gold and before.hits == after.hits and before.weights == after.weights
    assert gold.id not in {hit.passage.id for hit in hidden.hits}
    assert any(hit.passage.document == gold.document for hit in hidden.hits), "its siblings stay"
    assert (hidden.hits, hidden.weights) == (never.hits, never.weights)


def test_an_articles_only_passage_can_be_hidden() -> None:
    index = index_of(Dataset("", "zh", (), (passage("甲", "馆长是王敏。"), passage("乙", "成人票六十元。"))))
    asked = ["馆长是谁？"], Counting().embed(["馆长是谁？"], "question"), 4
    with index.without({index.passages[0].id}):
        assert [hit.passage.title for hit in index.retrieve(*asked).hits] == ["乙"]
    assert index.retrieve(*asked).hits[0].passage.title == "甲"


def test_a_further_wording_finds_what_the_question_does_not(tmp_path: Path) -> None:
    index = index_of(load(squad(tmp_path / "a.json")))
    wordings = ["那多少钱？", "成人票多少钱？"]
    vectors = Counting().embed(wordings, "question")
    assert "成人票" in index.retrieve(wordings, vectors, 1).hits[0].passage.text
    assert "多少钱" not in index.retrieve(wordings, vectors, 1).weights
