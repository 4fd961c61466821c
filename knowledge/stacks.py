"""Where a base's editions stand ready: library, shelf, vectors and curated answers, always in step."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from knowledge import lexical_cache
from knowledge.dense import Site
from knowledge.documents import Document, Entry, Filter, KnowledgeUnavailable, Passage
from knowledge.embedding import Embedding, Former
from knowledge.faq import Answers
from knowledge.ingest import indexed
from knowledge.lexical import Counts, counted
from knowledge.library import Change, Edition, Library, Volume
from knowledge.retrieve import Mix, Ranking, Shelf, Wording
from knowledge.store import StoreError, VectorStore
from knowledge.succession import Succession
from knowledge.vectors import Patience

T = TypeVar("T")
_SLICE = 20
"""Passages put on the shelf or taken off at once: a search waits for no more."""
_LARGE = 2000
"""Passages from which on the lexical index is kept on disk; fewer are counted in a second."""
_STALE = 0.05
"""Share of new passages from which on it is written again."""


class Stacks:
    """Changes one at a time; searches at any time find the edition before a change or the one after it."""

    def __init__(
        self,
        library: Library,
        embedding: Embedding,
        former: Former | None,
        store: VectorStore,
        name: str,
        folder: Path,
        sentences: bool,
        patience: Patience,
    ) -> None:
        self.library = library
        self._cache = folder / "lexical.cache"
        self.edition = 0
        self.catalogue: dict[str, Entry] = {}
        self.answers = Answers()
        vectors = folder if sentences else None
        site = Site(name, library, store, vectors, patience, self.shown, self._questions, self._kept)
        self.dense = Succession(site, embedding, former)
        self._words = ThreadPoolExecutor(1, "words")
        self._files = ThreadPoolExecutor(1, "files")
        self._shelf = Shelf()
        self._ids: dict[str, tuple[str, ...]] = {}

    async def open(self) -> None:
        await self._load()
        self.edition = next((edition.number for edition in await self.on_file(self.library.editions)), 0)
        self.answers = await self.on_file(lambda: Answers.of(self.library.curated()))
        await self.dense.open()

    async def close(self) -> None:
        await self.dense.close()
        self._words.shutdown(wait=False)
        self._files.shutdown(wait=False)

    async def search(self, wordings: Sequence[Wording], count: int, only: Filter, mix: Mix) -> Ranking:
        return await self._in(self._words, lambda: self._shelf.search(wordings, count, only, mix))

    async def allowed(self, only: Filter) -> set[str]:
        """The ids of the passages that a filter lets through."""
        return await self._in(self._words, lambda: self._shelf.allowed(only))

    @property
    def passages(self) -> int:
        return sum(map(len, self._ids.values()))

    def lacking(self, document: str) -> int:
        """How many passages of a document have no vector yet."""
        return self.dense.serving.passages.lacking(self._ids.get(document, ()))

    async def publish(
        self, change: Change, terms: Mapping[str, Sequence[Counts]], *, keep: int, ahead: bool = False
    ) -> Edition:
        """One new edition. `terms`: of each document's passages, in order. `ahead`: the vectors are made before it."""
        passages = [passage for volume in change.volumes for passage in volume.passages]
        counts = [count for volume in change.volumes for count in terms[volume.document.id]]
        await self._stock(zip(passages, counts, strict=True))
        texts = {passage.id: indexed(passage) for passage in passages}
        shown = {identifier for ids in self._ids.values() for identifier in ids} if ahead else set()
        try:
            if ahead:
                for index in self.dense:
                    index.passages.want(texts)
                with self.dense.serving.lent() as answering:
                    await answering.passages.made(texts.keys())
            volumes, edition = await self.on_file(lambda: self.library.publish(change))
        except BaseException:
            for index in self.dense:
                index.passages.forget(texts.keys() - shown if ahead else ())
            await self._discard(texts)
            raise
        await self._turn([*change.removed], volumes)
        self.edition = edition.number
        await self._reload(change)
        await self._tidy(keep)
        return edition

    async def rollback(self, number: int, note: str, keep: int) -> Edition:
        edition = await self.on_file(lambda: self.library.rollback(number, note))
        there = await self.on_file(self.library.shelved)
        wanted = [revision for document, revision in there.items() if self._revision(document) != revision]
        volumes = await self.on_file(lambda: list(self.library.volumes(wanted)))
        for volume in volumes:
            await self._stock(await self.on_file(partial(_counted, volume.passages)))
        await self._turn([document for document in self.catalogue if document not in there], volumes)
        self.edition = edition.number
        await self._reload(None)
        await self._tidy(keep)
        return edition

    async def relabel(self, document: Document) -> Entry:
        await self.on_file(lambda: self.library.label(document))
        entry = replace(self.catalogue[document.id], dated=document.dated, tags=document.tags, summary=document.summary)
        self.catalogue[document.id] = entry
        await self._in(self._words, lambda: self._shelf.relabel(entry))
        return entry

    async def purge(self, document: str) -> bool:
        """Out of every edition that is kept; False where it was in none."""
        if not await self.on_file(lambda: self.library.known(document)):
            return False
        await self._prune(lambda: self.library.purge(document))
        return True

    async def rebuild(self) -> None:
        """Shelf and vectors anew from the library. Raises StoreError."""
        await self.on_file(partial(lexical_cache.drop, self._cache))
        await self._load()
        await self.dense.rebuild()

    async def drop(self) -> None:
        """Forget the vectors; a store that cannot be used has none to forget."""
        with suppress(StoreError):
            await self.dense.drop()

    async def on_file(self, function: Callable[[], T]) -> T:
        """What the library does, in its thread."""
        return await self._in(self._files, function)

    async def _load(self) -> None:
        """A new shelf with what the current edition holds, in place of the one there is."""
        self._shelf, entries = await self.on_file(self._loaded)
        self.catalogue = {entry.id: entry for entry, _ in entries}
        self._ids = {entry.id: tuple(passage.id for passage in passages) for entry, passages in entries}

    def _loaded(self) -> tuple[Shelf, list[tuple[Entry, tuple[Passage, ...]]]]:
        """The terms of a large base's passages are not counted again at every start."""
        volumes = self.library.volumes(sorted(self.library.shelved().values()))
        entries = [(_entry(volume), volume.passages) for volume in volumes]
        passages = [passage for _, held in entries for passage in held]
        kept = lexical_cache.load(self._cache) if len(passages) > _LARGE else None
        shelf = Shelf(*(kept or lexical_cache.count(passages)))
        new = shelf.unknown(passages)
        shelf.stock(_counted(new))
        shelf.swap([], entries)
        shelf.discard()
        if len(passages) > _LARGE and (kept is None or len(new) > _STALE * len(passages)) and self.library.writable:
            shelf.keep(self._cache)
        return shelf, entries

    async def _stock(self, new: Iterable[tuple[Passage, Counts]]) -> None:
        waiting = iter(new)
        while part := list(islice(waiting, _SLICE)):
            await self._in(self._words, partial(self._shelf.stock, part))

    async def _turn(self, removed: Sequence[str], volumes: Sequence[Volume]) -> None:
        """Show what is new in one step, and put away what is not shown any more."""
        replaced = [*removed, *(volume.document.id for volume in volumes)]
        old = {identifier for document in replaced for identifier in self._ids.get(document, ())}
        entries = [(_entry(volume), volume.passages) for volume in volumes]
        await self._in(self._words, lambda: self._shelf.swap(removed, entries))
        for document in removed:
            del self.catalogue[document], self._ids[document]
        for volume in volumes:
            self._note(volume)
        new = {passage.id: passage for volume in volumes for passage in volume.passages}
        for index in self.dense:
            index.leave(old - new.keys())
            index.want(new.values())
        await self._discard(old - new.keys())

    async def _discard(self, ids: Iterable[str]) -> None:
        waiting = iter(ids)
        while part := list(islice(waiting, _SLICE)):
            await self._in(self._words, partial(self._shelf.discard, part))

    async def _reload(self, change: Change | None) -> None:
        """The curated answers anew, where a change can have touched them."""
        if change is not None and not (change.curated or change.uncurated):
            brought = any(volume.curated for volume in change.volumes)
            touched = {*change.removed, *(volume.document.id for volume in change.volumes)}
            if not brought and touched.isdisjoint(answer.document for answer in self.answers):
                return
        before = self.answers.wordings()
        self.answers = await self.on_file(lambda: Answers.of(self.library.curated()))
        after = self.answers.wordings()
        for index in self.dense:
            index.reword(before, after)

    async def _tidy(self, keep: int) -> None:
        """Forget old editions; where that fails, the next change does it."""
        with suppress(KnowledgeUnavailable):
            await self._prune(lambda: self.library.prune(keep))

    async def _prune(self, prune: Callable[[], list[str]]) -> None:
        gone = await self.on_file(prune)
        if gone:
            for index in self.dense:
                await index.forget(gone)

    def _note(self, volume: Volume) -> None:
        self.catalogue[volume.document.id] = _entry(volume)
        self._ids[volume.document.id] = tuple(passage.id for passage in volume.passages)

    def _revision(self, document: str) -> int | None:
        entry = self.catalogue.get(document)
        return entry.revision if entry else None

    async def shown(self) -> list[Passage]:
        """The passages of the current edition."""
        return await self._in(self._words, lambda: self._shelf.passages())

    async def _questions(self) -> dict[str, str]:
        return dict(self.answers.wordings())

    async def _kept(self) -> set[str]:
        return await self.on_file(self.library.kept)

    async def _in(self, thread: ThreadPoolExecutor, function: Callable[[], T]) -> T:
        """Raises KnowledgeUnavailable once closed."""
        try:
            done = asyncio.get_running_loop().run_in_executor(thread, function)
        except RuntimeError as error:
            raise KnowledgeUnavailable("the knowledge base is being closed") from error
        return await done


def _counted(passages: Iterable[Passage]) -> list[tuple[Passage, Counts]]:
    return [(passage, counted(indexed(passage))) for passage in passages]


def _entry(volume: Volume) -> Entry:
    document = volume.document
    return Entry(
        *(document.id, document.title, document.source, document.format, document.lang, document.sha256),
        *(len(document.text), len(volume.passages), document.revision, document.dated, document.tags),
        document.summary,
    )
