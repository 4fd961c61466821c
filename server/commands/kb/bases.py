"""`zhubo kb list|create|delete|export|import`."""

import asyncio
import os
from pathlib import Path

from server.bodies.bases import BaseBody, NewBase
from server.calibrating import fit
from server.commands.kb.asked import asked
from server.commands.kb.desk import Desk, Refused


async def listed(desk: Desk) -> int:
    found = [await BaseBody.of(desk.bases, name) for name in desk.bases.names()]
    desk.show(found, map(line, found))
    return 0


async def created(desk: Desk) -> int:
    new = asked(NewBase, name=desk.arguments.name, title=desk.arguments.title)
    await desk.bases.create(new.name, new.title)
    return await _told(desk, new.name)


async def deleted(desk: Desk) -> int:
    name = desk.arguments.name
    body = await BaseBody.of(desk.bases, name)
    if not desk.arguments.yes:
        raise Refused(f"{line(body)} would be gone for good; say it again with --yes, or export it first")
    await desk.bases.delete(name)
    desk.show(body, [f"deleted: {line(body)}"])
    return 0


async def exported(desk: Desk) -> int:
    file: Path = desk.arguments.file
    _require_free(file)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        await desk.bases.export(desk.arguments.base, part)
        await asyncio.to_thread(os.replace, part, file)
    finally:
        part.unlink(missing_ok=True)
    return await _told(desk, desk.arguments.base)


async def imported(desk: Desk) -> int:
    _require_there(desk.arguments.file)
    name = asked(NewBase, name=desk.arguments.base).name
    await desk.bases.load(desk.arguments.file, name)
    return await _told(desk, name)


async def calibrated(desk: Desk) -> int:
    """A server does it by itself; this is to see what comes of it."""
    await desk.settled()
    await fit(desk.base, desk.settings)
    body = await BaseBody.of(desk.bases, desk.arguments.base)
    found = body.calibration or {}
    desk.show(body, [f"{line(body)}; answers from support {found['enough']:.3f} on ({found['asked']} questions)"])
    return 0


def _require_free(file: Path) -> None:
    if file.exists():
        raise Refused(f"{file} is there already; name another file")
    if not file.absolute().parent.is_dir():
        raise Refused(f"cannot write {file}: there is no such folder")


def _require_there(file: Path) -> None:
    if not file.is_file():
        raise Refused(f"{file} is no file")


async def _told(desk: Desk, name: str) -> int:
    body = await BaseBody.of(desk.bases, name)
    desk.show(body, [line(body)])
    return 0


def line(body: BaseBody) -> str:
    edition = f", edition {body.edition.number}" if body.edition else ""
    trouble = f"; trouble: {body.trouble}" if body.trouble else ""
    name = body.name if body.title == body.name else f"{body.name} ({body.title})"
    return f"{name}: {body.documents} documents, {body.passages} passages{edition}{trouble}"
