"""Changes to a knowledge base, one at a time: each is read, checked, and published as an edition."""

import asyncio
import hashlib
import logging
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, Protocol

from knowledge.documents import (
    Curated,
    Document,
    DocumentError,
    Entry,
    Ingested,
    KnowledgeUnavailable,
    QuestionAnswer,
)
from knowledge.ingest import Reading, digest, document_id, language, passages
from knowledge.jobs import Job, Ledger, Request
from knowledge.labels import Labeller
from knowledge.library import Change, Edition, Volume
from knowledge.stacks import Stacks

log = logging.getLogger(__name__)

Skip = Callable[[str, DocumentError], None]
Warn = Callable[[str, str], None]


class FileReader(Protocol):
    async def read(self, source: str, data: bytes) -> Reading:
        """Raises DocumentError for a file that cannot become a document."""
        ...


@dataclass(frozen=True, slots=True)
class _Composed:
    volume: Volume
    reading: Reading


class Editor:
    """`keep`: editions that can be returned to. No call but `work` may be cancelled half-way."""

    def __init__(
        self,
        stacks: Stacks,
        ledger: Ledger,
        reader: FileReader,
        labeller: Labeller | None,
        keep: int,
        retry: float,
    ) -> None:
        self._stacks, self._ledger, self._reader, self._labeller = stacks, ledger, reader, labeller
        self._keep, self._retry = keep, retry
        self._writing = asyncio.Lock()
        self._promised = asyncio.Event()
        self._changed = asyncio.Event()
        self._ended = asyncio.Condition()
        self._closing = False
        self._hand: asyncio.Task[None] | None = None
        self._handed: str | None = None
        """The job in hand."""

    async def close(self) -> None:
        """What is in hand is completed, what waits is refused."""
        self._closing = True
        if self._hand is not None:
            await asyncio.gather(self._hand, return_exceptions=True)
        async with self._ended:
            self._ended.notify_all()

    async def ingest(self, request: Request, job: str | None = None) -> Ingested:
        async with self._writing:
            self._check()
            source = unicodedata.normalize("NFC", request.source)
            known = self._stacks.catalogue.get(document_id(source))
            if known is not None and known.sha256 == await asyncio.to_thread(digest, request.data):
                entry = await self._relabelled(known, request)
                if job is not None:
                    await self._stacks.on_file(lambda: self._ledger.finish(job, entry.id))
                return Ingested(entry, unchanged=True)
            composed = await self._composed(request)
            document = composed.volume.document
            change = Change(document.source, [composed.volume], job=job)
            await self._stacks.publish(change, {document.id: composed.reading.terms}, keep=self._keep)
            self._changed.set()
            return Ingested(self._stacks.catalogue[document.id], False, composed.reading.warnings)

    async def publish(
        self,
        files: Sequence[tuple[str, bytes]],
        alone: bool,
        note: str,
        ahead: bool,
        skip: Skip | None,
        warn: Warn,
    ) -> Edition:
        """Many files in one edition; `alone`: no other document is in it."""
        async with self._writing:
            self._check()
            read: dict[str, _Composed] = {}
            for name, data in files:
                try:
                    composed = await self._composed(Request(name, data))
                    if read.setdefault(composed.volume.document.id, composed) is not composed:
                        raise DocumentError("same_name", f"{name} is there twice; give the files names of their own")
                except DocumentError as error:
                    if skip is None:
                        raise
                    skip(name, error)
                else:
                    for warning in composed.reading.warnings:
                        warn(name, warning)
            removed = [identifier for identifier in self._stacks.catalogue if identifier not in read] if alone else []
            if not (read or removed):
                return await self._current()
            volumes = [one.volume for one in read.values()]
            terms = {identifier: one.reading.terms for identifier, one in read.items()}
            change = Change(note or f"{len(read)} documents", volumes, removed)
            edition = await self._stacks.publish(change, terms, keep=self._keep, ahead=ahead)
            self._changed.set()
            return edition

    async def _current(self) -> Edition:
        """Raises DocumentError `no_edition` while nothing was ever published."""
        editions = await self._stacks.on_file(self._stacks.library.editions)
        if not editions:
            raise DocumentError("no_edition", "none of the files can be read, and nothing was published before")
        return editions[0]

    async def remove(self, identifier: str, forever: bool) -> bool:
        async with self._writing:
            self._check()
            entry = self._stacks.catalogue.get(identifier)
            if entry is not None:
                await self._stacks.publish(Change(f"- {entry.source}", removed=[identifier]), {}, keep=self._keep)
            kept = forever and await self._stacks.purge(identifier)
            return entry is not None or kept

    async def label(
        self, identifier: str, tags: Sequence[str] | None, summary: str | None, dated: date | Literal[""] | None
    ) -> Entry | None:
        async with self._writing:
            self._check()
            document = await self._stacks.on_file(lambda: self._stacks.library.document(identifier))
            if document is None:
                return None
            labelled = replace(
                document,
                tags=document.tags if tags is None else tuple(dict.fromkeys(tags)),
                summary=document.summary if summary is None else summary,
                dated=document.dated if dated is None else dated or None,
            )
            return await self._stacks.relabel(labelled)

    async def put_curated(self, entry: QuestionAnswer, identifier: str | None) -> Curated:
        async with self._writing:
            self._check()
            answer = curated(entry, identifier)
            there = next((one for one in self._stacks.answers if one.id == answer.id), None)
            if there is not None and there.document is not None:
                raise DocumentError("of_a_sheet", "this answer belongs to a document; change the document")
            await self._stacks.publish(Change(entry.questions[0], curated=[answer]), {}, keep=self._keep)
            return answer

    async def remove_curated(self, identifier: str) -> bool:
        async with self._writing:
            self._check()
            there = next((one for one in self._stacks.answers if one.id == identifier), None)
            if there is None:
                return False
            if there.document is not None:
                raise DocumentError("of_a_sheet", "this answer belongs to a document; change the document")
            change = Change(f"- {there.entry.questions[0]}", uncurated=[identifier])
            await self._stacks.publish(change, {}, keep=self._keep)
            return True

    async def rollback(self, number: int | None) -> Edition:
        async with self._writing:
            self._check()
            editions = await self._stacks.on_file(self._stacks.library.editions)
            wanted = number if number is not None else next((one.number for one in editions[1:]), None)
            if wanted is None or wanted not in {one.number for one in editions}:
                raise DocumentError("no_edition", "that edition is not kept; `editions` lists those that are")
            return await self._stacks.rollback(wanted, f"= {wanted}", self._keep)

    async def rebuild(self) -> None:
        async with self._writing:
            self._check()
            await self._stacks.rebuild()

    async def promise(self, request: Request) -> Job:
        self._check()
        job = await self._stacks.on_file(lambda: self._ledger.add(request))
        self._promised.set()
        return job

    def seen(self, job: Job) -> Job:
        """As readers may see it: done once its document can be found, a moment after the disk has it."""
        return replace(job, state="reading") if job.state == "done" and job.id == self._handed else job

    async def ended(self, identifier: str) -> Job | None:
        """Wait for a job to be done or to have failed; None for one that is not known.

        Raises KnowledgeUnavailable when the base is closed before.
        """
        async with self._ended:
            while True:
                over = self._closing and (self._hand is None or self._hand.done())
                job = await self._stacks.on_file(lambda: self._ledger.job(identifier))
                if job is None or self.seen(job).state in ("done", "failed"):
                    return job
                if over:
                    raise KnowledgeUnavailable("the knowledge base is being closed; the document is taken in later")
                await self._ended.wait()

    async def work(self) -> None:
        """Keep every promise, in the order they were made, those of an earlier run first; until cancelled."""
        while True:
            self._promised.clear()
            try:
                while (promised := await self._stacks.on_file(self._ledger.next)) is not None:
                    self._hand = asyncio.create_task(self._kept(*promised), name="a job")
                    await asyncio.shield(self._hand)
            except KnowledgeUnavailable as error:
                log.warning("documents wait: %s", error)
                await asyncio.sleep(self._retry)
                continue
            await self._promised.wait()

    async def label_all(self) -> None:
        """Give every document that has no summary its labels, those of an earlier run first; until cancelled."""
        while self._labeller is not None and self._stacks.library.writable:
            self._changed.clear()
            for entry in [entry for entry in self._stacks.catalogue.values() if not entry.summary]:
                await self._label_one(entry, self._labeller)
            await self._changed.wait()

    async def _label_one(self, entry: Entry, labeller: Labeller) -> None:
        """An editor's tags stay; a document that has changed meanwhile is left for the next round."""
        try:
            document = await self._stacks.on_file(lambda: self._stacks.library.document(entry.id, entry.revision))
            if document is None:
                return
            labels = await labeller.label(document)
            async with self._writing:
                known = self._stacks.catalogue.get(entry.id)
                if known is None or known.revision != entry.revision or known.summary or self._closing:
                    return
                tags = tuple(dict.fromkeys([*known.tags, *labels.tags]))
                summary = labels.summary or document.title
                await self._stacks.relabel(replace(document, tags=tags, dated=known.dated, summary=summary))
        except KnowledgeUnavailable as error:
            log.warning("a document has no labels: %s", error)

    async def _kept(self, job: Job, request: Request) -> None:
        """Raises KnowledgeUnavailable where the promise is to be kept later."""
        self._handed = job.id
        try:
            await self.ingest(request, job.id)
        except DocumentError as error:
            failure = (error.code, str(error))
            await self._stacks.on_file(lambda: self._ledger.fail(job.id, *failure))
        except KnowledgeUnavailable:
            raise
        except Exception:
            log.exception("a document could not be taken in")
            await self._stacks.on_file(lambda: self._ledger.fail(job.id, "internal", "a defect of ours; see the log"))
        finally:
            self._handed = None
        async with self._ended:
            self._ended.notify_all()

    async def _composed(self, request: Request) -> _Composed:
        reading = await self._reader.read(request.source, request.data)
        source = unicodedata.normalize("NFC", request.source)
        document = Document(
            id=document_id(source),
            title=reading.title,
            source=source,
            format=reading.format,
            lang=reading.lang,
            sha256=await asyncio.to_thread(digest, request.data),
            text=reading.text,
            dated=request.dated or reading.dated,
            tags=tuple(dict.fromkeys([*request.tags, *reading.tags])),
        )
        answers = tuple(
            replace(curated(entry, f"{document.id}.{at}"), document=document.id)
            for at, entry in enumerate(reading.questions)
        )
        cut = await asyncio.to_thread(passages, document, reading.places)
        return _Composed(Volume(document, tuple(cut), answers), reading)

    async def _relabelled(self, known: Entry, request: Request) -> Entry:
        """The same file again, with other labels."""
        tags = tuple(dict.fromkeys([*known.tags, *request.tags]))
        if tags == known.tags and request.dated in (None, known.dated):
            return known
        document = await self._stacks.on_file(lambda: self._stacks.library.document(known.id))
        assert document is not None
        return await self._stacks.relabel(replace(document, tags=tags, dated=request.dated or known.dated))

    def _check(self) -> None:
        if self._closing:
            raise KnowledgeUnavailable("the knowledge base is being closed")
        if not self._stacks.library.writable:
            raise KnowledgeUnavailable("another process is using this knowledge base; stop it, or upload through it")


def curated(entry: QuestionAnswer, identifier: str | None) -> Curated:
    """Raises DocumentError `no_question` or `no_answer`."""
    questions = tuple(question.strip() for question in entry.questions if question.strip())
    if not questions:
        raise DocumentError("no_question", "a curated answer needs at least one question")
    if not entry.answer.strip():
        raise DocumentError("no_answer", "a curated answer needs its answer")
    name = identifier or hashlib.sha256("\n".join(questions).encode()).hexdigest()[:16]
    return Curated(name, replace(entry, questions=questions, answer=entry.answer.strip()), language(entry.answer))
