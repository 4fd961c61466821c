"""A watched folder on a real disk with real events, and what comes of it in the knowledge base."""

import asyncio
import os
import unicodedata
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.language import detect
from knowledge.documents import DocumentError, Entry, Ingested, KnowledgeUnavailable
from knowledge.folder import Changed, Folder, Stillness
from knowledge.ingest import digest, document_id
from knowledge.parse import FileLimits, parse
from knowledge.watch import Pace, Trouble, Watch

SOON = Pace(settle=0.05, sweep=60.0, retry=0.05)
LIMITS = FileLimits(size=10_000)
ZH, EN = "# 参观指南\n\n周二至周日开门。\n", "# Visit\n\nThe car park has 240 spaces.\n"


class Shelf:
    """A desk that really parses, in memory. While `closed` it takes nothing."""

    def __init__(self, *uploaded: str) -> None:
        self.texts: dict[str, str] = {}
        self.entries: dict[str, Entry] = {}
        self.taken: list[str] = []
        self.closed = False
        for source in uploaded:
            self._put(source, ZH.encode())

    async def ingest(self, name: str, data: bytes) -> Ingested:
        if self.closed:
            raise KnowledgeUnavailable("too many documents are being taken in; try again in a while")
        self.taken.append(name)
        return self._put(name, data)

    def _put(self, name: str, data: bytes) -> Ingested:
        kind, parsed = parse(name, data, FileLimits())
        entry = Entry(
            document_id(name), parsed.title, name, kind, detect(parsed.text) or "en", digest(data), len(parsed.text), 1
        )
        self.texts[name], self.entries[entry.id] = parsed.text, entry
        return Ingested(entry, unchanged=False)

    async def remove(self, identifier: str) -> bool:
        entry = self.entries.pop(identifier, None)
        if entry is not None:
            del self.texts[entry.source]
        return entry is not None

    def documents(self) -> list[Entry]:
        return list(self.entries.values())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "资料 documents"
    folder.mkdir()
    return folder


@asynccontextmanager
async def watching(folder: Path, shelf: Shelf, pace: Pace = SOON) -> AsyncIterator[Watch]:
    watch = Watch(folder, shelf, limits=LIMITS, pace=pace)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def holds(shelf: Shelf, *names: str) -> Callable[[], bool]:
    return lambda: sorted(shelf.texts) == sorted(names)


def has(watch: Watch, *troubles: tuple[str, str]) -> Callable[[], bool]:
    return lambda: [(trouble.name, trouble.code) for trouble in watch.troubles()] == sorted(troubles)


async def test_the_folder_and_its_documents_become_one_and_others_are_left_alone(folder: Path) -> None:
    (folder / "参观.md").write_text(ZH)
    (folder / "old").mkdir()
    (folder / "old" / "visit.md").write_text(EN)
    shelf = Shelf("upload.md", "folder:gone.md", "folder:参观.md", "folders.md")
    async with watching(folder, shelf):
        await until(holds(shelf, "upload.md", "folders.md", "folder:参观.md", "folder:old/visit.md"))
        (folder / "票价.txt").write_text("成人票 60 元。")
        await until(lambda: "folder:票价.txt" in shelf.texts)
        (folder / "票价.txt").write_text("成人票 80 元。")
        await until(lambda: "80" in shelf.texts["folder:票价.txt"])
        (folder / "old").rename(folder / "新")
        await until(holds(shelf, "upload.md", "folders.md", "folder:参观.md", "folder:新/visit.md", "folder:票价.txt"))
        for path in ("参观.md", "票价.txt", "新/visit.md"):
            (folder / path).unlink()
        await until(holds(shelf, "upload.md", "folders.md"))


async def test_what_has_not_changed_is_taken_once(folder: Path) -> None:
    (folder / "a.md").write_text(EN)
    shelf = Shelf()
    async with watching(folder, shelf):
        await until(holds(shelf, "folder:a.md"))
        (folder / "b.md").write_text(ZH)
        await until(holds(shelf, "folder:a.md", "folder:b.md"))
    assert shelf.taken == ["folder:a.md", "folder:b.md"]


async def test_a_file_that_an_editor_replaces_is_changed_and_never_gone(folder: Path) -> None:
    (folder / "a.md").write_text(EN)
    shelf = Shelf()
    async with watching(folder, shelf):
        await until(holds(shelf, "folder:a.md"))
        (folder / ".a.md.swp").write_text(ZH)
        (folder / ".a.md.swp").rename(folder / "a.md")
        await until(lambda: "周二" in shelf.texts["folder:a.md"])
    assert shelf.taken == ["folder:a.md"] * 2


async def test_what_is_no_document_is_left_out_and_told(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.md"
    outside.write_text("内部机密")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "secret.md").write_text("内部机密")
    (folder / "good.md").write_text(ZH)
    (folder / "inside.md").symlink_to(folder / "good.md")
    (folder / "outside.md").symlink_to(outside)
    (folder / "more").symlink_to(tmp_path / "more")
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "app.exe").write_bytes(b"MZ")
    (folder / "large.txt").write_text("大" * 4000)
    (folder / "pipe.md").mkdir()
    for hidden in (".hidden.md", "~$good.docx", "good.md~", ".git/readme.md"):
        (folder / hidden).parent.mkdir(exist_ok=True)
        (folder / hidden).write_text(EN)
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "fifo.md")
    shelf = Shelf()
    async with watching(folder, shelf) as watch:
        fifo = [("fifo.md", "link")] if hasattr(os, "mkfifo") else []
        skipped = [("app.exe", "unsupported"), ("large.txt", "too_large"), ("loop.md", "unreadable")]
        await until(has(watch, *fifo, *skipped, ("more", "link"), ("outside.md", "link")))
        await until(holds(shelf, "folder:good.md", "folder:inside.md"))
        (folder / "large.txt").write_text("小")
        (folder / "app.exe").unlink()
        await until(holds(shelf, "folder:good.md", "folder:inside.md", "folder:large.txt"))
        await until(has(watch, *fifo, ("loop.md", "unreadable"), ("more", "link"), ("outside.md", "link")))
    assert not any("机密" in text for text in shelf.texts.values())


async def test_a_bad_file_is_told_once_stops_nothing_and_leaves_its_document(folder: Path) -> None:
    told: list[Trouble] = []
    (folder / "a.md").write_text(EN)
    shelf = Shelf()
    watch = Watch(folder, shelf, limits=LIMITS, pace=SOON, report=told.append)
    task = asyncio.create_task(watch.run())
    await until(holds(shelf, "folder:a.md"))
    (folder / "a.md").write_bytes(b"PK\x03\x04 is no archive")
    await until(lambda: len(told) == 1)
    (folder / "b.md").write_text(ZH)
    await until(lambda: "folder:b.md" in shelf.texts)
    assert [(trouble.name, trouble.code) for trouble in told] == [("a.md", "damaged")]
    assert "240 spaces" in shelf.texts["folder:a.md"]
    (folder / "a.md").write_text(ZH)
    await until(lambda: "周二" in shelf.texts["folder:a.md"] and not watch.troubles())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_folder_goes_and_comes_back(folder: Path) -> None:
    shelf = Shelf("folder:kept.md")
    folder.rmdir()
    async with watching(folder, shelf) as watch:
        await until(has(watch, ("", "missing")))
        folder.mkdir()
        await until(has(watch, ("", "empty")))
        (folder / "kept.md").write_text(ZH)
        (folder / "new.md").write_text(EN)
        await until(holds(shelf, "folder:kept.md", "folder:new.md"))
        await until(has(watch))
        away = folder.rename(folder.with_name("away"))
        await until(has(watch, ("", "missing")))
        assert len(shelf.texts) == 2
        (away / "new.md").unlink()
        (away / "newer.md").write_text(EN)
        away.rename(folder)
        await until(holds(shelf, "folder:kept.md", "folder:newer.md"))
        (folder / "last.md").write_text(EN)
        await until(lambda: "folder:last.md" in shelf.texts)


async def test_a_folder_made_anew_at_the_same_place_is_watched(folder: Path) -> None:
    shelf = Shelf()
    (folder / "a.md").write_text(EN)
    async with watching(folder, shelf):
        await until(holds(shelf, "folder:a.md"))
        (folder / "a.md").unlink()
        folder.rmdir()
        folder.mkdir()
        (folder / "b.md").write_text(EN)
        await until(holds(shelf, "folder:b.md"))
        (folder / "c.md").write_text(ZH)
        await until(holds(shelf, "folder:b.md", "folder:c.md"))


async def test_another_folder_put_in_its_place_is_watched(folder: Path) -> None:
    other = folder.with_name("other")
    other.mkdir()
    (other / "b.md").write_text(EN)
    shelf = Shelf()
    (folder / "a.md").write_text(EN)
    async with watching(folder, shelf):
        await until(holds(shelf, "folder:a.md"))
        folder.rename(folder.with_name("away"))
        other.rename(folder)
        await until(holds(shelf, "folder:b.md"))
        (folder / "c.md").write_text(ZH)
        await until(holds(shelf, "folder:b.md", "folder:c.md"))


async def test_a_knowledge_base_that_takes_nothing_now_is_asked_again(folder: Path) -> None:
    shelf = Shelf()
    shelf.closed = True
    (folder / "a.md").write_text(EN)
    async with watching(folder, shelf) as watch:
        await until(has(watch, ("", "unavailable")))
        shelf.closed = False
        await until(holds(shelf, "folder:a.md"))
        await until(has(watch))


async def test_a_disk_that_tells_nothing_is_looked_through(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    monkeypatch.setenv("WATCHFILES_POLL_DELAY_MS", "3600000")
    shelf = Shelf()
    async with watching(folder, shelf, Pace(settle=0.05, sweep=0.1, retry=0.05)):
        await until(holds(shelf))
        (folder / "a.md").write_text(EN)
        await until(holds(shelf, "folder:a.md"))


async def test_an_empty_folder_that_appears_unheard_is_a_disk_that_is_gone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    monkeypatch.setenv("WATCHFILES_POLL_DELAY_MS", "3600000")
    (folder / "a.md").write_text(EN)
    folder.with_name("mountpoint").mkdir()
    shelf = Shelf()
    async with watching(folder, shelf, Pace(settle=0.05, sweep=0.1, retry=0.05)) as watch:
        await until(holds(shelf, "folder:a.md"))
        folder.rename(folder.with_name("disk"))
        folder.with_name("mountpoint").rename(folder)
        await until(has(watch, ("", "empty")))
        assert list(shelf.texts) == ["folder:a.md"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_a_name_is_the_same_in_every_normal_form(folder: Path, form: str) -> None:
    name = "Café 參觀ガイド.md"
    (folder / unicodedata.normalize(form, name)).write_text(ZH)  # type: ignore[arg-type]
    shelf = Shelf()
    async with watching(folder, shelf):
        await until(holds(shelf, f"folder:{unicodedata.normalize('NFC', name)}"))


def test_two_files_of_one_name_are_told_apart_and_gbk_names_are_read(folder: Path) -> None:
    for form in ("NFC", "NFD"):
        (folder / unicodedata.normalize(form, "é.md")).write_text(EN)  # type: ignore[arg-type]
    with suppress(OSError):  # a disk that keeps only names in its own encoding
        Path(os.fsdecode(os.fsencode(folder) + b"/" + "票价.md".encode("gbk"))).write_text(ZH)
    view = Folder(folder, LIMITS).view()
    assert set(view.files) - {"票价.md"} == {"é.md"}
    assert list(view.skipped.values()).count("twin") == len(os.listdir(folder)) - len(view.files)


async def test_what_may_not_be_read_stays_as_it_was(folder: Path) -> None:
    (folder / "a.md").write_text(EN)
    (folder / "in").mkdir()
    (folder / "in" / "b.md").write_text(EN)
    (folder / "a.md").chmod(0)
    (folder / "in").chmod(0)
    if os.access(folder / "a.md", os.R_OK):
        pytest.skip("this user may read everything")
    shelf = Shelf("folder:a.md", "folder:in/b.md")
    async with watching(folder, shelf) as watch:
        await until(has(watch, ("a.md", "unreadable"), ("in", "unreadable")))
        assert len(shelf.texts) == 2
        (folder / "a.md").chmod(0o600)
        (folder / "in").chmod(0o700)
        await until(lambda: sorted(shelf.taken) == ["folder:a.md", "folder:in/b.md"])


def test_a_file_that_has_changed_since_it_was_seen_is_not_read(folder: Path, tmp_path: Path) -> None:
    path, seen = folder / "a.md", Folder(folder, LIMITS)
    path.write_text(ZH)
    file = seen.view().files["a.md"]
    assert seen.read("a.md", file) == ZH.encode()
    with path.open("a") as opened:
        opened.write("more")
    with pytest.raises(Changed):
        seen.read("a.md", file)
    path.unlink()
    with pytest.raises(Changed):
        seen.read("a.md", file)
    (tmp_path / "secret.md").write_text(ZH)
    path.symlink_to(tmp_path / "secret.md")
    with pytest.raises(OSError):
        seen.read("a.md", file)
    path.unlink()
    path.write_text("大" * 4000)
    with pytest.raises(DocumentError, match="a.md"):
        seen.read("a.md", seen.view().files["a.md"])


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 2)), min_size=1, max_size=30))
def test_nothing_is_settled_before_its_time(steps: list[tuple[float, int]]) -> None:
    still, now, since, state = Stillness(1.0), 0.0, 0.0, -1
    for wait, size in steps:
        now += wait
        if size != state:
            state, since = size, now
        assert still.settled("a.md", size, now) == (now - since >= 1.0 and now > since)


def test_a_file_being_written_waits() -> None:
    still = Stillness(1.0)
    assert not any(still.settled("a.md", size, size * 0.9) for size in range(100))
    assert not still.settled("a.md", 99, 99 * 0.9 + 0.5)
    assert still.settled("a.md", 99, 99 * 0.9 + 1.0)
