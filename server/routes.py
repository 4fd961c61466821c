"""HTTP routes of the knowledge base: upload, list, read, delete, search."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, UploadFile
from pydantic import BaseModel

from configs.language import Lang
from knowledge.documents import Document, DocumentError, Entry, Hit
from server.assemble import Service

_STATUS = {"too_large": 413, "unsupported": 415}


class Summary(BaseModel):
    id: str
    title: str
    source: str
    format: str
    lang: Lang


class Whole(Summary):
    text: str


class Found(BaseModel):
    """A passage that answers; `score` is comparable within one search only."""

    document: str
    title: str
    source: str
    section: tuple[str, ...]
    page: int | None
    start: int
    end: int
    text: str
    score: float


class Uploaded(BaseModel):
    document: Summary
    passages: int
    unchanged: bool
    warnings: list[str]


def knowledge_routes(service: Service) -> APIRouter:
    """Routes under /v1, where the guard stands; closed until the service is open."""

    def serving() -> None:
        if not service.readiness().serving:
            raise HTTPException(503, "the presenter is starting", {"Retry-After": "5"})

    router = APIRouter(prefix="/v1", dependencies=[Depends(serving)], tags=["knowledge"])

    @router.get("/documents")
    async def documents() -> list[Summary]:
        return [_summary(document) for document in service.knowledge.documents()]

    @router.post("/documents", status_code=201)
    async def upload(file: UploadFile) -> Uploaded:
        limit = service.settings.server.upload_bytes
        if file.size is not None and file.size > limit:
            raise HTTPException(413, f"the file is larger than {limit} bytes")
        try:
            ingested = await service.knowledge.ingest(file.filename or "upload", await file.read())
        except DocumentError as error:
            raise HTTPException(_STATUS.get(error.code, 422), f"{error.code}: {error}") from error
        return Uploaded(
            document=_summary(ingested.document),
            passages=ingested.document.passages,
            unchanged=ingested.unchanged,
            warnings=list(ingested.warnings),
        )

    @router.get("/documents/{identity}")
    async def document(identity: str) -> Whole:
        found = await service.knowledge.document(identity)
        if found is None:
            raise HTTPException(404, "no such document")
        return Whole(**_summary(found).model_dump(), text=found.text)

    @router.delete("/documents/{identity}", status_code=204)
    async def remove(identity: str) -> None:
        if not await service.knowledge.remove(identity):
            raise HTTPException(404, "no such document")

    @router.get("/search")
    async def search(
        q: Annotated[str, Query(min_length=1, max_length=service.settings.limits.question_characters)],
        count: Annotated[int, Query(ge=1, le=20)] = service.settings.knowledge.passages,
    ) -> list[Found]:
        return [_found(hit) for hit in (await service.knowledge.search(q, count)).hits]

    return router


def _found(hit: Hit) -> Found:
    passage, place = hit.passage, hit.passage.place
    return Found(
        document=passage.document,
        title=passage.title,
        source=passage.source,
        section=place.section,
        page=place.page,
        start=place.start,
        end=place.end,
        text=passage.text,
        score=hit.score,
    )


def _summary(document: Document | Entry) -> Summary:
    return Summary(
        id=document.id, title=document.title, source=document.source, format=document.format, lang=document.lang
    )
