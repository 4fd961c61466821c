"""Chroma's own faults: a folder that is deleted, overwritten or replaced while serving, a server that is killed."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import numpy as np
import pytest

from configs.home import Home
from knowledge.engines.chroma import Chroma, collection_name
from knowledge.store import StoreError, VectorCollection
from tests.contract.chroma_server import ChromaServer, chroma_server
from tests.contract.test_stores import vectors

IDS = [f"p{i}" for i in range(1200)]
ROWS = vectors(1200)


def chroma(folder: Path, **options: object) -> Chroma:
    return Chroma(Chroma.Options.model_validate(options), Home(folder, folder))


def delete(folder: Path) -> None:
    shutil.rmtree(folder)


def replace_by_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_bytes(b"no folder")


def each(change: Callable[[Path], None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for path in folder.rglob("*"):
            if path.is_file():
                change(path)

    damage.__name__ = change.__name__
    return damage


@each
def overwrite(path: Path) -> None:
    path.write_bytes(os.urandom(path.stat().st_size))


@each
def empty(path: Path) -> None:
    path.write_bytes(b"")


@each
def overwrite_the_middle(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(min(3 * 4096, size))
        file.write(os.urandom(max(size - 3 * 4096, 0)))


@each
def write_anew_in_place_of(path: Path) -> None:
    path.unlink()
    path.write_bytes(b"garbage")


DAMAGES = [delete, replace_by_a_file, overwrite, empty, write_anew_in_place_of]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Chroma]:
    store = chroma(tmp_path)
    for name in ("main", "海港科学馆"):
        store.collection(name).add(IDS, ROWS)
    yield store
    store.close()


def works(collection: VectorCollection) -> None:
    assert collection.ids() == set()
    collection.add(IDS[:3], ROWS[:3])
    assert collection.ids() == set(IDS[:3]) and collection.search(ROWS[1], 1)[0][0] == "p1"


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_folder_is_an_error_at_the_next_call_and_made_anew_without_a_restart(
    filled: Chroma, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    collection, other = filled.collection("main"), filled.collection("海港科学馆")
    assert collection.search(ROWS[5], 1)[0][0] == other.search(ROWS[5], 1)[0][0] == "p5"
    damage(tmp_path / "chroma")
    for _ in range(2):
        with pytest.raises(StoreError):
            collection.search(ROWS[5], 1)
        with pytest.raises(StoreError):
            collection.add(["new"], ROWS[:1])
    filled.drop("main")
    works(filled.collection("main"))
    with pytest.raises(StoreError):
        other.ids()
    works(filled.collection("海港科学馆"))


def test_damage_that_only_some_calls_come_across_gives_no_wrong_results_and_is_found_by_a_drop(
    filled: Chroma, tmp_path: Path
) -> None:
    collection = filled.collection("main")
    overwrite_the_middle(tmp_path / "chroma")
    for row in range(20):
        with suppress(StoreError):
            assert collection.search(ROWS[row], 1)[0][0] == f"p{row}"
    filled.drop("main")
    works(filled.collection("main"))


@pytest.mark.parametrize("damage", [delete, overwrite, empty], ids=lambda damage: damage.__name__)
def test_a_folder_damaged_between_runs_is_made_anew(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    store = chroma(tmp_path)
    store.collection("main").add(IDS, ROWS)
    store.close()
    damage(tmp_path / "chroma")
    store = chroma(tmp_path)
    if damage is overwrite:
        for _ in range(2):
            with pytest.raises(StoreError, match="not a database"):
                store.collection("main").ids()
    store.drop("main")
    works(store.collection("main"))
    store.close()
    again = chroma(tmp_path)
    assert again.collection("main").ids() == set(IDS[:3])
    again.close()
    assert len(list((tmp_path / "chroma").iterdir())) == 1


def deadly(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for path in folder.glob(f"*/*/{file}"):
            path.write_bytes(change(path.read_bytes()))

    damage.__name__ = file
    return damage


DEADLY = [
    deadly("link_lists.bin", lambda data: bytes(len(data))),
    deadly("data_level0.bin", lambda data: b"\xa5" * len(data)),
    deadly("header.bin", lambda data: data[: len(data) // 2]),
]
"""Damages that Chroma dies of by SIGSEGV when it reads them."""

START = """
import sys
from pathlib import Path
from tests.knowledge.test_chroma import IDS, ROWS, chroma, works
store = chroma(Path(sys.argv[1]))
assert store.collection("main").search(ROWS[5], 1) == []
works(store.collection("main"))
store.close()
store = chroma(Path(sys.argv[1]))
assert store.collection("main").ids() == set(IDS[:3])
store.close()
print("works")
"""


@pytest.mark.parametrize("sealed", [True, False], ids=["closed before", "killed before"])
@pytest.mark.parametrize("damage", DEADLY, ids=lambda damage: damage.__name__)
def test_a_damage_that_ends_a_process_does_not_end_ours_and_begins_a_new_folder(
    filled: Chroma, tmp_path: Path, damage: Callable[[Path], None], sealed: bool
) -> None:
    filled.close()
    if not sealed:
        next((tmp_path / "chroma").glob("*/sealed")).unlink()
    damage(tmp_path / "chroma")
    run = subprocess.run([sys.executable, "-c", START, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "works\n"), run.stderr
    assert "are damaged and made anew" in run.stderr


def test_what_a_killed_process_left_behind_is_gone_on_with(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from tests.knowledge.test_chroma import IDS, ROWS, chroma;"
        "chroma(Path(sys.argv[1])).collection('main').add(IDS, ROWS); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False).returncode == -9
    for _ in ("as the killed process left it", "as a process that was closed left it"):
        store = chroma(tmp_path)
        assert store.collection("main").ids() == set(IDS)
        assert store.collection("main").search(ROWS[5], 1)[0][0] == "p5"
        store.close()


def test_an_index_that_is_gone_is_no_empty_result(filled: Chroma, tmp_path: Path) -> None:
    filled.close()
    for index in (tmp_path / "chroma").glob("*/*/"):
        shutil.rmtree(index)
    store = chroma(tmp_path)
    with pytest.raises(StoreError):
        store.collection("main").search(ROWS[5], 1)
    store.drop("main")
    works(store.collection("main"))
    store.close()


def test_readers_meet_only_errors_of_the_store_while_the_folder_is_lost_and_renewed(
    filled: Chroma, tmp_path: Path
) -> None:
    done = Event()

    def read() -> int:
        failures = 0
        while not done.is_set():
            try:
                filled.collection("海港科学馆").search(ROWS[5], 3, set(IDS[:50]))
            except StoreError:
                failures += 1
        return failures

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(read) for _ in range(3)]
        try:
            for _ in range(5):
                shutil.rmtree(tmp_path / "chroma")
                filled.drop("main")
                works(filled.collection("main"))
        finally:
            done.set()
        assert sum(reader.result() for reader in readers) > 0


def test_vectors_and_drops_are_kept_over_a_restart(tmp_path: Path) -> None:
    for _ in range(2):
        store = chroma(tmp_path)
        store.collection("main").add(IDS[:3], ROWS[:3])
        store.collection("other").add(IDS[:1], ROWS[:1])
        store.close()
    store = chroma(tmp_path)
    assert store.collection("main").ids() == set(IDS[:3])
    store.drop("main")
    store.close()
    store = chroma(tmp_path)
    assert store.collection("main").ids() == set() and store.collection("other").ids() == {"p0"}
    store.close()


def test_what_an_earlier_version_left_in_the_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "chroma" / "5d1c").mkdir(parents=True)
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"")
    store = chroma(tmp_path)
    works(store.collection("main"))
    assert [path.name for path in (tmp_path / "chroma").iterdir()] == ["1"]
    store.close()


def test_a_search_misses_hardly_any_of_the_nearest(tmp_path: Path) -> None:
    store = chroma(tmp_path)
    rows, questions = vectors(3000, 384), vectors(20, 384, seed=9)
    collection = store.collection("main")
    collection.add([f"p{i}" for i in range(3000)], rows)
    nearest = [{f"p{i}" for i in order[:64]} for order in np.argsort(-questions @ rows.T)]
    found = [{name for name, _ in collection.search(question, 64)} for question in questions]
    assert sum(len(a & b) for a, b in zip(nearest, found, strict=True)) >= 0.95 * 20 * 64
    store.close()


def test_a_server_that_is_not_there_is_an_error_of_each_use_until_it_comes(tmp_path: Path) -> None:
    server = ChromaServer(tmp_path)
    store = chroma(tmp_path, **server.options)
    collection = store.collection("main")
    for _ in range(2):
        with pytest.raises(StoreError, match=f"127.0.0.1:{server.port}"):
            collection.ids()
    with pytest.raises(StoreError):
        store.drop("main")
    try:
        server.start()
        works(collection)
    finally:
        store.close()
        server.kill()


def test_a_server_that_never_answers_is_an_error_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.engines.chroma._SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = chroma(tmp_path, host="127.0.0.1", port=silent.getsockname()[1])
        with pytest.raises(StoreError):
            store.collection("main").ids()
        store.close()


def test_a_server_killed_while_it_writes_comes_back_with_what_it_had_acknowledged(tmp_path: Path) -> None:
    with chroma_server(tmp_path) as server:
        store = chroma(tmp_path, **server.options)
        collection = store.collection("海港科学馆")
        acknowledged: list[str] = []
        written = Event()

        def write() -> None:
            for at in range(0, len(IDS), 20):
                collection.add(IDS[at : at + 20], ROWS[at : at + 20])
                acknowledged.extend(IDS[at : at + 20])
                if len(acknowledged) >= 200:
                    written.set()

        with ThreadPoolExecutor(1) as thread:
            writing = thread.submit(write)
            written.wait(60)
            server.kill()
            assert isinstance(writing.exception(), StoreError)
        with pytest.raises(StoreError):
            collection.search(ROWS[0], 1)
        server.start()
        assert collection.ids() >= set(acknowledged)
        assert collection.search(ROWS[150], 1)[0][0] == "p150"
        collection.add(IDS, ROWS)
        assert collection.ids() == set(IDS)
        store.close()


def test_instances_that_share_a_server_have_collections_of_their_own(tmp_path: Path) -> None:
    with chroma_server(tmp_path) as server:
        one, two, again = (chroma(tmp_path / name, **server.options) for name in ("one", "two", "one"))
        one.collection("main").add(IDS[:3], ROWS[:3])
        assert two.collection("main").ids() == set() and again.collection("main").ids() == set(IDS[:3])
        two.drop("main")
        assert one.collection("main").ids() == set(IDS[:3])
        ours, theirs = (chroma(tmp_path / name, collection="shared", **server.options) for name in ("one", "two"))
        ours.collection("main").add(IDS[:2], ROWS[:2])
        assert theirs.collection("main").ids() == set(IDS[:2])
        for store in (one, two, again, ours, theirs):
            store.close()


def test_collection_names_are_mapped_to_what_chroma_allows() -> None:
    names = ["zhubo", "海港科学馆", "海港", "a", "-x-", "x" * 600]
    mapped = [collection_name(name) for name in names]
    assert mapped[0] == "zhubo" and len(set(mapped)) == len(names)
    assert all(name.isascii() and 3 <= len(name) <= 512 for name in mapped)
