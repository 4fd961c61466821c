"""A lasting LangChain store, langchain-chroma, as the vector store."""

from pathlib import Path

from configs.engines import EngineSpec, build
from configs.home import Home
from knowledge.store import VectorStore
from tests.contract.test_stores import vectors


def store(folder: Path) -> VectorStore:
    options = {
        "class": "langchain_chroma:Chroma",
        "embedding": "embedding_function",
        "name": "collection_name",
        "arguments": {"persist_directory": str(folder / "theirs")},
    }
    made: VectorStore = build("stores", EngineSpec(engine="langchain", options=options), Home(folder, folder))
    return made


def test_it_is_a_store_that_keeps_its_vectors_over_a_restart(tmp_path: Path) -> None:
    rows = vectors(40)
    names = [f"第{i}段" for i in range(40)]
    first = store(tmp_path)
    first.collection("海港科学馆").add(names, rows)
    first.collection("main").add(["a"], rows[:1])
    first.collection("海港科学馆").remove(names[:2])
    first.close()
    again = store(tmp_path)
    collection = again.collection("海港科学馆")
    assert collection.ids() == set(names[2:]) and again.collection("main").ids() == {"a"}
    (name, similarity), *_ = collection.search(rows[7], 3)
    assert name == "第7段" and abs(similarity - 1) < 1e-4
    assert [name for name, _ in collection.search(rows[7], 1, {"第9段", "第0段"})] == ["第9段"]
    collection.add(["第7段"], -rows[7:8])
    assert collection.search(rows[7], 1)[0][0] != "第7段"
    again.drop("海港科学馆")
    assert again.collection("海港科学馆").ids() == set() and again.collection("main").ids() == {"a"}
    again.close()
