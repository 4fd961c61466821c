"""The audit log: whole or told to be broken, synced, and never in the way of a conversation."""

import asyncio
import errno
import threading
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audit import Audit, Entry, fingerprint
from agent.chain import Break, Chain, Record

ENTRIES = [Entry("operator 梅", "take over", "s1"), Entry("operator key", "POST /v1/knowledge", detail={"status": 201})]


def chain(folder: Path, most: int = 10_000_000) -> Chain:
    return Chain(folder / "audit.jsonl", most)


def written(folder: Path, count: int = 5, most: int = 10_000_000) -> Chain:
    log = chain(folder, most)
    for number in range(count):
        log.append({"what": f"entry {number}", "who": "操作员"})
    return log


def test_what_is_appended_is_read_back_in_order_and_whole(tmp_path: Path) -> None:
    log = written(tmp_path)
    assert [record["what"] for record in log.records()] == [f"entry {number}" for number in range(5)]
    assert log.verify() is None and chain(tmp_path).verify() is None


@pytest.mark.parametrize(
    ("damage", "line", "problem"),
    [
        (lambda lines: [*lines[:1], lines[1].replace(b"entry 1", b"entry x"), *lines[2:]], 2, "altered"),
        (lambda lines: [*lines[:2], *lines[3:]], 3, "missing"),
        (lambda lines: lines[:-1], 0, "the end is missing"),
        (lambda lines: [], 0, "the end is missing"),
        (lambda lines: [*lines[:3], b"{}\n", *lines[3:]], 4, "not a line"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4, "missing"),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1, "missing"),
        (lambda lines: [*lines[:1], b"\xff\n", *lines[2:]], 2, "not a line"),
    ],
    ids=["altered", "taken out", "cut off", "emptied", "put in", "doubled", "swapped", "garbled"],
)
@pytest.mark.parametrize("goes_on", [False, True])
def test_a_broken_chain_is_found_even_when_the_log_goes_on(  # type: ignore[no-untyped-def]
    tmp_path: Path, damage, line: int, problem: str, goes_on: bool
) -> None:
    log = written(tmp_path)
    file = tmp_path / "audit.jsonl"
    file.write_bytes(b"".join(damage(file.read_bytes().splitlines(keepends=True))))
    if goes_on:
        log.append({"what": "after", "who": "somebody"})
    found = log.verify()
    assert isinstance(found, Break)
    if not goes_on or line:
        assert found.line == line and problem in found.problem


def test_what_a_crash_left_of_a_line_is_taken_off_and_the_chain_goes_on(tmp_path: Path) -> None:
    log = written(tmp_path, 3)
    file = tmp_path / "audit.jsonl"
    with file.open("ab") as torn:
        torn.write(b'{"n": 4, "what": "ent')
    assert log.verify() == Break("audit.jsonl", 4, "not a line of the log")
    log.append({"what": "entry 3"})
    assert log.verify() is None and len(list(log.records())) == 4


def test_files_are_set_aside_by_size_and_the_chain_runs_through_them(tmp_path: Path) -> None:
    log = written(tmp_path, 30, most=1000)
    assert len(log.files()) > 3 and all(file.stat().st_size < 1300 for file in log.files())
    assert log.verify() is None and [record["n"] for record in log.records()] == list(range(1, 31))
    log.files()[1].unlink()
    assert log.verify() is not None
    for file in log.files()[:-1]:
        file.unlink()
    assert log.verify() is None, "what was before may be thrown away"


def test_a_log_that_is_deleted_is_missed(tmp_path: Path) -> None:
    log = written(tmp_path, 3)
    (tmp_path / "audit.jsonl").unlink()
    assert log.verify() is not None
    log.append({"what": "after"})
    assert log.verify() == Break("audit.jsonl", 1, "line 1 is missing: this is line 4")


def test_a_lost_mark_is_made_anew(tmp_path: Path) -> None:
    log = written(tmp_path, 12, most=1000)
    (tmp_path / "audit.head").unlink()
    assert log.verify() is None
    log.append({"what": "after"})
    assert log.verify() is None
    (tmp_path / "audit.jsonl").write_bytes(b"")
    assert log.verify() is not None


def test_several_writers_keep_one_chain(tmp_path: Path) -> None:
    threads = [threading.Thread(target=written, args=(tmp_path, 10, 1000)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = chain(tmp_path, 1000)
    assert log.verify() is None and len(list(log.records())) == 40


@settings(max_examples=25, deadline=None)
@given(
    who=st.text(max_size=30),
    detail=st.dictionaries(st.text(max_size=9), st.integers(-(2**53), 2**53) | st.text(max_size=20)),
)
def test_any_entry_can_be_written(tmp_path_factory: pytest.TempPathFactory, who: str, detail: dict[str, str]) -> None:
    folder = tmp_path_factory.mktemp("audit")
    plain = who.encode("utf-8", "replace").decode()

    async def go() -> None:
        async with Audit(chain(folder)) as audit:
            audit.record(Entry(who, "whatever", detail=detail))

    asyncio.run(go())
    log = chain(folder)
    assert log.verify() is None and [record["who"] for record in log.records()] == [plain]


async def test_entries_are_written_by_themselves_and_all_of_them_before_the_end(tmp_path: Path) -> None:
    log = chain(tmp_path)
    async with Audit(log) as audit:
        for entry in ENTRIES * 20:
            audit.record(entry)
    assert len(list(log.records())) == 40 and audit.state().pending == 0


class Full(Chain):
    """A disk that takes nothing until there is room."""

    room = False

    def append(self, record: Record) -> None:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().append(record)


async def test_a_full_disk_is_told_stops_nothing_and_what_was_lost_is_counted(tmp_path: Path) -> None:
    log = Full(tmp_path / "audit.jsonl")
    async with Audit(log, retry=0.01) as audit:
        for entry in ENTRIES * 600:
            audit.record(entry)
        async with asyncio.timeout(60):
            while audit.state().trouble is None:
                await asyncio.sleep(0)
        state = audit.state()
        assert state.pending == 1000 and state.lost == 200 and "No space left" in str(state.trouble)
        log.room = True
        async with asyncio.timeout(60):
            while audit.state().pending > 990:
                await asyncio.sleep(0.01)
        assert audit.state().trouble is None
        told = list(log.records())
        assert [entry["what"] for entry in told].count("lost") == 1
        first, second = told[:2]
        assert (first["what"], first["detail"]) == ("lost", {"entries": 200}) and second["what"] == "take over"
        audit._entries.clear()
    assert log.verify() is None


async def test_a_full_disk_does_not_keep_the_server_from_ending(tmp_path: Path) -> None:
    async with asyncio.timeout(60):
        async with Audit(Full(tmp_path / "audit.jsonl")) as audit:
            audit.record(ENTRIES[0])
    assert audit.state().trouble is not None


def test_words_leave_their_length_and_their_hash() -> None:
    told = fingerprint("请稍等，我马上来")
    assert told["characters"] == 8 and "请" not in orjson.dumps(dict(told)).decode()
