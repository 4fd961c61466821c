"""Another embedder is configured: the one before answers until the vectors of its successor are complete."""

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from configs.engines import ConfigError
from configs.home import Home
from knowledge.base import Engines, KnowledgeBase
from knowledge.bases import Bases
from knowledge.dense import collections
from knowledge.documents import QuestionAnswer
from knowledge.embedding import Embedder, EmbedderError, Embedding, Former, Role, Vectors
from knowledge.engines.chroma import Chroma, collection_name
from knowledge.engines.hashing import Hashing
from knowledge.retrieve import WORDS
from knowledge.sentences import sentences
from knowledge.store import StoreError, VectorStore
from tests.doubles import HereReader
from tests.knowledge.test_base import HOME, SOON, Lasting

MENU = "# 菜单\n\n## 面\n\n番茄面十五元。每天供应。\n\n## 汤\n\n紫菜汤五元。\n\n"
SHEDS = "# Sheds\n\n## East gate\n\nThe bicycle shed is there. It is free.\n\n## West gate\n\nA lawn with benches.\n"
ASKED = {"西红柿": "番茄面十五元。每天供应。", "bikes": "The bicycle shed is there. It is free."}
"""Questions that no word of their passage answers."""
ANSWER = QuestionAnswer(("番茄面多少钱一碗？", "How much is a bowl of tomato noodles?"), "十五元 / fifteen")
PARAPHRASES = ("多少钱一碗番茄面", "A bowl of tomato noodles, how much is it?")


class Meaning(Hashing):
    """Knows two words for the same thing."""

    def __init__(self, dimension: int) -> None:
        super().__init__(Hashing.Options(dimension=dimension), HOME)
        self.embedded = 0

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        self.embedded += len(texts) if role == "passage" else 0
        meant = [text.replace("西红柿", "番茄").replace("bikes", "bicycle") for text in texts]
        return super().embed(meant, role)


class Held(Meaning):
    """Lets no passage through but as many as it is told to, and while `asking` is clear no question."""

    def __init__(self, dimension: int = 96) -> None:
        super().__init__(dimension)
        self.gate = threading.Semaphore(0)
        self.asking = threading.Event()
        self.asking.set()

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        if role == "passage":
            for _ in texts:
                self.gate.acquire()
        else:
            self.asking.wait()
        return super().embed(texts, role)


class Mute(Meaning):
    """Embeds passages only, while it is mute."""

    mute = True

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        if self.mute and role == "question":
            raise EmbedderError("says nothing")
        return super().embed(texts, role)


@dataclass
class Before:
    """An embedder that was there before, and what became of it."""

    embedder: Embedder
    told: list[str] = field(default_factory=list)

    def former(self) -> Former:
        return Former(self._loaded)

    @asynccontextmanager
    async def _loaded(self) -> AsyncIterator[Embedding]:
        self.told.append("loaded")
        embedding = Embedding(self.embedder)
        try:
            yield embedding
        finally:
            embedding.close()
            self.told.append("let go")


def engines(embedder: Embedder, store: VectorStore, before: Before | None = None, words: bool = True) -> Engines:
    former = before.former() if before else None
    return Engines(Embedding(embedder), store, HereReader(), sentences=words, former=former)


@asynccontextmanager
async def opened(
    folder: Path, embedder: Embedder, store: VectorStore, before: Before | None = None
) -> AsyncIterator[KnowledgeBase]:
    patience = SOON if isinstance(store, Undroppable) or isinstance(embedder, Mute) else None
    knowledge = KnowledgeBase(
        folder, engines(embedder, store, before), patience=patience, today=lambda: date(2026, 11, 30)
    )
    await knowledge.open()
    try:
        async with asyncio.timeout(120):
            yield knowledge
    finally:
        if isinstance(embedder, Held):
            embedder.gate.release(10_000)
        await knowledge.close()


async def filled(folder: Path, embedder: Embedder, store: VectorStore) -> None:
    async with opened(folder, embedder, store) as knowledge:
        await knowledge.ingest("菜单.md", MENU.encode())
        await knowledge.ingest("sheds.md", SHEDS.encode())
        await knowledge.put_curated(ANSWER)
        await knowledge.settled()


async def answers_by(knowledge: KnowledgeBase, embedder: Embedder) -> None:
    """What only vectors find is found, by this embedder's and no other's, and so are its sentences."""
    assert knowledge.embedder == embedder.identity
    for question, text in ASKED.items():
        assert (await knowledge.search(question, 3, mix=WORDS)).hits == ()
        found = await knowledge.search(question, 3)
        assert found.degraded is None and found.embedder == embedder.identity
        hit = found.hits[0]
        assert hit.passage.text == text
        asked = embedder.embed([question], "question")[0]
        expected = embedder.embed(sentences(text), "passage") @ asked
        if not knowledge.state().sentences:
            np.testing.assert_allclose(hit.sentences, expected, atol=2e-3)
    for question in PARAPHRASES:
        found = await knowledge.search(question, 3)
        assert found.curated is not None and found.curated.entry == ANSWER, question


def names(*embedders: Embedder, base: str = "main") -> set[str]:
    return {name for embedder in embedders for name in collections(base, Embedding(embedder))}


async def test_the_old_embedder_answers_until_the_new_vectors_are_complete_and_then_goes(tmp_path: Path) -> None:
    store, old, new = Lasting(), Meaning(64), Held()
    await filled(tmp_path, old, store)
    before = Before(old)
    async with opened(tmp_path, new, store, before) as knowledge:
        for left in (4, 3, 2, 1):
            assert knowledge.state().pending == left or left < 4
            await answers_by(knowledge, old)
            assert before.told == ["loaded"] and names(old) <= set(store._collections)
            if left > 1:
                new.gate.release()
        assert knowledge.state().trouble is None and knowledge.state().pending
        new.gate.release(100)
        await knowledge.settled()
        assert knowledge.state().pending == knowledge.state().sentences == 0
        new.gate.release(100)
        await answers_by(knowledge, Meaning(96))
        assert before.told == ["loaded", "let go"] and set(store._collections) == names(new)
    before = Before(old)
    async with opened(tmp_path, Meaning(96), store, before) as knowledge:
        await answers_by(knowledge, Meaning(96))
        assert before.told == [], "nothing needs it any more"


async def test_what_comes_and_goes_during_the_change_is_found_and_gone_at_once(tmp_path: Path) -> None:
    store, old, new = Lasting(), Meaning(64), Held()
    await filled(tmp_path, old, store)
    async with opened(tmp_path, new, store, Before(old)) as knowledge:
        added = await knowledge.ingest("新.md", "# 新\n\n番茄汤八元。\n\n# New\n\nA bicycle pump for all.\n".encode())
        assert (await knowledge.search("番茄汤", 1)).hits[0].passage.text == "番茄汤八元。"
        await knowledge.publish([("湖.md", "# 湖\n\n番茄园在湖边。\n".encode())], ahead=True)
        assert {"番茄园在湖边。", "番茄汤八元。"} < await texts(knowledge, "西红柿")
        while "A bicycle pump for all." not in await texts(knowledge, "bikes"):
            await asyncio.sleep(0.001)
        await knowledge.ingest("sheds.md", SHEDS.replace("It is free", "It costs 2 euros").encode())
        while "The bicycle shed is there. It costs 2 euros." not in await texts(knowledge, "bikes"):
            await asyncio.sleep(0.001)
        assert "The bicycle shed is there. It is free." not in await texts(knowledge, "bikes")
        await knowledge.remove(added.document.id)
        for question in ("西红柿", "bikes", "番茄汤", "bicycle pump"):
            assert not await texts(knowledge, question) & {"番茄汤八元。", "A bicycle pump for all."}
        await knowledge.remove_curated(knowledge.curated()[0].id)
        assert (await knowledge.search(PARAPHRASES[0], 3)).curated is None
        put = await knowledge.put_curated(ANSWER)
        assert (await knowledge.search(ANSWER.questions[0], 3)).curated == put
        assert knowledge.embedder == old.identity
        new.gate.release(10_000)
        await knowledge.settled()
        assert knowledge.embedder == new.identity and knowledge.state().pending == 0
        assert "番茄园在湖边。" in await texts(knowledge, "西红柿")
        for question in PARAPHRASES:
            assert (await knowledge.search(question, 3)).curated == put
        for question in ("西红柿", "bikes", "番茄汤", "bicycle pump"):
            assert not await texts(knowledge, question) & {"番茄汤八元。", "A bicycle pump for all."}


async def texts(knowledge: KnowledgeBase, question: str) -> set[str]:
    return {hit.passage.text for hit in (await knowledge.search(question, 9)).hits}


async def test_a_question_that_is_on_its_way_is_answered_by_the_embedder_that_it_began_with(tmp_path: Path) -> None:
    store, old, new = Lasting(), Held(64), Held()
    old.gate.release(10_000)
    await filled(tmp_path, old, store)
    before = Before(old)
    async with opened(tmp_path, new, store, before) as knowledge:
        old.asking.clear()
        asked = asyncio.create_task(knowledge.search("西红柿", 3))
        await asyncio.sleep(0)
        new.gate.release(10_000)
        while knowledge.embedder != new.identity:
            await asyncio.sleep(0.001)
        assert before.told == ["loaded"] and names(old) <= set(store._collections)
        assert (await knowledge.search("西红柿", 3)).embedder == new.identity
        old.asking.set()
        found = await asked
        assert found.degraded is None and found.embedder == old.identity
        assert found.hits[0].passage.text == ASKED["西红柿"]
        await knowledge.settled()
        assert before.told == ["loaded", "let go"] and set(store._collections) == names(new)


async def test_it_is_not_complete_before_the_curated_questions_have_their_vectors_too(tmp_path: Path) -> None:
    store, old, new = Lasting(), Meaning(64), Mute(96)
    await filled(tmp_path, old, store)
    async with opened(tmp_path, new, store, before := Before(old)) as knowledge:
        while knowledge.state().pending != len(ANSWER.questions) or knowledge.state().trouble != "says nothing":
            await asyncio.sleep(0.001)
        await answers_by(knowledge, old)
        new.mute = False
        while knowledge.embedder != new.identity:
            await asyncio.sleep(0.001)
        await knowledge.settled()
        await answers_by(knowledge, new)
        assert before.told == ["loaded", "let go"] and set(store._collections) == names(new)


class Unbuildable(Before):
    @asynccontextmanager
    async def _loaded(self) -> AsyncIterator[Embedding]:
        raise ConfigError("no such weights")
        yield


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (Before(Meaning(32)), "its vectors are of hashing-1-64, not of embedder_before, which is hashing-1-32"),
        (Unbuildable(Meaning(64)), r"embedder_before cannot be used \(no such weights\)"),
        (Before(Meaning(64)), "the vectors of embedder_before, hashing-1-64, are gone"),
    ],
)
async def test_where_the_old_vectors_are_not_its_making_words_answer_and_one_line_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, before: Before, told: str
) -> None:
    store, old, new = Lasting(), Meaning(64), Held()
    await filled(tmp_path, old, store)
    if "are gone" in told:
        store._collections.clear()
    async with opened(tmp_path, new, store, before) as knowledge:
        (record,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
        assert record.name == "knowledge.succession"
        assert told.replace("\\", "") in record.getMessage() and "words answer" in record.getMessage()
        found = await knowledge.search("番茄面", 1)
        assert found.degraded is not None and found.hits[0].passage.text == "番茄面十五元。每天供应。"
        assert knowledge.state().trouble is None and knowledge.embedder == new.identity
        assert before.told in ([], ["loaded", "let go"])
        new.gate.release(10_000)
        await knowledge.settled()
        await answers_by(knowledge, Meaning(96))
        assert set(store._collections) == names(new)


async def test_bases_share_the_old_embedder_which_goes_with_the_last_that_needs_it(tmp_path: Path) -> None:
    store, old, new, before = Lasting(), Meaning(64), Held(), Before(Meaning(64))
    bases = Bases(tmp_path, engines(old, store))
    await bases.open()
    for name in ("main", "east", "west"):
        base = bases.get(name) if name == "main" else await bases.create(name)
        await base.ingest("菜单.md", MENU.encode())
        await base.settled()
    await bases.close()
    bases = Bases(tmp_path, engines(new, store, before))
    await bases.open()
    try:
        assert [bases.get(name).embedder for name in bases.names()] == [old.identity] * 3
        await bases.delete("west")
        assert not names(old, new, base="west") & set(store._collections)
        assert before.told == ["loaded"]
        new.gate.release(10_000)
        for name in bases.names():
            await bases.get(name).settled()
        assert before.told == ["loaded", "let go"]
        assert set(store._collections) == names(new) | names(new, base="east")
    finally:
        await bases.close()


async def test_a_rebuild_during_the_change_makes_the_new_vectors_alone(tmp_path: Path) -> None:
    store, old, new, before = Lasting(), Meaning(64), Held(), Before(Meaning(64))
    await filled(tmp_path, old, store)
    async with opened(tmp_path, new, store, before) as knowledge:
        await answers_by(knowledge, old)
        await knowledge.rebuild()
        assert before.told == ["loaded", "let go"] and not names(old) & set(store._collections)
        assert (await knowledge.search("番茄面", 1)).degraded is not None
        new.gate.release(10_000)
        await knowledge.settled()
        await answers_by(knowledge, Meaning(96))


async def test_the_memory_of_the_old_embedder_is_given_back_at_once(tmp_path: Path) -> None:
    """Also in a server, whose first objects are never looked at by the collector."""
    store, new, loaded = Lasting(), Held(), list[weakref.ref[Embedder]]()
    await filled(tmp_path, Meaning(64), store)

    class Passing(Before):
        @asynccontextmanager
        async def _loaded(self) -> AsyncIterator[Embedding]:
            loaded.append(weakref.ref(old := Meaning(64)))
            embedding = Embedding(old)
            del old
            yield embedding
            embedding.close()

    async with opened(tmp_path, new, store, Passing(new)) as knowledge:
        gc.collect()
        gc.freeze()
        try:
            await answers_by(knowledge, Meaning(64))
            new.gate.release(10_000)
            await knowledge.settled()
            assert [old() for old in loaded] == [None]
        finally:
            gc.unfreeze()


async def test_closed_in_the_middle_it_goes_on_at_the_next_start(tmp_path: Path) -> None:
    store, old, new = Lasting(), Meaning(64), Held()
    await filled(tmp_path, old, store)
    async with opened(tmp_path, new, store, before := Before(old)) as knowledge:
        await answers_by(knowledge, old)
    assert before.told == ["loaded", "let go"]
    async with opened(tmp_path, Meaning(96), store, Before(old)) as knowledge:
        await knowledge.settled()
        await answers_by(knowledge, Meaning(96))


async def test_who_goes_back_before_it_is_complete_finds_everything_as_it_was(tmp_path: Path) -> None:
    store, old, new = Lasting(), Meaning(64), Held()
    await filled(tmp_path, old, store)
    async with opened(tmp_path, new, store, Before(old)) as knowledge:
        await knowledge.ingest("湖.md", "# 湖\n\n紫菜田在湖边。\n".encode())
        while (await knowledge.search("湖边", 1)).hits[0].dense is None:
            await asyncio.sleep(0.001)
    again = Meaning(64)
    async with opened(tmp_path, again, store, before := Before(Meaning(96))) as knowledge:
        await answers_by(knowledge, Meaning(64))
        assert (await knowledge.search("湖边", 1)).hits[0].dense is not None
        await knowledge.settled()
        assert before.told == [] and again.embedded <= 1, "but for the new passage's sentences all was there"


async def test_a_process_that_only_reads_finds_the_old_vectors_and_lets_them_be(tmp_path: Path) -> None:
    store, old, new = Lasting(), Meaning(64), Held()
    await filled(tmp_path, old, store)
    async with opened(tmp_path, new, store, Before(old)) as writing:
        async with opened(tmp_path, Meaning(96), store, before := Before(old)) as reading:
            await answers_by(reading, old)
            assert reading.state().trouble == "another process makes the vectors of this knowledge base"
        assert before.told == ["loaded", "let go"] and names(old) <= set(store._collections)
        await answers_by(writing, old)


class Shared(Chroma):
    """Of two processes that use one folder: the end of one leaves it open for the other."""

    def close(self) -> None:
        pass

    def names(self) -> set[str]:
        return {one.name for one in self._connect().list_collections()}


async def test_a_process_that_only_reads_takes_to_the_new_vectors_when_the_other_has_made_them(tmp_path: Path) -> None:
    store = Shared(Chroma.Options(), Home(tmp_path, tmp_path))
    folder, old, new = tmp_path / "kb", Meaning(64), Held()
    await filled(folder, old, store)
    async with opened(folder, new, store, Before(old)) as writing:
        reader = KnowledgeBase(folder, engines(Meaning(96), store, before := Before(old)), patience=SOON)
        await reader.open()
        await answers_by(reader, old)
        new.gate.release(10_000)
        await writing.settled()
        while (found := await reader.search("番茄面", 1)).embedder != new.identity:
            assert found.hits[0].passage.text == ASKED["西红柿"]
            await asyncio.sleep(0.001)
        await reader.settled()
        await answers_by(reader, Meaning(96))
        assert reader.state().trouble is None and reader.state().pending == 0
        assert before.told == ["loaded", "let go"] and store.names() == set(map(collection_name, names(new)))
        await reader.close()
    Chroma.close(store)


async def test_a_process_that_only_reads_makes_no_collection(tmp_path: Path) -> None:
    store, old, new = Lasting(), Meaning(64), Meaning(96)
    await filled(tmp_path, old, store)
    async with opened(tmp_path, old, store):
        reader = KnowledgeBase(tmp_path, engines(new, store), patience=SOON)
        await reader.open()
        assert (await reader.search("番茄面", 1)).degraded is not None
        await asyncio.sleep(3 * SOON.retry)
        assert set(store._collections) == names(old)
        await reader.close()


async def test_a_threshold_holds_for_the_embedder_that_it_was_fitted_with(tmp_path: Path) -> None:
    store, old, new = Lasting(), Meaning(64), Held()
    await filled(tmp_path, old, store)
    async with opened(tmp_path, new, store, Before(old)) as knowledge:
        knowledge.calibrate(0.47, old.identity)
        assert (await knowledge.search("西红柿", 1)).enough == 0.47
        new.gate.release(10_000)
        await knowledge.settled()
        assert (await knowledge.search("西红柿", 1)).enough is None
        knowledge.calibrate(0.38, new.identity)
        assert (await knowledge.search("西红柿", 1)).enough == 0.38


class Undroppable(Lasting):
    """Cannot forget a collection while `stuck`; with `only`, none of its names that end so."""

    stuck = True
    only = ""

    def drop(self, name: str) -> None:
        if self.stuck and name.endswith(self.only):
            raise StoreError("the disk is full")
        super().drop(name)


async def test_where_the_old_vectors_cannot_be_dropped_the_new_ones_answer_and_it_is_tried_again(
    tmp_path: Path,
) -> None:
    store, old, new = Undroppable(), Meaning(64), Meaning(96)
    store.stuck = False
    await filled(tmp_path, old, store)
    store.stuck = True
    async with opened(tmp_path, new, store, before := Before(old)) as knowledge:
        while knowledge.state().trouble != "the old vectors cannot be dropped: the disk is full":
            await asyncio.sleep(0.001)
        assert names(old) <= set(store._collections)
        await answers_by(knowledge, new)
        store.stuck = False
        while knowledge.state().trouble is not None or names(old) & set(store._collections):
            await asyncio.sleep(0.001)
        await knowledge.settled()
        await answers_by(knowledge, new)
        assert before.told in ([], ["loaded", "let go"])


async def test_a_base_that_is_deleted_leaves_no_new_vectors_where_the_old_ones_cannot_be_dropped(
    tmp_path: Path,
) -> None:
    store, old, new = Undroppable(), Meaning(64), Held()
    store.only = old.identity
    await filled(tmp_path, old, store)
    async with opened(tmp_path, new, store, Before(old)) as knowledge:
        await answers_by(knowledge, old)
        new.gate.release(10_000)
        await knowledge.forget()
    assert set(store._collections) == names(old)


class Clinging(Before):
    @asynccontextmanager
    async def _loaded(self) -> AsyncIterator[Embedding]:
        async with super()._loaded() as embedding:
            yield embedding
        raise RuntimeError("the card does not let go")


async def test_an_old_embedder_that_cannot_be_let_go_is_told_of_and_keeps_nobody_waiting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store, old, new = Lasting(), Meaning(64), Held()
    await filled(tmp_path, old, store)
    async with opened(tmp_path, new, store, before := Clinging(old)) as knowledge:
        await answers_by(knowledge, old)
        new.gate.release(10_000)
        await knowledge.settled()
        assert knowledge.state().sentences == 0 and knowledge.state().trouble is None
        await answers_by(knowledge, Meaning(96))
        assert before.told == ["loaded", "let go"] and set(store._collections) == names(new)
    (record,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert record.name == "knowledge.succession" and "cannot be let go" in record.getMessage()


LONG = "".join(f"## 第 {n} 节 Section {n}\n\n第 {n} 段。Paragraph {n}.\n\n" for n in range(36))
DIES = "from tests.knowledge.test_embedder_change import die; import asyncio; asyncio.run(die({folder!r}, {at!r}))"


class Mortal(Meaning):
    """Ends the process, without a word, at a passage."""

    def __init__(self, at: int | str) -> None:
        super().__init__(96)
        self.at = at

    def embed(self, texts: Sequence[str], role: Role) -> Vectors:
        if self.embedded == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().embed(texts, role)


class Fatal(Chroma):
    """Ends the process before it forgets a collection, or after that."""

    at: int | str = ""

    def drop(self, name: str) -> None:
        if self.at == "before the old vectors go":
            os.kill(os.getpid(), signal.SIGKILL)
        super().drop(name)
        if self.at == "after the old vectors went":
            os.kill(os.getpid(), signal.SIGKILL)


async def die(folder: str, at: int | str) -> None:
    store = Fatal(Chroma.Options(), Home(Path(folder), Path(folder)))
    store.at = at
    async with opened(Path(folder) / "kb", Mortal(at), store, Before(Meaning(64))) as knowledge:
        await knowledge.settled()


@pytest.mark.parametrize("at", [0, 25, "before the old vectors go", "after the old vectors went"])
async def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path, at: int | str) -> None:
    store, old = Chroma(Chroma.Options(), home := Home(tmp_path, tmp_path)), Meaning(64)
    await filled(tmp_path / "kb", old, store)
    async with opened(tmp_path / "kb", old, store) as knowledge:
        await knowledge.ingest("long.md", LONG.encode())
        await knowledge.settled()
    store.close()
    told = DIES.format(folder=str(tmp_path), at=at)
    died = subprocess.run([sys.executable, "-c", told], cwd=Path(__file__).parents[2], timeout=300, check=False)
    assert died.returncode == -signal.SIGKILL
    store, new = Chroma(Chroma.Options(), home), Held()
    async with opened(tmp_path / "kb", new, store, before := Before(old)) as knowledge:
        if isinstance(at, int):
            while (await knowledge.search("西红柿", 1)).degraded:  # what was killed takes seconds to be read
                await asyncio.sleep(0.05)
            await answers_by(knowledge, old)
        new.gate.release(10_000)
        await knowledge.settled()
        await answers_by(knowledge, Meaning(96))
        passages = await knowledge.passages()
        there = at // 16 * 16 if isinstance(at, int) else len(passages)
        parts = sum(len(sentences(passage.text)) for passage in passages)
        assert new.embedded == len(passages) - there + parts, "what had been stored is not made again"
        assert before.told == ["loaded", "let go"] or not (before.told or isinstance(at, int))
        assert {one.name for one in store._client.list_collections()} == set(map(collection_name, names(new)))
    store.close()
