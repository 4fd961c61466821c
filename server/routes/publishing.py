"""Routes that change a base as a whole: many files at once, pages of the web, editions and the way back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Response, UploadFile

from knowledge.base import KnowledgeBase
from knowledge.web import Fetched, Web
from server.bodies.bases import Back, EditionBody, Published, Warned
from server.bodies.documents import Crawled, JobBody, Pages, SkippedPage, Uploaded
from server.fetching import web
from server.routes.access import ROOT, Access
from server.watching import uploaded


def publishing_routes(access: Access) -> APIRouter:
    router = APIRouter(prefix=f"{ROOT}/{{base}}", tags=["publishing"])
    _whole(router, access)
    _pages(router, access)
    _editions(router, access)
    return router


def _whole(router: APIRouter, access: Access) -> None:
    settings = access.service.settings

    @router.post(
        "/publish", status_code=201, summary="Many files as one edition: all of them or, where one is bad, none"
    )
    async def publish(
        knowledge: Annotated[KnowledgeBase, Depends(access.writable)],
        files: list[UploadFile],
        replace: Annotated[bool, Form(description="documents that are not among the files are gone")] = False,
        note: Annotated[str, Form(max_length=200, description="what to call the edition")] = "",
    ) -> Published:
        named = [(uploaded(file.filename, knowledge.name, settings), await file.read()) for file in files]
        warned = Warned()
        edition = await knowledge.publish(named, replace=replace, note=note, warn=warned.add)
        return Published.of(edition, warned)

    @router.post("/rebuild", status_code=202, summary="Make the indexes and vectors anew from the documents")
    async def rebuild(knowledge: Annotated[KnowledgeBase, Depends(access.writable)]) -> None:
        await knowledge.rebuild()


def _pages(router: APIRouter, access: Access) -> None:
    fetching = web(access.service.settings)

    @router.post(
        "/pages",
        status_code=201,
        summary="A page of the web, or all that a sitemap lists",
        responses={202: {"model": JobBody | Crawled, "description": "With `wait=false`, or for a sitemap"}},
    )
    async def pages(
        knowledge: Annotated[KnowledgeBase, Depends(access.writable)],
        response: Response,
        asked: Pages,
        wait: Annotated[bool, Query(description="false: answer as soon as the page is fetched and safe")] = True,
    ) -> Uploaded | JobBody | Crawled:
        if asked.sitemap is not None:
            response.status_code = 202
            return await _crawled(knowledge, fetching, str(asked.sitemap), asked.tags)
        page = await fetching.page(str(asked.url))
        if page is None:
            raise HTTPException(502, "broken: the server answers that nothing has changed, though it was not asked")
        if wait:
            ingested = await knowledge.ingest(page.name, page.data, dated=page.dated, tags=asked.tags)
            return Uploaded.model_validate(ingested)
        response.status_code = 202
        return JobBody.model_validate(await knowledge.submit(page.name, page.data, dated=page.dated, tags=asked.tags))


async def _crawled(knowledge: KnowledgeBase, fetching: Web, sitemap: str, tags: tuple[str, ...]) -> Crawled:
    crawled = Crawled(jobs=[], skipped=[])
    async for page in fetching.site(sitemap):
        if isinstance(page, Fetched):
            job = await knowledge.submit(page.name, page.data, dated=page.dated, tags=tags)
            crawled.jobs.append(JobBody.model_validate(job))
        else:
            crawled.skipped.append(SkippedPage.model_validate(page))
    return crawled


def _editions(router: APIRouter, access: Access) -> None:
    @router.get("/editions", summary="What the base said and when, the newest first")
    async def editions(knowledge: Annotated[KnowledgeBase, Depends(access.readable)]) -> list[EditionBody]:
        found = [EditionBody.model_validate(edition) for edition in await knowledge.editions()]
        return sorted(found, key=lambda edition: -edition.number)

    @router.post("/rollback", status_code=201, summary="Say again what an earlier edition said, as a new edition")
    async def rollback(
        knowledge: Annotated[KnowledgeBase, Depends(access.writable)], back: Back | None = None
    ) -> EditionBody:
        return EditionBody.model_validate(await knowledge.rollback(back.edition if back else None))
