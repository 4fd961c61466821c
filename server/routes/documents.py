"""Routes of one base's documents: list, upload, read, label, remove; and the jobs that uploads become."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Response, UploadFile

from configs.language import Lang
from knowledge.base import KnowledgeBase
from knowledge.documents import Document, Format
from server.bodies.base import Tag
from server.bodies.documents import JobBody, Labels, Listing, Summary, Uploaded, Whole, chosen
from server.routes.access import ROOT, Access
from server.watching import uploaded

_ABSENT = "unknown_document: this base has no document of this id"


def document_routes(access: Access) -> APIRouter:
    router = APIRouter(prefix=f"{ROOT}/{{base}}", tags=["documents"])
    _reading(router, access)
    _uploading(router, access)
    _changing(router, access)
    _jobs(router, access)
    return router


def _reading(router: APIRouter, access: Access) -> None:
    @router.get("/documents", summary="The catalogue, page by page")
    async def documents(
        knowledge: Annotated[KnowledgeBase, Depends(access.readable)],
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        after: Annotated[str, Query(description="`next` of the page before")] = "",
        lang: Lang | None = None,
        format: Format | None = None,
        tag: Annotated[list[str] | None, Query(description="all of these")] = None,
        text: Annotated[str, Query(description="a part of the title")] = "",
    ) -> Listing:
        entries = list(chosen(knowledge.documents(), lang, format, tag or (), text))
        rest = [entry for entry in entries if entry.source > after]
        return Listing(
            documents=[Summary.model_validate(entry) for entry in rest[:limit]],
            total=len(entries),
            next=rest[limit - 1].source if len(rest) > limit else None,
        )

    @router.get("/documents/{id}", summary="A document with its text, as it is now or as an old citation saw it")
    async def document(
        knowledge: Annotated[KnowledgeBase, Depends(access.readable)],
        id: str,
        revision: Annotated[int | None, Query(ge=0, description="an earlier version, while it is kept")] = None,
    ) -> Whole:
        found: Document | None = await knowledge.document(id, revision)
        if found is None:
            raise HTTPException(404, _ABSENT if revision is None else "unknown_revision: this version is not kept")
        return Whole.model_validate(found)


def _uploading(router: APIRouter, access: Access) -> None:
    settings = access.service.settings
    most = settings.server.upload_bytes

    @router.post(
        "/documents",
        status_code=201,
        summary="Upload a file in place of an earlier one of its name",
        responses={202: {"model": JobBody, "description": "With `wait=false`: it is safe on disk and will be read"}},
    )
    async def upload(
        knowledge: Annotated[KnowledgeBase, Depends(access.writable)],
        response: Response,
        file: UploadFile,
        dated: Annotated[date | None, Form()] = None,
        tags: Annotated[list[Tag] | None, Form(description="once for each tag")] = None,
        wait: Annotated[bool, Query(description="false: answer as soon as the file is safe")] = True,
    ) -> Uploaded | JobBody:
        if file.size is not None and file.size > most:
            raise HTTPException(413, f"too_large: at most {most} bytes")
        name, data = uploaded(file.filename, knowledge.name, settings), await file.read()
        if wait:
            return Uploaded.model_validate(await knowledge.ingest(name, data, dated=dated, tags=tuple(tags or ())))
        response.status_code = 202
        return JobBody.model_validate(await knowledge.submit(name, data, dated=dated, tags=tuple(tags or ())))


def _changing(router: APIRouter, access: Access) -> None:
    @router.patch("/documents/{id}", summary="Change a document's tags, summary or date")
    async def label(knowledge: Annotated[KnowledgeBase, Depends(access.writable)], id: str, labels: Labels) -> Summary:
        entry = await knowledge.label(id, **labels.given())
        if entry is None:
            raise HTTPException(404, _ABSENT)
        return Summary.model_validate(entry)

    @router.delete("/documents/{id}", status_code=204, summary="Take a document out of every answer, now")
    async def remove(
        knowledge: Annotated[KnowledgeBase, Depends(access.writable)],
        id: str,
        forever: Annotated[bool, Query(description="out of the editions that are kept, too")] = False,
    ) -> None:
        if not await knowledge.remove(id, forever=forever):
            raise HTTPException(404, _ABSENT)


def _jobs(router: APIRouter, access: Access) -> None:
    @router.get("/jobs", summary="Uploads that were promised, the newest first")
    async def jobs(
        knowledge: Annotated[KnowledgeBase, Depends(access.readable)],
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[JobBody]:
        return [JobBody.model_validate(job) for job in (await knowledge.jobs())[:limit]]

    @router.get("/jobs/{id}", summary="How far an upload has come")
    async def job(knowledge: Annotated[KnowledgeBase, Depends(access.readable)], id: str) -> JobBody:
        found = await knowledge.job(id)
        if found is None:
            raise HTTPException(404, "unknown_job: this base has no job of this id")
        return JobBody.model_validate(found)
