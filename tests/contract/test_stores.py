"""What every vector store must do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from configs.engines import EngineSpec, build
from configs.home import Home
from knowledge.embedding import Vectors
from knowledge.store import StoreError, VectorCollection, VectorStore
from tests.contract.chroma_server import ChromaServer, chroma_server

NAMES = ["main", "海港科学馆", "a", "-x- y/z", "馆" * 600]


def vectors(count: int, dimension: int = 16, seed: int = 7) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    with chroma_server(tmp_path_factory.mktemp("chroma")) as running:
        yield running


@pytest.fixture(params=["memory", "chroma", "chroma server", "langchain"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    match request.param:
        case "chroma server":
            server: ChromaServer = request.getfixturevalue("server")
            spec = EngineSpec(engine="chroma", options=server.options)
        case "langchain":
            spec = EngineSpec(engine="langchain", options={"class": "langchain_core.vectorstores:InMemoryVectorStore"})
        case name:
            spec = EngineSpec(engine=name)
    made: VectorStore = build("stores", spec, Home(tmp_path, tmp_path))
    yield made
    made.close()


@pytest.fixture
def collection(store: VectorStore) -> VectorCollection:
    return store.collection("海港科学馆")


def test_search_is_by_cosine_best_first(collection: VectorCollection) -> None:
    rows = vectors(50)
    collection.add([f"p{i}" for i in range(50)], rows)
    found = collection.search(rows[7], 5)
    expected = np.argsort(-(rows @ rows[7]))[:5]
    assert [name for name, _ in found] == [f"p{i}" for i in expected]
    np.testing.assert_allclose([value for _, value in found], (rows @ rows[7])[expected], atol=1e-4)


def test_an_empty_collection_finds_nothing_and_few_are_all_found(collection: VectorCollection) -> None:
    assert collection.search(vectors(1)[0], 5) == [] and collection.ids() == set()
    assert collection.search(vectors(1)[0], 5, {"a"}) == [] and collection.vectors(["a"]) == {}
    collection.add(["甲", "b"], vectors(2))
    assert {name for name, _ in collection.search(vectors(1)[0], 64)} == {"甲", "b"} == collection.ids()


def test_adding_again_replaces_and_removing_forgets(collection: VectorCollection) -> None:
    rows = vectors(4)
    collection.add(["a", "b", "c"], rows[:3])
    collection.add(["a"], rows[3:])
    assert collection.search(rows[3], 1)[0][0] == "a" and collection.ids() == {"a", "b", "c"}
    collection.remove(["a", "never there"])
    collection.remove([])
    assert collection.ids() == {"b", "c"} and collection.search(rows[3], 9)[0][0] != "a"
    assert [name for name, _ in collection.search(rows[2], 1)] == ["c"]


def test_after_everything_is_removed_there_is_nothing_and_room_for_more(collection: VectorCollection) -> None:
    collection.add(["a", "b"], vectors(2))
    collection.remove(["a", "b"])
    assert collection.search(vectors(1)[0], 3) == [] and collection.ids() == set()
    collection.add(["b"], vectors(2)[1:])
    assert [name for name, _ in collection.search(vectors(2)[1], 3)] == ["b"]


@pytest.mark.parametrize("share", ["few", "most", "all", "none of them there"])
def test_a_search_among_some_finds_what_is_nearest_of_these(collection: VectorCollection, share: str) -> None:
    rows, question = vectors(300), vectors(1, seed=8)[0]
    collection.add([f"p{i}" for i in range(300)], rows)
    far_first = [int(at) for at in np.argsort(rows @ question)]
    chosen = {"few": far_first[:20], "most": far_first[:280], "all": far_first, "none of them there": []}[share]
    among = {f"p{i}" for i in chosen} | {"没有这一段", "gone"}
    expected = [f"p{i}" for i in reversed(chosen)][:10]
    assert [name for name, _ in collection.search(question, 10, among)] == expected
    assert collection.search(question, 10, set()) == []


def test_vectors_come_back_as_they_were_added(collection: VectorCollection) -> None:
    rows = vectors(3)
    collection.add(["甲", "b", "c"], rows)
    found = collection.vectors(["b", "甲", "b", "never there"])
    assert found.keys() == {"甲", "b"} and all(vector.dtype == np.float32 for vector in found.values())
    np.testing.assert_allclose(np.stack([found["甲"], found["b"]]), rows[:2], atol=1e-6)
    assert collection.vectors([]) == {}


def test_collections_are_told_apart_by_any_name_and_dropped_alone(store: VectorStore) -> None:
    for at, name in enumerate(NAMES):
        store.collection(name).add([f"p{at}"], vectors(1, 8 + at))
    assert [store.collection(name).ids() for name in NAMES] == [{f"p{at}"} for at in range(len(NAMES))]
    store.drop(NAMES[1])
    store.drop("从未有过")
    assert [store.collection(name).ids() for name in NAMES] == [{"p0"}, set(), {"p2"}, {"p3"}, {"p4"}]


def test_a_dropped_collection_takes_another_dimension(store: VectorStore) -> None:
    store.collection("main").add(["a"], vectors(1))
    store.drop("main")
    collection = store.collection("main")
    assert collection.ids() == set()
    collection.add(["b"], vectors(1, 8))
    assert collection.search(vectors(1, 8)[0], 1)[0][0] == "b"


def test_a_wrong_dimension_is_an_error_of_the_store(collection: VectorCollection) -> None:
    collection.add(["a"], vectors(1))
    with pytest.raises(StoreError):
        collection.search(vectors(1, 8)[0], 1)
    with pytest.raises(StoreError):
        collection.add(["b"], vectors(1, 8))
    assert collection.ids() == {"a"}


def test_more_at_once_than_a_batch_takes(collection: VectorCollection) -> None:
    names = [f"p{i}" for i in range(2500)]
    rows = vectors(2500, 8)
    collection.add(names, rows)
    assert collection.ids() == set(names)
    assert collection.vectors(names).keys() == set(names)
    assert collection.search(rows[1700], 1, set(names[1001:2200]))[0][0] == "p1700"
    collection.remove(names[:2400])
    assert collection.ids() == set(names[2400:])


def test_several_threads_with_a_collection_each_share_a_store(store: VectorStore) -> None:
    def work(name: str) -> set[str]:
        collection, rows = store.collection(name), vectors(40)
        for at in range(0, 40, 4):
            collection.add([f"{name}{i}" for i in range(at, at + 4)], rows[at : at + 4])
            assert collection.search(rows[at], 1)[0][0] == f"{name}{at}"
        return collection.ids()

    names = ["甲馆", "乙馆", "c", "d"]
    with ThreadPoolExecutor(4) as threads:
        for name, found in zip(names, threads.map(work, names), strict=True):
            assert found == {f"{name}{i}" for i in range(40)}
