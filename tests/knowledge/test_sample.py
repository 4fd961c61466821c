"""The sample documents and the questions about them."""

import json
from pathlib import Path

import pytest

from configs.home import Home
from knowledge.base import Engines, KnowledgeBase
from knowledge.embedding import Embedding
from knowledge.engines.hashing import Hashing
from knowledge.engines.memory import Memory
from knowledge.ingest import read
from knowledge.parse import FileLimits
from knowledge.sample import sample_documents
from tests.doubles import HereReader

DATA = Path(__file__).parents[1] / "data"
HOME = Home(Path("/nonexistent"), Path("/nonexistent"))


def questions(lang: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (DATA / f"questions.{lang}.jsonl").read_text("utf-8").splitlines()]


def plain(text: str) -> str:
    return "".join(text.split()).lower()


def test_the_sample_covers_both_languages_and_every_format() -> None:
    documents = [read(name, data, FileLimits()) for name, data in sample_documents()]
    assert all(not document.warnings for document in documents)
    assert {document.format for document in documents} == {"markdown", "text", "html", "pdf", "docx"}
    assert sum(document.lang == "zh" for document in documents) == 8
    assert sum(document.lang == "en" for document in documents) == 8
    names = {name for name, _ in sample_documents()}
    assert b"\xb4\xb0" not in dict(sample_documents())["参观指南.md"]
    with pytest.raises(UnicodeDecodeError):
        dict(sample_documents())["球幕影院.txt"].decode()
    assert {str(q["document"]) for lang in ("zh", "en") for q in questions(lang) if "document" in q} <= names


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_every_answerable_question_finds_its_passage(tmp_path: Path, lang: str) -> None:
    embedding = Embedding(Hashing(Hashing.Options(), HOME))
    knowledge = KnowledgeBase(tmp_path, Engines(embedding, Memory(Memory.Options(), HOME), HereReader()))
    await knowledge.open()
    for name, data in sample_documents():
        await knowledge.ingest(name, data)
    asked = questions(lang)
    assert [bool(q.get("unanswerable")) for q in asked] == [False] * 12 + [True] * 6
    found = 0
    for question in asked[:12]:
        answers = question["answer_any"]
        assert isinstance(answers, list)
        hits = (await knowledge.search(str(question["question"]), 6)).hits
        found += any(
            hit.passage.source == question["document"] and any(plain(a) in plain(hit.passage.text) for a in answers)
            for hit in hits
        )
    await knowledge.close()
    assert found >= 11, "with letters and words alone; the packaged embedder finds all twelve"
