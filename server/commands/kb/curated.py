"""`zhubo kb faq list|add|remove|import`."""

import asyncio
import sys
from dataclasses import asdict
from pathlib import Path

from knowledge.ingest import Reading, read
from knowledge.parse import FileLimits
from server.bodies.curated import Answer, AnswerBody
from server.commands.kb.asked import asked
from server.commands.kb.desk import Desk, Refused


async def listed(desk: Desk) -> int:
    found = [AnswerBody.of(curated) for curated in desk.base.curated()]
    desk.show(found, map(_line, found))
    return 0


async def added(desk: Desk) -> int:
    arguments = desk.arguments
    given = {name: getattr(arguments, name) for name in ("answer", "emotion", "gesture", "since", "until")}
    answer = asked(Answer, questions=arguments.question, **given)
    body = AnswerBody.of(await desk.base.put_curated(answer.entry()))
    desk.show(body, [_line(body)])
    return 0


async def removed(desk: Desk) -> int:
    gone = {identifier: await desk.base.remove_curated(identifier) for identifier in desk.arguments.ids}
    for identifier, there in gone.items():
        if not there:
            sys.stderr.write(f"zhubo: unknown_answer: {identifier}; `zhubo kb faq list` lists the ids\n")
    return 0 if all(gone.values()) else 1


async def imported(desk: Desk) -> int:
    """Its questions become an editor's own: they can be changed and removed one by one."""
    file: Path = desk.arguments.file
    try:
        data = await asyncio.to_thread(file.read_bytes)
    except OSError as error:
        raise Refused(f"cannot read {file}: {error.strerror}") from error
    limits = FileLimits(size=desk.settings.server.upload_bytes)
    reading: Reading = await asyncio.to_thread(read, file.name, data, limits)
    answers = [asked(Answer, **asdict(entry)) for entry in reading.questions]
    if not answers:
        raise Refused(f"there is no question with an answer in {file.name}; its columns are question and answer")
    found = [AnswerBody.of(await desk.base.put_curated(answer.entry())) for answer in answers]
    desk.show(found, map(_line, found))
    return 0


def _line(body: AnswerBody) -> str:
    days = f" ({body.since or '…'} – {body.until or '…'})" if body.since or body.until else ""
    sheet = f"  from {body.document}" if body.document else ""
    return f"{body.id}  {' / '.join(body.questions)} → {body.answer}{days}{sheet}"
