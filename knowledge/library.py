"""The truth about what is known: documents in their revisions, the editions they belong to, and curated answers.

An edition is a state of the whole base that was once published. Each change makes a new one in one transaction, so
that a reader finds the old state or the new one, and any edition that is kept can be returned to.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from knowledge.database import Database
from knowledge.documents import Curated, Document, Passage, Place, QuestionAnswer

_COLUMNS = "document, title, source, format, lang, sha256, text, number, dated, tags, summary"
_CURRENT = "number IN (SELECT revision FROM shelved WHERE until IS NULL)"
_THEN = "since <= :number AND (until IS NULL OR until > :number)"


@dataclass(frozen=True, slots=True)
class Edition:
    """`created` is in UTC, ISO 8601; `note` says what changed; `current`: it is the one that answers."""

    number: int
    created: str
    note: str
    documents: int
    passages: int
    current: bool


@dataclass(frozen=True, slots=True)
class Volume:
    """A document with its passages in order and the curated answers that it brings."""

    document: Document
    passages: tuple[Passage, ...]
    curated: tuple[Curated, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a new edition does: documents put in place of their earlier revisions, documents and answers removed by id,
    and an editor's answers put in place of earlier ones of their ids. `job`: the one that is done with it."""

    note: str
    volumes: Sequence[Volume] = ()
    removed: Sequence[str] = ()
    curated: Sequence[Curated] = ()
    uncurated: Sequence[str] = ()
    job: str | None = None


class Library:
    """Blocking; may be called from any thread. Raises KnowledgeUnavailable when the file cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder)

    @property
    def writable(self) -> bool:
        return self.database.writable

    def shelved(self) -> dict[str, int]:
        """The documents of the current edition, each with its revision's number."""
        with self.database.reading() as db:
            return dict(db.execute(f"SELECT document, number FROM revision WHERE {_CURRENT}").fetchall())

    def volumes(self, revisions: Iterable[int]) -> Iterator[Volume]:
        """Revisions that are kept, one after the other, without the curated answers."""
        for number in revisions:
            with self.database.reading() as db:
                row = db.execute(f"SELECT {_COLUMNS} FROM revision WHERE number = ?", (number,)).fetchone()
                if row is not None:
                    document = _document(row)
                    yield Volume(document, _passages(db, document))

    def curated(self) -> list[Curated]:
        """The curated answers of the current edition."""
        query = (
            "SELECT curated.id, curated.content, curated.lang, revision.document FROM curated "
            "LEFT JOIN revision ON revision.number = curated.revision "
            "WHERE CASE WHEN curated.revision IS NULL THEN until IS NULL "
            "ELSE curated.revision IN (SELECT revision FROM shelved WHERE until IS NULL) END ORDER BY curated.number"
        )
        with self.database.reading() as db:
            return [Curated(row[0], _answer(row[1]), row[2], row[3]) for row in db.execute(query)]

    def document(self, identifier: str, revision: int | None = None) -> Document | None:
        """The current revision of a document, or the one of this number while it is kept."""
        which = _CURRENT if revision is None else "number = :revision"
        query = f"SELECT {_COLUMNS} FROM revision WHERE document = :document AND {which}"
        with self.database.reading() as db:
            row = db.execute(query, {"document": identifier, "revision": revision}).fetchone()
        return _document(row) if row else None

    def publish(self, change: Change) -> tuple[list[Volume], Edition]:
        """Make a new edition. Returns the volumes of the change with their revisions' numbers."""
        with self.database.writing() as db:
            number = _begin(db, change.note)
            _unshelve(db, number, [*change.removed, *(volume.document.id for volume in change.volumes)])
            volumes = [_shelve(db, number, volume) for volume in change.volumes]
            ids = [*change.uncurated, *(curated.id for curated in change.curated)]
            db.executemany(
                "UPDATE curated SET until = ? WHERE id = ? AND revision IS NULL AND until IS NULL",
                [(number, identifier) for identifier in ids],
            )
            _curate(db, change.curated, None, number)
            if change.job is not None:
                done = volumes[0].document.id if volumes else None
                db.execute("UPDATE job SET state = 'done', data = NULL, document = ? WHERE id = ?", (done, change.job))
            return volumes, _edition(db, number, number)

    def editions(self) -> list[Edition]:
        """Those that are kept, the current one first."""
        with self.database.reading() as db:
            numbers = [row[0] for row in db.execute("SELECT number FROM edition ORDER BY number DESC")]
            return [_edition(db, number, numbers[0]) for number in numbers]

    def rollback(self, number: int, note: str) -> Edition:
        """Publish a new edition with what edition `number` held. Raises LookupError where that is not kept."""
        with self.database.writing() as db:
            if not db.execute("SELECT 1 FROM edition WHERE number = ?", (number,)).fetchone():
                raise LookupError(f"edition {number} is not kept")
            new = _begin(db, note)
            then, now = _held(db, "shelved", "revision", number), _held(db, "shelved", "revision", new)
            db.executemany(
                "UPDATE shelved SET until = ? WHERE revision = ? AND until IS NULL",
                [(new, gone) for gone in now - then],
            )
            db.executemany("INSERT INTO shelved VALUES (?, ?, NULL)", [(back, new) for back in then - now])
            then, now = _held(db, "curated", "number", number), _held(db, "curated", "number", new)
            db.executemany("UPDATE curated SET until = ? WHERE number = ?", [(new, gone) for gone in now - then])
            db.executemany(
                "INSERT INTO curated (id, lang, content, since) "
                "SELECT id, lang, content, ? FROM curated WHERE number = ?",
                [(new, back) for back in then - now],
            )
            return _edition(db, new, new)

    def prune(self, keep: int) -> list[str]:
        """Forget all but the last `keep` editions, with the revisions that only the others held.

        Returns the ids of the passages that no revision has any more.
        """
        with self.database.writing() as db:
            last = db.execute("SELECT coalesce(max(number), 0) FROM edition").fetchone()[0]
            oldest = {"number": last - keep + 1}
            if not db.execute("SELECT 1 FROM edition WHERE number < :number LIMIT 1", oldest).fetchone():
                return []
            db.execute("DELETE FROM edition WHERE number < :number", oldest)
            db.execute("DELETE FROM shelved WHERE until <= :number", oldest)
            db.execute("DELETE FROM curated WHERE until <= :number", oldest)
            return _forget(db, "number NOT IN (SELECT revision FROM shelved)", {})

    def known(self, identifier: str) -> bool:
        """Is any revision of a document kept?"""
        with self.database.reading() as db:
            return db.execute("SELECT 1 FROM revision WHERE document = ?", (identifier,)).fetchone() is not None

    def purge(self, identifier: str) -> list[str]:
        """Forget every revision of a document, in every edition. Returns as `prune`."""
        with self.database.writing() as db:
            return _forget(db, "document = :document", {"document": identifier})

    def kept(self) -> set[str]:
        """Passage ids of every revision that is kept."""
        with self.database.reading() as db:
            return {row[0] for row in db.execute("SELECT id FROM passage")}

    def excerpt(self, revision: int, start: int, end: int) -> str:
        """A span of a revision's text; empty where the revision is not kept."""
        query = "SELECT substr(text, ?, ?) FROM revision WHERE number = ?"
        with self.database.reading() as db:
            row = db.execute(query, (start + 1, end - start, revision)).fetchone()
        return str(row[0]) if row else ""

    def label(self, document: Document) -> None:
        """Keep the labels of this revision: its tags, its summary and its date."""
        with self.database.writing() as db:
            db.execute(
                "UPDATE revision SET tags = ?, summary = ?, dated = ? WHERE number = ?",
                (_json(document.tags), document.summary, _day(document.dated), document.revision),
            )

    def note(self, key: str) -> str | None:
        return self.database.note(key)

    def set_note(self, key: str, value: str) -> None:
        self.database.set_note(key, value)

    def close(self) -> None:
        self.database.close()


def _begin(db: sqlite3.Connection, note: str) -> int:
    number: int = db.execute("SELECT coalesce(max(number), 0) + 1 FROM edition").fetchone()[0]
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    db.execute("INSERT INTO edition VALUES (?, ?, ?)", (number, now, note))
    return number


def _unshelve(db: sqlite3.Connection, number: int, documents: Iterable[str]) -> None:
    db.executemany(
        "UPDATE shelved SET until = ? WHERE until IS NULL "
        "AND revision IN (SELECT number FROM revision WHERE document = ?)",
        [(number, identifier) for identifier in documents],
    )


def _shelve(db: sqlite3.Connection, edition: int, volume: Volume) -> Volume:
    document = volume.document
    cursor = db.execute(
        "INSERT INTO revision (document, title, source, format, lang, sha256, text, dated, tags, summary) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(document.id, document.title, document.source, document.format, document.lang, document.sha256),
            *(document.text, _day(document.dated), _json(document.tags), document.summary),
        ),
    )
    revision = cursor.lastrowid or 0
    db.execute("INSERT INTO shelved VALUES (?, ?, NULL)", (revision, edition))
    db.executemany(
        "INSERT INTO passage VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(revision, ordinal, passage.id, _json(place.section), place.page, place.at, place.start, place.end),
                *(place.parent or (None, None)),
            )
            for ordinal, passage in enumerate(volume.passages)
            for place in [passage.place]
        ],
    )
    _curate(db, volume.curated, revision, None)
    passages = tuple(replace(passage, revision=revision) for passage in volume.passages)
    return replace(volume, document=replace(document, revision=revision), passages=passages)


def _curate(db: sqlite3.Connection, answers: Iterable[Curated], revision: int | None, since: int | None) -> None:
    db.executemany(
        "INSERT INTO curated (id, revision, lang, content, since) VALUES (?, ?, ?, ?, ?)",
        [(answer.id, revision, answer.lang, _json(asdict(answer.entry)), since) for answer in answers],
    )


def _forget(db: sqlite3.Connection, condition: str, values: dict[str, str]) -> list[str]:
    """Delete revisions. Returns the ids of the passages that are in no other."""
    dead = f"SELECT number FROM revision WHERE {condition}"
    query = f"SELECT DISTINCT id FROM passage WHERE revision IN ({dead})"
    ids = [row[0] for row in db.execute(query, values)]
    db.execute(f"DELETE FROM revision WHERE {condition}", values)
    return [one for one in ids if not db.execute("SELECT 1 FROM passage WHERE id = ?", (one,)).fetchone()]


def _held(db: sqlite3.Connection, table: str, column: str, number: int) -> set[int]:
    """What edition `number` held of revisions, or of an editor's answers."""
    return {row[0] for row in db.execute(f"SELECT {column} FROM {table} WHERE {_THEN}", {"number": number})}


def _edition(db: sqlite3.Connection, number: int, current: int) -> Edition:
    created, note = db.execute("SELECT created, note FROM edition WHERE number = ?", (number,)).fetchone()
    counts = (
        f"SELECT count(*), coalesce(sum((SELECT count(*) FROM passage WHERE passage.revision = shelved.revision)), 0) "
        f"FROM shelved WHERE {_THEN}"
    )
    documents, passages = db.execute(counts, {"number": number}).fetchone()
    return Edition(number, created, note, documents, passages, number == current)


def _passages(db: sqlite3.Connection, document: Document) -> tuple[Passage, ...]:
    query = (
        "SELECT id, section, page, start, stop, at, parent_start, parent_stop FROM passage "
        "WHERE revision = ? ORDER BY ordinal"
    )
    return tuple(_passage(document, *row) for row in db.execute(query, (document.revision,)))


def _passage(
    document: Document,
    identifier: str,
    section: str,
    page: int | None,
    start: int,
    stop: int,
    at: float | None,
    *parent: int | None,
) -> Passage:
    first, last = parent
    context = None if first is None or last is None else (first, last)
    place = Place(tuple(json.loads(section)), page, start, stop, at, context)
    text = document.text[start:stop]
    return Passage(identifier, document.id, document.title, text, place, document.source, document.revision)


def _document(row: Sequence[Any]) -> Document:
    identifier, title, source, kind, lang, sha256, text, number, dated, tags, summary = row
    day, labels = _date(dated), tuple(json.loads(tags))
    return Document(identifier, title, source, kind, lang, sha256, text, number, day, labels, summary)


def _answer(content: str) -> QuestionAnswer:
    told = json.loads(content)
    since, until = _date(told["since"]), _date(told["until"])
    return QuestionAnswer(tuple(told["questions"]), told["answer"], told["emotion"], told["gesture"], since, until)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _date(day: str | None) -> date | None:
    return date.fromisoformat(day) if day else None
