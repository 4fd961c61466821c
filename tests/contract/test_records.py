"""What every place that conversations are kept in must do, held against each engine."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.engines.postgres_records import PostgresRecords
from agent.engines.sqlite_records import SqliteRecords
from agent.memory.records import (
    Consent,
    Conversation,
    Erasure,
    Exchange,
    Fact,
    Heard,
    Records,
    RecordsError,
    Summary,
    Tally,
    Vector,
)
from tests.postgres import MISSING, Cluster, cluster, programs

WORDS = ("李雷对花生过敏", "Emily is allergic to shellfish")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Cluster]:
    if programs() is None:
        pytest.skip(MISSING)
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the records are: the same for each `opened` of one test."""
    if request.param == "sqlite":
        return str(tmp_path / "data" / "memory.sqlite")
    running: Cluster = request.getfixturevalue("postgres")
    return running.database(f"t{time.monotonic_ns()}")


def opened(place: str) -> Records:
    return PostgresRecords(place) if place.startswith("postgresql:") else SqliteRecords(Path(place))


@pytest.fixture
async def records(place: str) -> AsyncIterator[Records]:
    opened_records = opened(place)
    yield opened_records
    await opened_records.aclose()


def conversation(key: str, user: str = "u", last: float = 2.0) -> Conversation:
    return Conversation(key, user, "guide", "main", "zh", 1.0, last)


def exchange(key: str, turn: int, asked: str = "几点开门？", heard: str = "上午十点。") -> Exchange:
    return Exchange(key, turn, asked, heard, "zh", 1.5)


def fact(id: str, user: str = "u", key: str = "", text: str = "我叫李雷", said: float = 1.0) -> Fact:
    return Fact(id, user, key or id, text, "zh", said, "c", 1)


async def test_what_is_written_is_read_by_the_next_process(place: str) -> None:
    first, spoken = opened(place), [exchange("c", 1), exchange("c", 2, "And on Mondays?", "")]
    kept = Summary("c", 1, "问了开门时间。", "zh", 3.0)
    known = [replace(fact("f"), vector=b"\x00\x01", embedder="e5"), fact("g", text="I live in Bristol", said=2.0)]
    agreed = Consent("u", True, 4.0)
    await first.write([conversation("c"), *spoken, kept, *known, agreed])
    await first.aclose()
    second = opened(place)
    assert await second.conversation("c") == conversation("c")
    assert await second.exchanges("c") == tuple(spoken) and await second.exchanges("c", 1) == (spoken[1],)
    assert await second.summary("c") == kept
    assert await second.facts("u") == (known[1], known[0]), "the latest first"
    assert await second.consent("u") == agreed
    assert await second.users() == (Tally("u", 1, 2, True, 4.0),)
    await second.aclose()


async def test_nothing_is_there_at_first(records: Records) -> None:
    assert await records.conversation("c") is None and await records.summary("c") is None
    assert await records.consent("u") is None and await records.facts("u") == ()
    assert await records.exchanges("c") == () and await records.users() == ()


async def test_a_later_entry_takes_the_place_of_an_earlier_one(records: Records) -> None:
    await records.write(
        [conversation("c"), exchange("c", 1), Summary("c", 1, "one", "en", 1.0), Consent("u", True, 1.0)]
    )
    later = replace(conversation("c", last=9.0), lang="en")
    await records.write([later, Heard("c", 1, "上午"), Summary("c", 1, "two", "en", 2.0), Consent("u", False, 2.0)])
    assert await records.conversation("c") == later
    assert [one.heard for one in await records.exchanges("c")] == ["上午"]
    found, consent = await records.summary("c"), await records.consent("u")
    assert found is not None and found.text == "two" and consent == Consent("u", False, 2.0)


async def test_a_user_has_one_fact_of_a_key_and_shares_none(records: Records) -> None:
    await records.write([fact("a", "u", "name", "我叫李雷"), fact("b", "v", "name", "我叫韩梅梅")])
    await records.write(
        [fact("a", "u", "name", "我叫李磊", said=5.0), Vector("b", b"1234", "e5"), Vector("gone", b"1", "e5")]
    )
    assert [one.text for one in await records.facts("u")] == ["我叫李磊"]
    assert [(one.text, one.vector) for one in await records.facts("v")] == [("我叫韩梅梅", b"1234")]


async def test_what_is_said_of_something_forgotten_is_not_kept(records: Records) -> None:
    await records.write([Heard("c", 1, "late"), Summary("c", 7, "of exchanges that are gone", "en", 1.0)])
    assert await records.exchanges("c") == () and await records.summary("c") is None


async def test_all_of_a_batch_or_none(records: Records) -> None:
    await records.write([conversation("c")])
    with pytest.raises(RecordsError) as refused:
        await records.write([exchange("c", 1), replace(exchange("c", 2), heard=None)])  # type: ignore[arg-type]
    assert refused.value.code == "refused"
    assert await records.exchanges("c") == ()
    await records.write([exchange("c", 3)])
    assert len(await records.exchanges("c")) == 1


async def test_an_erasure_takes_what_it_names_and_nothing_else(records: Records) -> None:
    of = {"c": "u", "d": "u", "e": "v", "f": ""}
    await records.write([conversation(key, user) for key, user in of.items()])
    await records.write([exchange(key, turn) for key in of for turn in (1, 2)])
    await records.write([Summary(key, 2, key, "zh", 1.0) for key in of])
    await records.write(
        [fact("1", "u"), fact("2", "u"), fact("3", "v"), Consent("u", True, 1.0), Consent("v", True, 1.0)]
    )
    await records.erase(Erasure(facts=("1",), exchanges=(("c", 1),), summaries=("c",)))
    assert [one.id for one in await records.facts("u")] == ["2"]
    assert [one.turn for one in await records.exchanges("c")] == [2] and await records.summary("c") is None
    await records.erase(Erasure(conversations=("f",)))
    assert await records.conversation("f") is None and await records.exchanges("f") == ()
    assert await records.summary("f") is None and await records.summary("d") is not None
    await records.erase(Erasure(users=("u",)))
    assert await records.users() == (Tally("v", 1, 1, True, 2.0),)
    assert [len(await records.exchanges(key)) for key in of] == [0, 0, 2, 0]
    assert await records.summary("d") is None and await records.summary("e") is not None


async def test_what_is_too_old_goes(records: Records) -> None:
    await records.write([conversation("old", last=10.0), conversation("new", last=20.0)])
    await records.write([exchange("old", 1), exchange("new", 1), fact("f", said=10.0), fact("g", said=20.0)])
    assert await records.expire(15.0, 5.0) == 1
    assert await records.conversation("old") is None and await records.exchanges("old") == ()
    assert len(await records.exchanges("new")) == 1
    assert await records.expire(15.0, 15.0) == 1 and [one.id for one in await records.facts("u")] == ["g"]
    assert await records.expire(15.0, 15.0) == 0


async def test_many_may_ask_at_once(records: Records) -> None:
    await asyncio.gather(*(records.write([conversation(f"c{n}", f"u{n}"), exchange(f"c{n}", 1)]) for n in range(20)))
    found = await asyncio.gather(*(records.conversations(f"u{n}") for n in range(20)))
    assert [one[0].key for one in found] == [f"c{n}" for n in range(20)]


async def test_two_processes_may_use_it_at_once(records: Records, place: str) -> None:
    other = opened(place)
    await asyncio.gather(records.conversation("x"), other.conversation("x"))
    for n in range(10):
        await records.write([exchange("c", 2 * n)])
        await other.write([exchange("c", 2 * n + 1)])
    assert len(await records.exchanges("c", -1)) == len(await other.exchanges("c", -1)) == 20
    await other.erase(Erasure(exchanges=tuple(("c", n) for n in range(20))))
    assert await records.exchanges("c", -1) == ()
    await other.aclose()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=50))
async def test_any_text_comes_back_as_it_was(records: Records, text: str) -> None:
    await records.write([exchange("c", 1, text, text), fact("f", text=text), Summary("c", 1, text, "en", 1.0)])
    assert (await records.exchanges("c"))[0].asked == text and (await records.facts("u"))[0].text == text


async def test_a_newer_layout_is_left_alone(place: str) -> None:
    first = opened(place)
    await first.write([conversation("c")])
    if isinstance(first, PostgresRecords):
        await first._transact([("INSERT INTO layout VALUES ($1)", (99,))])
    else:
        await first._call(lambda db: db.execute("PRAGMA user_version = 99"))  # type: ignore[attr-defined]
    await first.aclose()
    second = opened(place)
    with pytest.raises(RecordsError) as refused:
        await second.write([conversation("d")])
    assert refused.value.code == "layout" and "99" in str(refused.value)
    await second.aclose()


def traces(folder: Path, words: str, leave: str = "") -> list[Path]:
    """The files that have the words in UTF-8 or UTF-16, except those under a folder called `leave`."""
    sought = [words.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")]
    files = [path for path in folder.rglob("*") if path.is_file() and leave not in path.parts]
    return [path for path in files if any(each in _content(path) for each in sought)]


def _content(path: Path) -> bytes:
    """Nothing of a file that is gone: the audit log's mark is put in place of the one before."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


@pytest.mark.parametrize("words", WORDS)
async def test_no_file_has_a_trace_of_what_was_erased(place: str, words: str, request: pytest.FixtureRequest) -> None:
    """PostgreSQL's write-ahead log keeps its image until those segments are used again: it is the exception."""
    records, filler = opened(place), "别的话 something else " * 40
    for n in range(40):
        await records.write([conversation("c", "u"), exchange("c", n, f"{words}，{n}", f"{words} {filler}")])
        await records.write([conversation("d", "v"), exchange("d", n, filler, filler)])
        await records.write([fact(f"f{n}", text=f"{words} {n}"), Summary("c", n, words, "zh", 1.0)])
    await records.erase(Erasure(exchanges=tuple(("c", n) for n in range(0, 40, 3)), facts=("f1",)))
    await records.erase(Erasure(users=("u",)))
    if isinstance(records, PostgresRecords):
        running: Cluster = request.getfixturevalue("postgres")
        await records._rows("CHECKPOINT")
        assert traces(running.folder, words, leave="pg_wal") == []
    else:
        assert traces(Path(place).parent, words) == []
    assert len(await records.exchanges("d", -1)) == 40
    await records.aclose()
