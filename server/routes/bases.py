"""Routes of the knowledge bases themselves: list, make, delete, and carry from one instance to another."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, UploadFile
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from knowledge.base import KnowledgeBase
from server.auth import Grant
from server.bodies.bases import BaseBody, NewBase
from server.routes.access import ROOT, Access


def base_routes(access: Access) -> APIRouter:
    router = APIRouter(prefix=ROOT, tags=["knowledge bases"])
    _reading(router, access)
    _operating(router, access)
    _carrying(router, access)
    return router


def _reading(router: APIRouter, access: Access) -> None:
    @router.get("", summary="The knowledge bases that the key opens")
    async def bases(grant: Annotated[Grant, Depends(access.grant)]) -> list[BaseBody]:
        found = access.service.bases
        return [await BaseBody.of(found, name) for name in found.names() if grant.sees(name)]

    @router.get("/{base}", summary="One knowledge base: how much is in it, and whether it is well")
    async def one(base: str, _: Annotated[KnowledgeBase, Depends(access.readable)]) -> BaseBody:
        return await BaseBody.of(access.service.bases, base)


def _operating(router: APIRouter, access: Access) -> None:
    @router.post("", status_code=201, summary="Make a knowledge base", dependencies=[Depends(access.operator)])
    async def create(new: NewBase) -> BaseBody:
        await access.service.bases.create(new.name, new.title)
        return await BaseBody.of(access.service.bases, new.name)

    @router.delete(
        "/{base}",
        status_code=204,
        summary="Delete a knowledge base with all that is in it",
        dependencies=[Depends(access.operator)],
    )
    async def delete(base: str) -> None:
        await access.service.bases.delete(base)


def _carrying(router: APIRouter, access: Access) -> None:
    @router.get("/{base}/export", summary="The whole base as one archive", response_class=FileResponse)
    async def export(base: str, _: Annotated[KnowledgeBase, Depends(access.writable)]) -> FileResponse:
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="zhubo-export-"))
        gone = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
        try:
            await access.service.bases.export(base, folder / "archive")
        except BaseException:
            await gone()
            raise
        name = f"{access.service.bases.title(base)}.zhubo"
        headers = {"Content-Disposition": attachment(f"{base}.zhubo", name)}
        return FileResponse(folder / "archive", media_type="application/octet-stream", headers=headers, background=gone)

    @router.post(
        "/{base}/import",
        status_code=201,
        summary="Make a knowledge base of an archive",
        dependencies=[Depends(access.operator)],
    )
    async def load(base: str, file: UploadFile) -> BaseBody:
        with tempfile.TemporaryDirectory(prefix="zhubo-import-") as folder:
            archive = Path(folder) / "archive"
            await asyncio.to_thread(_copy, file, archive)
            await access.service.bases.load(archive, base)
        return await BaseBody.of(access.service.bases, base)


def attachment(plain: str, name: str) -> str:
    """Content-Disposition for any name: RFC 6266, with an ASCII name for clients that know no better."""
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _copy(upload: UploadFile, path: Path) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(upload.file, file)
