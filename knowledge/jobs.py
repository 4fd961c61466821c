"""Work that was promised: files that are safe on disk and become documents in the background, also after a restart."""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from knowledge.database import Database

JobState = Literal["waiting", "reading", "done", "failed"]
_KEPT = 1000
"""Ended jobs that are remembered."""
_COLUMNS = "id, source, state, created, code, message, document"


@dataclass(frozen=True, slots=True)
class Job:
    """`code` and `message` say why one failed; `document` is the id of what it became. `created` is in UTC, ISO 8601.

    `pending`: passages of the document that have no vector yet, once it can be found by words.
    """

    id: str
    source: str
    state: JobState
    created: str
    code: str | None = None
    message: str | None = None
    document: str | None = None
    pending: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """What is to become a document, with what an editor said of it."""

    source: str
    data: bytes
    dated: date | None = None
    tags: tuple[str, ...] = ()


class Ledger:
    """The jobs of one base, kept in its database. Blocking; may be called from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, request: Request) -> Job:
        """The job, and the file's bytes with it, are on the disk when this returns."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        job = Job(uuid.uuid4().hex, request.source, "waiting", now)
        told = json.dumps(
            {"dated": request.dated.isoformat() if request.dated else None, "tags": request.tags}, ensure_ascii=False
        )
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO job (id, source, request, data, state, created) VALUES (?, ?, ?, ?, ?, ?)",
                (job.id, job.source, told, request.data, job.state, job.created),
            )
            db.execute(
                "DELETE FROM job WHERE state IN ('done', 'failed') AND id NOT IN "
                "(SELECT id FROM job WHERE state IN ('done', 'failed') ORDER BY created DESC LIMIT ?)",
                (_KEPT,),
            )
        return job

    def next(self) -> tuple[Job, Request] | None:
        """The oldest job that is not ended, which is being read from now on."""
        if not self._database.writable:
            return None
        with self._database.writing() as db:
            query = f"SELECT {_COLUMNS}, request, data FROM job WHERE data IS NOT NULL ORDER BY created, rowid LIMIT 1"
            row = db.execute(query).fetchone()
            if row is None:
                return None
            db.execute("UPDATE job SET state = 'reading' WHERE id = ?", (row[0],))
        *columns, told, data = row
        asked = json.loads(told)
        dated = date.fromisoformat(asked["dated"]) if asked["dated"] else None
        return Job(*columns), Request(columns[1], data, dated, tuple(asked["tags"]))

    def finish(self, identifier: str, document: str) -> None:
        with self._database.writing() as db:
            db.execute("UPDATE job SET state = 'done', data = NULL, document = ? WHERE id = ?", (document, identifier))

    def fail(self, identifier: str, code: str, message: str) -> None:
        with self._database.writing() as db:
            db.execute(
                "UPDATE job SET state = 'failed', data = NULL, code = ?, message = ? WHERE id = ?",
                (code, message, identifier),
            )

    def jobs(self) -> list[Job]:
        """The newest first."""
        with self._database.reading() as db:
            return [Job(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM job ORDER BY created DESC, rowid DESC")]

    def job(self, identifier: str) -> Job | None:
        with self._database.reading() as db:
            row = db.execute(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (identifier,)).fetchone()
        return Job(*row) if row else None
