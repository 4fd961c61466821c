"""Our retriever as LangChain takes it, and LangChain's stores as the vector store."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from configs.engines import ConfigError, EngineSpec, build
from configs.home import Home
from knowledge.documents import Hit, KnowledgeUnavailable, Passage, Place, Retrieval
from knowledge.engines.langchain import Retriever
from knowledge.store import StoreError, VectorStore
from tests.contract.test_stores import vectors

TEXT = "成人票每张60元。"
PASSAGE = Passage("p1", "d1", "参观指南", TEXT, Place(("票价",), 3, 10, 20, at=12.5), source="guide.pdf", revision=4)


class Base:
    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []
        self.there = True

    async def search(self, question: str, count: int) -> Retrieval:
        self.asked.append((question, count))
        if not self.there:
            raise KnowledgeUnavailable("the library cannot be read")
        return Retrieval(
            question, (Hit(PASSAGE, 2.0, 9.0, 1.0, 0.9), Hit(replace(PASSAGE, id="p2"), 1, 1, 1, None)), {}
        )


async def test_hits_become_documents_that_say_where_they_stand() -> None:
    base = Base()
    found = await Retriever(base=base, count=2).ainvoke("成人票多少钱？")
    assert base.asked == [("成人票多少钱？", 2)]
    assert [(document.id, document.page_content) for document in found] == [("p1", TEXT), ("p2", TEXT)]
    assert found[0].metadata == {
        "document": "d1",
        "source": "guide.pdf",
        "title": "参观指南",
        "revision": 4,
        "section": ["票价"],
        "page": 3,
        "at": 12.5,
        "start": 10,
        "end": 20,
        "score": 2.0,
        "dense": 0.9,
        "rerank": None,
    }


async def test_it_is_part_of_a_chain_and_of_another_thread() -> None:
    retriever = Retriever(base=Base())
    chain = retriever | (lambda documents: [document.metadata["page"] for document in documents])
    assert await chain.ainvoke("票价？") == [3, 3]
    assert len(await asyncio.to_thread(retriever.invoke, "How much?")) == 2
    with pytest.raises(RuntimeError, match="ainvoke"):
        retriever.invoke("How much?")


async def test_knowledge_that_cannot_be_read_is_told() -> None:
    base = Base()
    base.there = False
    with pytest.raises(KnowledgeUnavailable):
        await Retriever(base=base).ainvoke("票价？")


def store(folder: Path, **options: object) -> VectorStore:
    made: VectorStore = build("stores", EngineSpec(engine="langchain", options=options), Home(folder, folder))
    return made


@pytest.mark.parametrize("name", ["langchain_core.vectorstores", "langchain_core.vectorstores:Nothing", ":x"])
def test_a_class_that_is_none_is_an_error_of_the_settings(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="class"):
        store(tmp_path, **{"class": name})


def test_a_store_that_fails_or_has_lost_its_vectors_is_an_error_of_the_store(tmp_path: Path) -> None:
    made = store(tmp_path, **{"class": "tests.knowledge.test_langchain:Forgetful"})
    collection = made.collection("海港科学馆")
    collection.add(["a", "b"], vectors(2))
    with pytest.raises(StoreError, match="lost"):
        collection.search(vectors(1)[0], 1)
    with pytest.raises(StoreError, match="out of order"):
        collection.remove(["a"])
    assert collection.ids() == {"a", "b"}
    made.close()


class Forgetful:
    def __init__(self, embedding: object) -> None:
        pass

    def add_texts(self, texts: list[str], ids: list[str]) -> None:
        pass

    def delete(self, ids: list[str]) -> None:
        raise KeyError("out of order")

    def similarity_search(self, query: str, k: int) -> list[object]:
        return []
