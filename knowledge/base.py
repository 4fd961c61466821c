"""The knowledge base: takes documents and curated answers in, keeps them, and finds what answers a question."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

from configs.background import started
from knowledge.dense import collections
from knowledge.documents import (
    ANYTHING,
    Curated,
    Document,
    DocumentError,
    Entry,
    Filter,
    Ingested,
    KnowledgeUnavailable,
    Passage,
    QuestionAnswer,
    Retrieval,
)
from knowledge.editor import Editor, FileReader
from knowledge.embedding import Embedding, Former
from knowledge.jobs import Job, Ledger, Request
from knowledge.labels import Labeller
from knowledge.library import Edition, Library
from knowledge.rerank import Reranking
from knowledge.retrieve import HYBRID, Mix
from knowledge.searching import Search
from knowledge.stacks import Stacks
from knowledge.store import StoreError, VectorStore
from knowledge.vectors import Patience

T = TypeVar("T")
_WAITING = 8
"""Documents that may wait, or be in hand, at once."""


@dataclass(frozen=True, slots=True)
class State:
    """`pending`: vectors still to be made, of passages that are found by words only, so far, or by the vectors of the
    embedder before; `sentences`: passages whose sentences have no vectors yet. `trouble`: why vectors are not made or
    not used."""

    documents: int
    passages: int
    pending: int
    trouble: str | None
    edition: int = 0
    sentences: int = 0


@dataclass(frozen=True, slots=True)
class Engines:
    """What the bases of one process share. Without a `labeller` documents have the labels that editors give them.

    `sentences`: sentences have vectors of their own, which costs as much again to make and finds and judges better.
    `former`: the embedder that answers with the vectors it made until those of `embedding` are complete.
    """

    embedding: Embedding
    store: VectorStore
    reader: FileReader
    reranker: Reranking | None = None
    labeller: Labeller | None = None
    sentences: bool = True
    former: Former | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    stacks: Stacks
    ledger: Ledger
    editor: Editor
    search: Search


class KnowledgeBase:
    """Every change is a new edition, published in one step; `keep` of them can be returned to.

    A document can be found by words as soon as `ingest` returns; its vectors follow. Raises KnowledgeUnavailable
    when the library, or the store of the vectors, cannot be used, and DocumentError for a file that cannot become a
    document.
    """

    def __init__(
        self,
        folder: Path,
        engines: Engines,
        name: str = "main",
        keep: int = 20,
        patience: Patience | None = None,
        today: Callable[[], date] = date.today,
    ) -> None:
        self.name = name
        self._folder, self._engines, self._keep, self._today = folder, engines, keep, today
        self._patience = patience or Patience()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._enough: dict[str, float] = {}
        self._opened: _Parts | None = None
        self._shut = "the knowledge base is not open"
        self._work: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """What has been opened is closed again when a part cannot be."""
        engines, patience = self._engines, self._patience
        async with AsyncExitStack() as undo:
            library = await asyncio.to_thread(Library, self._folder)
            undo.callback(library.close)
            engine = engines.embedding, engines.former, engines.store
            stacks = Stacks(library, *engine, self.name, self._folder, engines.sentences, patience)
            undo.push_async_callback(stacks.close)
            await stacks.open()
            undo.pop_all()
        ledger = Ledger(library.database)
        editor = Editor(stacks, ledger, engines.reader, engines.labeller, self._keep, patience.retry)
        search = Search(stacks, engines.reranker, patience)
        self._opened = _Parts(stacks, ledger, editor, search)
        self._work = {
            started(editor.work(), f"the jobs of {self.name}"),
            started(editor.label_all(), f"the labels of {self.name}"),
        }

    @property
    def closed(self) -> bool:
        return self._opened is None

    async def shut(self, reason: str) -> None:
        """It cannot be used: from now on it tells why."""
        await self.close()
        self._shut = reason

    async def close(self) -> None:
        """The document in hand is completed; those that wait are dropped, promised ones until the next start."""
        if self._opened is None:
            return
        parts = self._opened
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        await parts.editor.close()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._opened = None
        try:
            await parts.stacks.close()
        finally:
            await asyncio.to_thread(parts.stacks.library.close)

    async def ingest(self, name: str, data: bytes, *, dated: date | None = None, tags: Sequence[str] = ()) -> Ingested:
        """Take a file in, in place of an earlier one of the same name. Once begun, it is completed."""
        if len(self._tasks) >= _WAITING:
            raise KnowledgeUnavailable(f"{_WAITING} documents are being taken in already; try again in a while")
        return await self._whole(self._parts().editor.ingest(Request(name, data, dated, tuple(tags))))

    async def submit(self, name: str, data: bytes, *, dated: date | None = None, tags: Sequence[str] = ()) -> Job:
        """Promise to take a file in: it is safe on the disk when this returns."""
        return await self._whole(self._parts().editor.promise(Request(name, data, dated, tuple(tags))))

    async def jobs(self) -> list[Job]:
        """The newest first."""
        parts = self._parts()
        jobs = await parts.stacks.on_file(parts.ledger.jobs)
        return [_counted(parts.editor.seen(job), parts.stacks) for job in jobs]

    async def job(self, identifier: str) -> Job | None:
        parts = self._parts()
        job = await parts.stacks.on_file(lambda: parts.ledger.job(identifier))
        return _counted(parts.editor.seen(job), parts.stacks) if job else None

    async def ended(self, identifier: str) -> Job | None:
        """Wait for a job to be done or to have failed; None for one that is not known."""
        return await self._parts().editor.ended(identifier)

    async def publish(
        self,
        files: Sequence[tuple[str, bytes]],
        *,
        replace: bool = False,
        note: str = "",
        ahead: bool = True,
        skip: Callable[[str, DocumentError], None] | None = None,
        warn: Callable[[str, str], None] = lambda name, warning: None,
    ) -> Edition:
        """Make one edition of many files; with `replace`, of these files alone. `ahead`: their vectors come first.

        A file that cannot be read leaves everything as it is; with `skip`, which is told of it, it is left out. `warn`
        is told, file by file, what was amiss with one that could be read.
        """
        return await self._whole(self._parts().editor.publish(files, replace, note, ahead, skip, warn))

    async def remove(self, identifier: str, *, forever: bool = False) -> bool:
        """Take a document out of every answer; with `forever`, out of the editions that are kept too.

        False when there is none of this id.
        """
        return await self._whole(self._parts().editor.remove(identifier, forever))

    async def label(
        self,
        identifier: str,
        *,
        tags: Sequence[str] | None = None,
        summary: str | None = None,
        dated: date | Literal[""] | None = None,
    ) -> Entry | None:
        """Change a document's labels; None leaves one as it is, and an empty date takes the date away.

        None when there is no document of this id.
        """
        return await self._whole(self._parts().editor.label(identifier, tags, summary, dated))

    def documents(self) -> list[Entry]:
        if self._opened is None:
            return []
        return sorted(self._opened.stacks.catalogue.values(), key=lambda entry: entry.source)

    async def passages(self) -> list[Passage]:
        """Those of the current edition."""
        return await self._parts().stacks.shown()

    async def document(self, identifier: str, revision: int | None = None) -> Document | None:
        """The current revision, or an earlier one while it is kept."""
        stacks = self._parts().stacks
        return await stacks.on_file(lambda: stacks.library.document(identifier, revision))

    async def search(
        self, question: str, count: int, *, also: Sequence[str] = (), only: Filter = ANYTHING, mix: Mix = HYBRID
    ) -> Retrieval:
        """The `count` best passages, or a curated answer. `also`: other wordings of the question.

        By words alone, saying why, while vectors are being made or the embedder fails.
        """
        found = await self._parts().search.run((question, *also), count, only, mix, self._today())
        return replace(found, enough=self._enough.get(found.embedder))

    def curated(self) -> list[Curated]:
        return list(self._opened.stacks.answers) if self._opened else []

    async def put_curated(self, entry: QuestionAnswer, identifier: str | None = None) -> Curated:
        """Add a curated answer, or put it in place of the one of this id, which is not a sheet's."""
        return await self._whole(self._parts().editor.put_curated(entry, identifier))

    async def remove_curated(self, identifier: str) -> bool:
        """False when no editor's answer has this id."""
        return await self._whole(self._parts().editor.remove_curated(identifier))

    async def editions(self) -> list[Edition]:
        stacks = self._parts().stacks
        return await stacks.on_file(stacks.library.editions)

    async def rollback(self, number: int | None = None) -> Edition:
        """Publish again what an edition held: by default the one before the current. Raises DocumentError
        `no_edition` where that is not kept."""
        return await self._whole(self._parts().editor.rollback(number))

    async def rebuild(self) -> None:
        """Make the lexical index and the vectors anew from the library. Raises StoreError."""
        await self._whole(self._parts().editor.rebuild())

    async def export(self, path: Path) -> None:
        """A consistent copy of the library at `path`, while it is in use."""
        stacks = self._parts().stacks
        await stacks.on_file(lambda: stacks.library.database.copy(path))

    async def forget(self) -> None:
        """Drop the vectors; the folder goes with whoever made it."""
        if self._opened is not None:
            await self._opened.stacks.drop()
            return
        store, names = self._engines.store, collections(self.name, self._engines.embedding)
        with suppress(StoreError):
            for name in names:
                await asyncio.to_thread(store.drop, name)

    async def note(self, key: str) -> str | None:
        """A small fact that is kept with the base."""
        stacks = self._parts().stacks
        return await stacks.on_file(lambda: stacks.library.note(key))

    async def set_note(self, key: str, value: str) -> None:
        stacks = self._parts().stacks
        await stacks.on_file(lambda: stacks.library.set_note(key, value))

    @property
    def embedder(self) -> str:
        """The identity of the one whose vectors answer."""
        return (self._opened.stacks.dense.serving.embedding if self._opened else self._engines.embedding).identity

    def calibrate(self, enough: float, embedder: str) -> None:
        """The support from which this base answers, told from now on with what is found by this embedder's vectors."""
        self._enough[embedder] = enough

    def state(self) -> State:
        if self._opened is None:
            return State(0, 0, 0, self._shut)
        stacks = self._opened.stacks
        dense, sentences = stacks.dense, stacks.dense.serving.sentences
        waiting = sentences.pending if sentences else 0
        return State(len(stacks.catalogue), stacks.passages, dense.pending, dense.trouble, stacks.edition, waiting)

    async def settled(self) -> None:
        """Return when every passage has its vector, and those answer, or when trouble, which `state` tells, keeps it
        from that."""
        await self._parts().stacks.dense.settled()

    def _parts(self) -> _Parts:
        if self._opened is None:
            raise KnowledgeUnavailable(self._shut)
        return self._opened

    async def _whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end even if the caller is cancelled: the library and its indexes stay in step."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)


def _counted(job: Job, stacks: Stacks) -> Job:
    return replace(job, pending=stacks.lacking(job.document)) if job.document else job
