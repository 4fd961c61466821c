"""Several knowledge bases side by side: isolated, carried in archives, brought over from the first layout."""

import asyncio
import hashlib
import json
import sqlite3
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from configs.engines import EngineSpec, build
from configs.home import Home
from knowledge.archive import pack
from knowledge.base import Engines
from knowledge.bases import Bases, UnknownBase
from knowledge.database import FILE
from knowledge.documents import DocumentError, KnowledgeUnavailable, QuestionAnswer
from knowledge.embedding import Embedding
from knowledge.store import VectorStore
from tests.doubles import HereReader
from tests.knowledge.test_base import GUIDE, SERVICES, Gated, Lasting, first, hashing, memory


@asynccontextmanager
async def opened(folder: Path, store: VectorStore | None = None) -> AsyncIterator[Bases]:
    bases = Bases(folder / "knowledge", Engines(Embedding(hashing()), store or memory(), HereReader()), keep=9)
    await bases.open()
    try:
        yield bases
    finally:
        await bases.close()


@pytest.fixture(params=["memory", "chroma"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> VectorStore:
    made: VectorStore = build("stores", EngineSpec(engine=request.param), Home(tmp_path / "data", tmp_path))
    return made


async def test_bases_know_nothing_of_each_other(tmp_path: Path, store: VectorStore) -> None:
    async with opened(tmp_path, store) as bases:
        await bases.create("bank", "海港银行")
        await bases.get("main").ingest("a.md", GUIDE.encode())
        await bases.get("bank").ingest("a.md", GUIDE.replace("60", "6000").encode())
        await bases.get("bank").put_curated(QuestionAnswer(("利率是多少？",), "年利率 3%。"))
        for name, price in (("main", "成人票 60 元。"), ("bank", "成人票 6000 元。")):
            await bases.get(name).settled()
            found = await bases.get(name).search("成人票多少钱", 9)
            assert first(found) == price and len(found.hits) == 2 and found.degraded is None
        assert (await bases.get("main").search("利率是多少？", 3)).curated is None
        assert bases.names() == ["bank", "main"] and bases.title("bank") == "海港银行"
        await bases.delete("bank")
        assert not (tmp_path / "knowledge" / "bank").exists()
        with pytest.raises(UnknownBase):
            bases.get("bank")
        again = await bases.create("bank")
        assert (await again.search("成人票", 9)).hits == ()
        await again.settled()
    store.close()


@pytest.mark.parametrize("name", ["", "A", "海港", "-a", "a" * 41, "a/b", "..", "a b"])
async def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    async with opened(tmp_path) as bases:
        with pytest.raises(DocumentError, match="name"):
            await bases.create(name)
        with pytest.raises(DocumentError, match="already"):
            await bases.create("main")
        with pytest.raises(DocumentError, match="cannot be deleted"):
            await bases.delete("main")


async def test_an_archive_carries_a_base_whole(tmp_path: Path) -> None:
    archive = tmp_path / "海港.zip"
    async with opened(tmp_path) as bases:
        base = await bases.create("harbour", "海港科学馆")
        await base.ingest("a.md", GUIDE.encode(), tags=["门票"])
        await base.ingest("services.md", SERVICES.encode())
        await base.put_curated(QuestionAnswer(("几点开门？",), "九点半。"))
        await base.ingest("a.md", GUIDE.replace("60", "80").encode())
        before = (base.documents(), await base.editions(), base.curated())
        await bases.export("harbour", archive)
    async with opened(tmp_path / "elsewhere") as bases:
        base = await bases.load(archive, "copy")
        assert (base.documents(), await base.editions(), base.curated()) == before
        assert bases.title("copy") == "海港科学馆"
        assert first(await base.search("成人票多少钱", 1)) == "成人票 80 元。"
        await base.rollback(2)
        assert first(await base.search("成人票多少钱", 1)) == "成人票 60 元。"
        with pytest.raises(DocumentError, match="already"):
            await bases.load(archive, "copy")


def packed(path: Path, library: bytes, manifest: dict[str, object] | None = None, name: str = FILE) -> Path:
    told = {"format": "zhubo-knowledge-1", "title": "x", "sha256": hashlib.sha256(library).hexdigest()}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("base.json", json.dumps({**told, **(manifest or {})}))
        archive.writestr(name, library)
        archive.writestr("../../evil.txt", "outside")
    return path


def trapped(tmp_path: Path) -> bytes:
    """A library of the right layout with one trigger more."""
    path = tmp_path / "trap.sqlite"
    from knowledge.database import Database

    Database(tmp_path / "made").close()
    path.write_bytes((tmp_path / "made" / FILE).read_bytes())
    with sqlite3.connect(path) as db:
        db.execute("CREATE TRIGGER trap AFTER INSERT ON note BEGIN DELETE FROM revision; END")
    db.close()
    return path.read_bytes()


async def test_a_bad_archive_leaves_nothing(tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    async with opened(tmp_path) as bases:
        await bases.export("main", whole)
        cut = tmp_path / "cut.zip"
        cut.write_bytes(whole.read_bytes()[:-40])
        text = tmp_path / "text.zip"
        text.write_text("这不是压缩包")
        library = b"SQLite format 3\0" + b"garbage" * 1000
        bad = {
            "cut": cut,
            "text": text,
            "garbage": packed(tmp_path / "a.zip", library),
            "false": packed(tmp_path / "b.zip", library, {"sha256": "0" * 64}),
            "format": packed(tmp_path / "c.zip", library, {"format": "other"}),
            "nothing": packed(tmp_path / "d.zip", library, name="x.sqlite"),
            "trap": packed(tmp_path / "e.zip", trapped(tmp_path)),
        }
        codes = {}
        for kind, archive in bad.items():
            with pytest.raises(DocumentError) as refused:
                await bases.load(archive, "new")
            codes[kind] = refused.value.code
            assert not (tmp_path / "knowledge" / "new").exists() and "new" not in bases.names()
        assert set(codes.values()) == {"not_an_archive", "damaged"} and codes["trap"] == "damaged"
        assert not list(tmp_path.parent.glob("evil.txt")) and not list(tmp_path.rglob("evil.txt"))


FIRST_LAYOUT = """
CREATE TABLE document (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, source TEXT NOT NULL UNIQUE, format TEXT NOT NULL, lang TEXT NOT NULL,
    sha256 TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE TABLE passage (
    id TEXT PRIMARY KEY, document TEXT NOT NULL REFERENCES document(id) ON DELETE CASCADE, ordinal INTEGER NOT NULL,
    section TEXT NOT NULL, page INTEGER, start INTEGER NOT NULL, stop INTEGER NOT NULL
) STRICT;
CREATE INDEX passage_of ON passage(document, ordinal);
CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
PRAGMA user_version = 1;
"""


async def test_a_library_of_the_first_layout_is_brought_over(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as db:
        db.executescript(FIRST_LAYOUT)
        text = "门票\n\n成人票 60 元。"
        db.execute("INSERT INTO document VALUES ('d', '指南', '指南.md', 'markdown', 'zh', 's', ?)", (text,))
        db.execute("INSERT INTO passage VALUES ('d.1', 'd', 0, '[\"门票\"]', NULL, 4, ?)", (len(text),))
    db.close()
    async with opened(tmp_path) as bases:
        main = bases.get("main")
        assert first(await main.search("成人票", 1)) == "成人票 60 元。"
        assert [entry.source for entry in main.documents()] == ["指南.md"] and main.state().edition == 1
        await bases.export("main", tmp_path / "a.zip")
        await bases.load(tmp_path / "a.zip", "copy")
    assert not (tmp_path / FILE).exists()


async def test_a_damaged_library_is_unavailable(tmp_path: Path) -> None:
    async with opened(tmp_path):
        pass
    (tmp_path / "knowledge" / "main" / FILE).write_bytes(b"garbage" * 1000)
    with pytest.raises(KnowledgeUnavailable):
        async with opened(tmp_path):
            pass


async def test_a_damaged_library_keeps_no_other_base_from_being_used(tmp_path: Path) -> None:
    async with opened(tmp_path) as bases:
        await bases.get("main").ingest("指南.md", GUIDE.encode())
        await bases.create("bank", "银行")
    (tmp_path / "knowledge" / "bank" / FILE).write_bytes(b"garbage" * 1000)
    async with opened(tmp_path) as bases:
        assert first(await bases.get("main").search("成人票", 1)) == "成人票 60 元。"
        bank = bases.get("bank")
        assert bases.names() == ["bank", "main"] and str(tmp_path / "knowledge" / "bank") in str(bank.state().trouble)
        for use in (lambda: bank.search("成人票", 1), lambda: bank.ingest("指南.md", GUIDE.encode()), bank.settled):
            with pytest.raises(KnowledgeUnavailable, match="bank"):
                await use()
        await bases.delete("bank")
        again = await bases.create("bank")
        await again.ingest("指南.md", GUIDE.encode())
        assert first(await again.search("成人票", 1)) == "成人票 60 元。"


@pytest.mark.parametrize(("table", "column"), [("revision", "dated"), ("revision", "tags"), ("passage", "section")])
async def test_damaged_values_in_a_library_keep_no_other_base_from_being_used(
    tmp_path: Path, table: str, column: str
) -> None:
    store = Lasting()
    async with opened(tmp_path, store) as bases:
        await bases.get("main").ingest("指南.md", GUIDE.encode())
        await bases.get("main").settled()
        mine = store.ids()
        await (await bases.create("bank")).ingest("服务.md", SERVICES.encode())
        await bases.get("bank").settled()
    with closing(sqlite3.connect(tmp_path / "knowledge" / "bank" / FILE)) as library, library:
        library.execute(f"UPDATE {table} SET {column} = ?", ("garbage{",))
    async with opened(tmp_path, store) as bases:
        assert first(await bases.get("main").search("成人票", 1)) == "成人票 60 元。"
        assert "is damaged" in str(bases.get("bank").state().trouble) and bases.get("bank").closed
        await bases.delete("bank")
        assert store.ids() == mine
    for leftover in ("bank", "main"):
        assert (tmp_path / "knowledge" / leftover).exists() == (leftover == "main")


async def test_a_copy_of_a_base_leaves_the_vectors_of_the_original_alone(tmp_path: Path) -> None:
    store = Lasting()
    async with opened(tmp_path, store) as bases:
        main = bases.get("main")
        await main.ingest("a.md", GUIDE.encode())
        await main.settled()
        before = store.ids()
        await bases.export("main", tmp_path / "a.zip")
        copy = await bases.load(tmp_path / "a.zip", "copy")
        await copy.settled()
        assert len(before) == 2 and store.added == 4
        held = {name: len(collection.ids()) for name, collection in store._collections.items()}
        assert sorted(held.values()) == [0, 0, 2, 2], "the original's vectors are there, and the copy's"


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE revision SET tags = '门票'",
        "UPDATE revision SET dated = 'yesterday'",
        "INSERT INTO curated (id, lang, content, since) VALUES ('a', 'zh', '{}', 1)",
    ],
)
async def test_an_archive_that_cannot_be_served_leaves_nothing(tmp_path: Path, harm: str) -> None:
    library, archive = tmp_path / "copy.sqlite", tmp_path / "a.zip"
    async with opened(tmp_path) as bases:
        await bases.get("main").ingest("a.md", GUIDE.encode())
        await bases.get("main").export(library)
        with sqlite3.connect(library) as db:
            db.execute(harm)
        db.close()
        pack(library, "x", archive)
        with pytest.raises(DocumentError) as refused:
            await bases.load(archive, "new")
        assert refused.value.code == "damaged" and bases.names() == ["main"]
        assert not (tmp_path / "knowledge" / "new").exists()
    async with opened(tmp_path) as bases:
        assert bases.names() == ["main"]


async def test_a_packed_library_that_does_not_unpack_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    async with opened(tmp_path) as bases:
        await bases.get("main").ingest("a.md", (GUIDE * 50).encode())
        await bases.export("main", archive)
        with zipfile.ZipFile(archive) as packed:
            info = packed.getinfo(FILE)
        whole = bytearray(archive.read_bytes())
        at = info.header_offset + 30 + len(FILE)
        whole[at : at + 9] = b"\xff" * 9
        archive.write_bytes(whole)
        with pytest.raises(DocumentError) as refused:
            await bases.load(archive, "new")
        assert refused.value.code == "not_an_archive" and not (tmp_path / "knowledge" / "new").exists()


async def test_a_base_is_deleted_while_vectors_are_made_for_it(tmp_path: Path) -> None:
    embedder = Gated()
    bases = Bases(tmp_path, Engines(Embedding(embedder), memory(), HereReader(), sentences=False))
    await bases.open()
    base = await bases.create("x")
    publishing = asyncio.create_task(base.publish([("a.md", GUIDE.encode())]))
    await asyncio.to_thread(embedder.entered.acquire)
    async with asyncio.timeout(60):
        deleting = asyncio.create_task(bases.delete("x"))
        with pytest.raises(KnowledgeUnavailable):
            await publishing
        embedder.gate.release(100)
        await deleting
        await bases.close()
    assert not (tmp_path / "x").exists()
