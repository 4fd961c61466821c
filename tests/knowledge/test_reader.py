"""Files are read in a process of their own, which may fail without harm."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from knowledge import wire
from knowledge.documents import DocumentError, KnowledgeUnavailable, Place
from knowledge.ingest import Reading, read
from knowledge.limits import FileLimits
from knowledge.reader import Reader
from knowledge.sandbox import Budget
from tests.knowledge.specimens import specimens

HEAVY = "海港科学馆周二至周日开放，成人票六十元。\n".encode() * 300_000


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    made = Reader()
    yield made
    await made.close()


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "knowledge.sandbox" in " ".join(child.cmdline())]


async def code(reader: Reader, data: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        await reader.read("a.txt", data)
    return caught.value.code


async def test_a_reading_is_the_same_from_another_process(reader: Reader) -> None:
    for specimen in specimens():
        expected = read(specimen.name, specimen.data, FileLimits())
        assert await reader.read(specimen.name, specimen.data) == expected
    assert len(children()) == 1


async def test_refusals_come_back_as_they_are(reader: Reader) -> None:
    with pytest.raises(DocumentError, match="damaged archive") as caught:
        await reader.read("馆.docx", b"PK\x03\x04junk")
    assert caught.value.code == "damaged" and "馆.docx" in str(caught.value)
    assert await code(Reader(FileLimits(size=10)), b"x" * 11) == "too_large"
    assert len(children()) == 1


@pytest.mark.parametrize("budget", [Budget(cpu=1), Budget(wall=1), Budget(memory=300_000_000)], ids=str)
async def test_what_costs_too_much_is_stopped_and_the_next_file_is_read(budget: Budget) -> None:
    """The budget is what a slow machine needs for one word, its first one, and a fast one not for 300,000 lines."""
    async with AsyncExitStack() as closing:
        reader = Reader(budget=budget)
        closing.push_async_callback(reader.close)
        await reader.read("a.txt", b"Welcome.")
        with pytest.raises(DocumentError, match="split the file") as caught:
            await reader.read("a.txt", HEAVY)
        assert caught.value.code == "too_costly"
        assert (await reader.read("b.txt", b"Welcome.")).text == "Welcome."
    assert not children()


async def test_a_crash_is_the_file_s_fault_and_ends_there(reader: Reader) -> None:
    await reader.read("a.txt", b"Welcome.")
    reading = asyncio.create_task(reader.read("a.txt", HEAVY))
    await busy()
    children()[0].send_signal(signal.SIGSEGV)
    with pytest.raises(DocumentError) as caught:
        await reading
    assert caught.value.code == "damaged"
    assert (await reader.read("b.txt", b"Welcome.")).text == "Welcome."


async def test_a_process_that_dies_at_rest_is_replaced(reader: Reader) -> None:
    await reader.read("a.txt", b"Welcome.")
    (child,) = children()
    child.kill()
    while reader.warm:
        await asyncio.sleep(0.005)
    assert (await reader.read("b.txt", b"Welcome.")).text == "Welcome."


async def test_a_cancelled_read_stops_its_process(reader: Reader) -> None:
    await reader.read("a.txt", b"Welcome.")
    (child,) = children()
    reading = asyncio.create_task(reader.read("a.txt", HEAVY))
    await busy()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert child not in children()
    assert (await reader.read("b.txt", b"Welcome.")).text == "Welcome."


async def busy() -> None:
    """Until the process has begun to compute."""
    (child,) = children()
    before = child.cpu_times().user
    while child.cpu_times().user - before < 0.05:
        await asyncio.sleep(0.005)


async def test_files_are_read_one_at_a_time_and_a_process_reads_only_so_many() -> None:
    reader = Reader(files=3)
    await reader.open()
    seen = set()
    for _ in range(3):
        seen.update(child.pid for child in children())
        await asyncio.gather(*(reader.read("a.txt", b"Welcome.") for _ in range(2)))
        assert len(children()) == 1
    assert len(seen) == 2
    await reader.close()
    assert not children()


async def test_a_closed_reader_reads_nothing() -> None:
    reader = Reader()
    await reader.close()
    with pytest.raises(KnowledgeUnavailable):
        await reader.read("a.txt", b"Welcome.")


async def test_closing_stops_what_is_being_read() -> None:
    reader = Reader()
    await reader.read("a.txt", b"Welcome.")
    reading = asyncio.create_task(reader.read("a.txt", HEAVY))
    await busy()
    await reader.close()
    with pytest.raises(KnowledgeUnavailable):
        await reading
    assert not children()


@pytest.mark.skipif(os.name != "posix", reason="limits of processes")
async def test_the_process_has_no_secrets_and_can_do_nothing(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZHUBO__MODEL__OPTIONS__API_KEY", "secret")
    await reader.read("a.txt", b"Welcome.")
    (child,) = children()
    assert not any(name.startswith("ZHUBO") for name in child.environ())
    if hasattr(child, "rlimit"):
        assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
        assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert child.rlimit(psutil.RLIMIT_AS)[0] == Budget().memory


READING = read("a.md", b"# Museum\n\nAdults pay sixty.\n", FileLimits())


def received(frames: list[bytes]) -> Reading:
    head = wire.opening(frames[0])
    text = wire.words(frames[1])
    return wire.reading(head, text, [wire.passages(frame, len(text)) for frame in frames[2:]])


def test_frames_are_a_reading_again() -> None:
    assert received(list(wire.frames(READING))) == READING


@pytest.mark.parametrize(
    "place",
    [
        *(Place((), None, 0, 1000), Place((), None, -1, 3), Place((), None, 3, 3), Place((), 0, 0, 3)),
        *(Place((), None, 2, 3, None, (0, 1000)), Place((), None, 0, 3, None, (1, 5))),
    ],
)
def test_a_passage_outside_the_text_is_no_passage(place: Place) -> None:
    frames = list(wire.frames(READING))
    forged = Reading("text", "", "en", READING.text, (place,), READING.terms[:1])
    with pytest.raises(wire.WireError):
        received([*frames[:2], list(wire.frames(forged))[2]])


@pytest.mark.parametrize(
    "frames",
    [
        *([b"{}", b""], [b"\x80\x04K\x01.", b""], [b'{"format": "exe"}', b""]),
        *([None, b"\xff\xfe"], [None, None, b'{"places": [], "terms": []}'], [None, None, b'{"places": 1}']),
    ],
)
def test_what_is_no_reading_is_refused(frames: list[bytes | None]) -> None:
    whole = list(wire.frames(READING))
    with pytest.raises(wire.WireError):
        received([told if told is not None else whole[index] for index, told in enumerate(frames)])
