"""`zhubo kb versions|rollback|rebuild`."""

from server.bodies.bases import BaseBody, EditionBody
from server.commands.kb.bases import line
from server.commands.kb.desk import Desk


async def listed(desk: Desk) -> int:
    found = [EditionBody.model_validate(edition) for edition in await desk.base.editions()]
    desk.show(found, map(_line, found))
    return 0


async def rolled_back(desk: Desk) -> int:
    body = EditionBody.model_validate(await desk.base.rollback(desk.arguments.edition))
    desk.show(body, [_line(body)])
    return 0


async def rebuilt(desk: Desk) -> int:
    await desk.base.rebuild()
    await desk.settled()
    desk.show(body := await BaseBody.of(desk.bases, desk.arguments.base), [line(body)])
    return 0


def _line(body: EditionBody) -> str:
    mark = "* " if body.current else "  "
    note = f"  {body.note}" if body.note else ""
    return f"{mark}{body.number}  {body.created}  {body.documents} documents, {body.passages} passages{note}"
