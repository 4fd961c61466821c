"""`zhubo kb ingest|publish|add-page|watch`: what puts documents in."""

import asyncio
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from configs.settings import WatchSettings
from knowledge.documents import DocumentError, Entry, Ingested
from knowledge.ingest import digest, document_id, sources
from knowledge.parse import FileLimits, check_size
from knowledge.watch import Trouble
from knowledge.web import Fetched
from server.bodies.bases import Published, Warned
from server.bodies.documents import Summary, Taken
from server.commands.kb.desk import Desk, Refused
from server.fetching import web
from server.watching import watch


async def ingested(desk: Desk) -> int:
    """One edition of all that is new; 0 when every file is in, 1 when one could not be read."""
    found, limits = _sources(desk.arguments.paths), FileLimits(size=desk.settings.server.upload_bytes)
    taken: list[Taken] = []
    fresh: dict[str, bytes] = {}
    held = 0
    for name, path in found:
        try:
            data = await asyncio.to_thread(_whole, name, path, limits)
        except DocumentError as error:
            taken.append(_said(desk, Taken.refused(name, error.code, str(error))))
            continue
        known = _known(desk, name)
        if known is not None and known.sha256 == digest(data):
            taken.append(_said(desk, Taken(source=name, document=Summary.model_validate(known), unchanged=True)))
            continue
        fresh[name] = data
        held += len(data)
        if held > desk.settings.server.publish_bytes:
            taken += await _published(desk, fresh)
            fresh, held = {}, 0
    taken += await _published(desk, fresh)
    await desk.settled()
    state = desk.base.state()
    desk.show(taken, [f"{state.documents} documents, {state.passages} passages"])
    return 0 if all(one.document for one in taken) else 1


async def _published(desk: Desk, files: dict[str, bytes]) -> list[Taken]:
    """One edition of these files; those that cannot be read are left out."""
    refused: dict[str, Taken] = {}
    warned = Warned()

    def skip(name: str, error: DocumentError) -> None:
        refused[name] = Taken.refused(name, error.code, str(error))

    if files:
        await desk.base.publish(list(files.items()), note=_note(files), ahead=False, skip=skip, warn=warned.add)
    return [_said(desk, refused.get(name) or _there(desk, name, warned.of(name))) for name in files]


def _note(files: Collection[str]) -> str:
    first, more = next(iter(files)), len(files) - 1
    return f"{first} + {more}" if more else first


def _known(desk: Desk, name: str) -> Entry | None:
    identifier = document_id(name)
    return next((entry for entry in desk.base.documents() if entry.id == identifier), None)


def _there(desk: Desk, name: str, warnings: Sequence[str]) -> Taken:
    return Taken(source=name, document=Summary.model_validate(_known(desk, name)), warnings=tuple(warnings))


async def published(desk: Desk) -> int:
    limits = FileLimits(size=desk.settings.server.upload_bytes)
    files = [
        (name, await asyncio.to_thread(_whole, name, path, limits)) for name, path in _sources(desk.arguments.paths)
    ]
    note, warned = desk.arguments.note, Warned()
    edition = await desk.base.publish(files, replace=desk.arguments.replace, note=note, warn=warned.add)
    body = Published.of(edition, warned)
    sys.stderr.writelines(f"{name}: {warning}\n" for name, warnings in body.warnings.items() for warning in warnings)
    desk.show(body, [f"edition {body.number}: {body.documents} documents, {body.passages} passages"])
    return 0


async def fetched(desk: Desk) -> int:
    """0 when the page, or every page of the sitemap, is in."""
    fetching, arguments = web(desk.settings), desk.arguments
    taken: list[Taken] = []
    if arguments.sitemap is None:
        page = await fetching.page(arguments.url)
        if page is not None:
            taken.append(_said(desk, await _page(desk, page)))
    else:
        async for each in fetching.site(arguments.sitemap):
            one = (
                await _page(desk, each)
                if isinstance(each, Fetched)
                else Taken.refused(each.source, each.code, each.message)
            )
            taken.append(_said(desk, one))
    await desk.settled()
    desk.show(taken, ())
    return 0 if all(one.document for one in taken) else 1


async def watched(desk: Desk) -> int:
    """Until it is stopped."""
    settings = WatchSettings(folder=desk.arguments.folder, base=desk.arguments.base)
    if not await asyncio.to_thread(settings.folder.is_dir):
        raise Refused(f"{settings.folder} is no folder")

    def report(trouble: Trouble) -> None:
        sys.stderr.write(f"{trouble.name or settings.folder}: {trouble.code}: {trouble.message}\n")

    sys.stdout.write(f"watching {settings.folder}; Ctrl-C stops\n")
    sys.stdout.flush()
    await watch(settings, desk.base, desk.settings, report).run()
    return 0


def _sources(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    found = sources(paths)
    if not found:
        raise Refused("there is no document in these paths")
    return found


def _whole(name: str, path: Path, limits: FileLimits) -> bytes:
    """Raises DocumentError for a file that is too large or cannot be read."""
    try:
        check_size(name, path.stat().st_size, limits)
        return path.read_bytes()
    except OSError as error:
        raise DocumentError("unreadable", str(error.strerror)) from error


async def _page(desk: Desk, page: Fetched) -> Taken:
    try:
        done = await desk.base.ingest(page.name, page.data, dated=page.dated, tags=desk.arguments.tag)
    except DocumentError as error:
        return Taken.refused(page.name, error.code, str(error))
    return _taken(page.name, done)


def _taken(name: str, done: Ingested) -> Taken:
    document = Summary.model_validate(done.document)
    return Taken(source=name, document=document, unchanged=done.unchanged, warnings=done.warnings)


def _said(desk: Desk, one: Taken) -> Taken:
    """One line of what became of a file; what is wrong with it on standard error, also with --json."""
    if one.document is None:
        sys.stderr.write(f"{one.source}: {one.code}: {one.message}\n")
        return one
    if not desk.arguments.json:
        what = "unchanged" if one.unchanged else f"{one.document.passages} passages"
        sys.stdout.write(f"{one.source}: {what} ({one.document.title})\n")
    sys.stderr.writelines(f"{one.source}: {warning}\n" for warning in one.warnings)
    return one
