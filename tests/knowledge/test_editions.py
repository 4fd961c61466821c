"""Editions: what is published in one step, what can be returned to, what is forgotten, and the labels of documents."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from knowledge.base import KnowledgeBase
from knowledge.documents import DocumentError, Filter, QuestionAnswer
from tests.knowledge.test_base import GUIDE, SERVICES, Gated, Lasting, first, opened

PRICES = "# 票价\n\n成人票 80 元。\n"
SHEET = "question,answer\nWhen is lunch?,Lunch is from 11:30 to 14:00.\n午餐几点？,午餐 11:30 到 14:00。\n"


async def sources(knowledge: KnowledgeBase) -> list[str]:
    return [entry.source for entry in knowledge.documents()]


async def test_every_change_is_an_edition_and_one_that_is_kept_can_be_returned_to(tmp_path: Path) -> None:
    async with opened(tmp_path, keep=10) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.ingest("b.md", SERVICES.encode())
        await knowledge.ingest("a.md", GUIDE.replace("60", "80").encode())
        await knowledge.remove(knowledge.documents()[1].id)
        editions = await knowledge.editions()
        assert [(one.number, one.documents, one.current) for one in editions] == [
            (4, 1, True),
            (3, 2, False),
            (2, 2, False),
            (1, 1, False),
        ]
        assert (await knowledge.rollback()).number == 5
        assert await sources(knowledge) == ["a.md", "b.md"]
        assert first(await knowledge.search("成人票多少钱", 1)) == "成人票 80 元。"
        await knowledge.rollback(2)
        assert first(await knowledge.search("成人票多少钱", 1)) == "成人票 60 元。"
        assert first(await knowledge.search("parking spaces", 1)) == "The car park has 240 spaces."
        await knowledge.settled()
    async with opened(tmp_path, keep=10) as knowledge:
        assert knowledge.state().edition == 6
        assert first(await knowledge.search("成人票多少钱", 1)) == "成人票 60 元。"


async def test_a_return_finds_the_old_vectors_there(tmp_path: Path) -> None:
    store = Lasting()
    async with opened(tmp_path, store=store, keep=5) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.settled()
        await knowledge.ingest("a.md", GUIDE.replace("60", "80").encode())
        await knowledge.settled()
        assert store.added == 3
        await knowledge.rollback()
        found = await knowledge.search("成人票", 1)
        assert found.degraded is None and first(found) == "成人票 60 元。" and found.hits[0].dense is not None
        await knowledge.settled()
        assert store.added == 3


async def test_only_so_many_editions_are_kept_and_their_vectors_with_them(tmp_path: Path) -> None:
    store = Lasting()
    async with opened(tmp_path, store=store, keep=2) as knowledge:
        for price in range(60, 66):
            await knowledge.ingest("a.md", GUIDE.replace("60", str(price)).encode())
            await knowledge.settled()
        assert [one.number for one in await knowledge.editions()] == [6, 5]
        assert len(store.ids()) == 3, "one passage of both, and one of each"
        with pytest.raises(DocumentError, match="not kept"):
            await knowledge.rollback(3)
        await knowledge.rollback(5)
        assert first(await knowledge.search("成人票", 1)) == "成人票 64 元。"


async def test_an_old_citation_finds_the_revision_it_was_taken_from(tmp_path: Path) -> None:
    async with opened(tmp_path, keep=5) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        passage = (await knowledge.search("成人票", 1)).hits[0].passage
        await knowledge.ingest("a.md", ("# 新的开头\n\n" + PRICES).encode())
        old = await knowledge.document(passage.document, passage.revision)
        new = await knowledge.document(passage.document)
        assert old is not None and old.text[passage.place.start : passage.place.end] == "成人票 60 元。"
        assert new is not None and "80" in new.text and new.revision > old.revision
        assert await knowledge.document(passage.document, 999) is None


async def test_a_removal_for_ever_leaves_nothing_to_return_to(tmp_path: Path) -> None:
    store = Lasting()
    async with opened(tmp_path, store=store, keep=9) as knowledge:
        done = await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.ingest("b.md", SERVICES.encode())
        await knowledge.settled()
        assert await knowledge.remove(done.document.id)
        assert await knowledge.remove(done.document.id, forever=True), "out of the editions that are kept"
        assert not await knowledge.remove(done.document.id, forever=True)
        await knowledge.rollback(1)
        assert (await knowledge.search("成人票", 9)).hits == () and await sources(knowledge) == []
        await knowledge.settled()
        assert len(store.ids()) == 2
    assert "成人票".encode() not in (tmp_path / "library.sqlite").read_bytes()


async def test_many_files_are_one_edition_that_answers_when_it_is_complete(tmp_path: Path) -> None:
    embedder = Gated()
    async with opened(tmp_path, embedder, keep=9) as knowledge:
        embedder.gate.release(2)
        await knowledge.ingest("old.md", GUIDE.encode())
        await knowledge.settled()
        files = [("new.md", PRICES.encode()), ("services.md", SERVICES.encode())]
        publishing = asyncio.create_task(knowledge.publish(files, replace=True, note="winter"))
        for _ in range(3):
            await asyncio.to_thread(embedder.entered.acquire, timeout=60)
        assert first(await knowledge.search("成人票", 1)) == "成人票 60 元。", "the old edition answers meanwhile"
        assert await sources(knowledge) == ["old.md"]
        embedder.gate.release(3)
        edition = await publishing
        assert (edition.number, edition.note, edition.documents, edition.current) == (2, "winter", 2, True)
        found = await knowledge.search("成人票", 1)
        assert first(found) == "成人票 80 元。" and found.hits[0].dense is not None
        assert await sources(knowledge) == ["new.md", "services.md"]


async def test_one_bad_file_of_many_leaves_everything_or_is_left_out(tmp_path: Path) -> None:
    store = Lasting()
    async with opened(tmp_path, store=store, keep=9) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.settled()
        files = [("b.md", SERVICES.encode()), ("空.md", b""), ("b.md", GUIDE.encode())]
        with pytest.raises(DocumentError):
            await knowledge.publish(files, replace=True)
        assert await sources(knowledge) == ["a.md"] and len(await knowledge.editions()) == 1
        left: list[tuple[str, str]] = []
        await knowledge.publish(files, skip=lambda name, error: left.append((name, error.code)))
        assert await sources(knowledge) == ["a.md", "b.md"] and len(await knowledge.editions()) == 2
        assert left == [("空.md", "empty"), ("b.md", "same_name")]
        await knowledge.settled()
        assert len(store.ids()) == 4


async def test_a_search_sees_all_of_a_change_or_nothing(tmp_path: Path) -> None:
    def book(word: str) -> bytes:
        return "\n".join(f"## 第 {n} 节\n\n展品 {n} 属于{word}。\n" for n in range(300)).encode()

    async with opened(tmp_path) as knowledge:
        await knowledge.ingest("a.md", book("旧馆"))
        change = asyncio.create_task(knowledge.ingest("a.md", book("新馆")))
        seen = set()
        while not change.done():
            hits = (await knowledge.search("展品属于哪里", 20)).hits
            seen.add(frozenset("新馆" if "新馆" in hit.passage.text else "旧馆" for hit in hits))
        await change
        assert seen <= {frozenset({"旧馆"}), frozenset({"新馆"})} and frozenset({"旧馆"}) in seen
        assert all("新馆" in hit.passage.text for hit in (await knowledge.search("展品属于旧馆吗", 20)).hits)


async def test_labels_are_kept_and_filter(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        guide = await knowledge.ingest("a.md", GUIDE.encode(), dated=date(2026, 5, 1), tags=["门票"])
        await knowledge.ingest("b.md", SERVICES.encode(), tags=["service"])
        entry = await knowledge.label(guide.document.id, tags=["门票", "夏季", "门票"], summary="开放时间与票价")
        assert entry is not None and (entry.tags, entry.summary) == (("门票", "夏季"), "开放时间与票价")
        assert await knowledge.label("nobody", tags=[]) is None
        found = {}
        for name, only in {
            "zh": Filter(langs=frozenset({"zh"})),
            "markdown": Filter(formats=frozenset({"markdown"})),
            "summer": Filter(tags=frozenset({"夏季", "门票"})),
            "both": Filter(tags=frozenset({"夏季", "service"})),
            "since": Filter(since=date(2026, 5, 1)),
            "later": Filter(since=date(2026, 5, 2)),
            "until": Filter(until=date(2026, 5, 1)),
            "one": Filter(documents=frozenset({guide.document.id})),
        }.items():
            await knowledge.settled()
            hits = (await knowledge.search("成人票 car park", 9, only=only)).hits
            found[name] = sorted({hit.passage.source for hit in hits})
        assert found == {
            "zh": ["a.md"],
            "markdown": ["a.md", "b.md"],
            "summer": ["a.md"],
            "both": [],
            "since": ["a.md"],
            "later": [],
            "until": ["a.md"],
            "one": ["a.md"],
        }
        passage = (await knowledge.search("成人票", 1)).hits[0].passage
        without = await knowledge.search("成人票", 9, only=Filter(without=frozenset({passage.id})))
        assert passage.id not in {hit.passage.id for hit in without.hits} and without.hits
    async with opened(tmp_path) as knowledge:
        assert [entry.summary for entry in knowledge.documents()] == ["开放时间与票价", ""]
        assert (await knowledge.label(guide.document.id, dated="")) and knowledge.documents()[0].dated is None


async def test_a_curated_answer_is_said_word_for_word_on_its_days(tmp_path: Path) -> None:
    closed = QuestionAnswer(("西门开吗？", "Is the west gate open?"), "西门本周五前关闭。", until=date(2026, 11, 27))
    async with opened(tmp_path, keep=9) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        put = await knowledge.put_curated(closed)
        for question in ("西门开吗", "  西门开吗？ ", "is the west gate OPEN"):
            found = await knowledge.search(question, 3)
            assert found.curated is not None and found.curated.entry.answer == "西门本周五前关闭。", question
        await knowledge.put_curated(QuestionAnswer(("西门开吗？",), "西门开着。"), put.id)
        answer = (await knowledge.search("西门开吗？", 3)).curated
        assert answer is not None and answer.entry.answer == "西门开着。" and len(knowledge.curated()) == 1
        await knowledge.rollback()
        answer = (await knowledge.search("西门开吗？", 3)).curated
        assert answer is not None and answer.entry.answer == "西门本周五前关闭。"
    async with opened(tmp_path, keep=9, today=date(2026, 11, 28)) as knowledge:
        assert (await knowledge.search("西门开吗？", 3)).curated is None
        assert await knowledge.remove_curated(put.id) and not await knowledge.remove_curated(put.id)
        assert knowledge.curated() == []
        for wrong in (QuestionAnswer((" ",), "x"), QuestionAnswer(("x",), "")):
            with pytest.raises(DocumentError):
                await knowledge.put_curated(wrong)


async def test_the_answers_of_a_sheet_come_and_go_with_it(tmp_path: Path) -> None:
    async with opened(tmp_path, keep=9) as knowledge:
        sheet = await knowledge.ingest("faq.csv", SHEET.encode())
        for question, answer in (
            ("when is lunch", "Lunch is from 11:30 to 14:00."),
            ("午餐几点", "午餐 11:30 到 14:00。"),
        ):
            found = await knowledge.search(question, 3)
            assert found.curated is not None and found.curated.entry.answer == answer
            assert found.curated.document == sheet.document.id
        with pytest.raises(DocumentError, match="belongs to a document"):
            await knowledge.remove_curated(found.curated.id)
        await knowledge.ingest("faq.csv", SHEET.replace("14:00", "13:30").encode())
        answer_now = (await knowledge.search("午餐几点", 3)).curated
        assert answer_now is not None and answer_now.entry.answer == "午餐 11:30 到 13:30。"
        await knowledge.remove(sheet.document.id)
        assert (await knowledge.search("午餐几点", 3)).curated is None and knowledge.curated() == []
        await knowledge.rollback()
        assert (await knowledge.search("午餐几点", 3)).curated is not None


async def test_other_wordings_are_searched_too_and_doubles_are_told_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as knowledge:
        await knowledge.ingest("a.md", GUIDE.encode())
        await knowledge.ingest("copy.md", GUIDE.encode())
        await knowledge.ingest("b.md", SERVICES.encode())
        await knowledge.settled()
        found = await knowledge.search("那周一呢？", 2, also=["car park spaces"])
        assert first(found) == "The car park has 240 spaces."
        texts = [hit.passage.text for hit in (await knowledge.search("成人票", 9)).hits]
        assert texts.count("成人票 60 元。") == 1
