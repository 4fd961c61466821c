"""What every vector store must do."""

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from configs.engines import EngineSpec, build
from configs.home import Home
from knowledge.embedding import Vectors
from knowledge.engines.chroma import Chroma, collection_name
from knowledge.store import StoreError, VectorStore


def vectors(count: int, dimension: int = 16) -> Vectors:
    rows = np.random.default_rng(7).normal(size=(count, dimension)).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


@pytest.fixture(params=["memory", "chroma"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    made: VectorStore = build("stores", EngineSpec(engine=request.param), Home(tmp_path, tmp_path))
    yield made
    made.close()


def test_search_is_by_cosine_best_first(store: VectorStore) -> None:
    rows = vectors(50)
    store.add([f"p{i}" for i in range(50)], rows)
    found = store.search(rows[7], 5)
    expected = np.argsort(-(rows @ rows[7]))[:5]
    assert [name for name, _ in found] == [f"p{i}" for i in expected]
    np.testing.assert_allclose([value for _, value in found], (rows @ rows[7])[expected], atol=1e-4)


def test_an_empty_store_finds_nothing_and_few_are_all_found(store: VectorStore) -> None:
    assert store.search(vectors(1)[0], 5) == [] and store.ids() == set()
    store.add(["甲", "b"], vectors(2))
    assert {name for name, _ in store.search(vectors(1)[0], 64)} == {"甲", "b"} == store.ids()


def test_adding_again_replaces_and_removing_forgets(store: VectorStore) -> None:
    rows = vectors(4)
    store.add(["a", "b", "c"], rows[:3])
    store.add(["a"], rows[3:])
    assert store.search(rows[3], 1)[0][0] == "a" and store.ids() == {"a", "b", "c"}
    store.remove(["a", "never there"])
    store.remove([])
    assert store.ids() == {"b", "c"} and store.search(rows[3], 9)[0][0] != "a"
    assert [name for name, _ in store.search(rows[2], 1)] == ["c"]


def test_a_cleared_store_takes_another_dimension(store: VectorStore) -> None:
    store.add(["a"], vectors(1))
    store.clear()
    assert store.ids() == set()
    store.add(["b"], vectors(1, 8))
    assert store.search(vectors(1, 8)[0], 1)[0][0] == "b"


def test_a_wrong_dimension_is_an_error_of_the_store(store: VectorStore) -> None:
    store.add(["a"], vectors(1))
    with pytest.raises(StoreError):
        store.search(vectors(1, 8)[0], 1)
    with pytest.raises(StoreError):
        store.add(["b"], vectors(1, 8))


def test_chroma_keeps_its_vectors_over_a_restart(tmp_path: Path) -> None:
    home = Home(tmp_path, tmp_path)
    rows = vectors(3)
    for _ in range(2):
        store: VectorStore = build("stores", EngineSpec(engine="chroma"), home)
        store.add(["a", "b", "c"], rows)
        store.close()
    store = build("stores", EngineSpec(engine="chroma"), home)
    assert store.ids() == {"a", "b", "c"} and store.search(rows[1], 1)[0][0] == "b"
    store.close()


def test_a_chroma_server_that_is_not_there_is_an_error_of_its_first_use(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spec = EngineSpec(engine="chroma", options={"host": "127.0.0.1", "port": port})
    store: VectorStore = build("stores", spec, Home(tmp_path, tmp_path))
    for _ in range(2):
        with pytest.raises(StoreError, match=f"127.0.0.1:{port}"):
            store.ids()
    store.close()


def test_instances_that_share_a_chroma_server_have_collections_of_their_own(tmp_path: Path) -> None:
    options = Chroma.Options(host="127.0.0.1")
    homes = [Home(tmp_path / name, tmp_path) for name in ("one", "two", "one")]
    one, two, again = (Chroma(options, home)._name for home in homes)
    assert one == again != two
    assert Chroma(Chroma.Options(host="127.0.0.1", collection="ours"), homes[0])._name == "ours"


def test_collection_names_are_mapped_to_what_chroma_allows() -> None:
    names = ["zhubo", "海港科学馆", "海港", "a", "-x-", "x" * 600]
    mapped = [collection_name(name) for name in names]
    assert mapped[0] == "zhubo" and len(set(mapped)) == len(names)
    assert all(name.isascii() and 3 <= len(name) <= 512 for name in mapped)
