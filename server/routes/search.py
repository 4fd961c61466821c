"""The route that finds passages, with what their ranking comes from."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from knowledge.base import KnowledgeBase
from server.bodies.search import Question, Result
from server.routes.access import ROOT, Access


def search_routes(access: Access) -> APIRouter:
    router = APIRouter(prefix=f"{ROOT}/{{base}}", tags=["search"])
    settings = access.service.settings
    longest, usual = settings.limits.question_characters, settings.knowledge.passages

    @router.post("/search", summary="The passages that a question would be answered from")
    async def search(knowledge: Annotated[KnowledgeBase, Depends(access.readable)], asked: Question) -> Result:
        if len(asked.question) > longest:
            raise HTTPException(422, f"question_too_long: at most {longest} characters")
        found = await knowledge.search(asked.question, asked.count or usual, only=asked.filter.filter())
        return Result.of(found, asked.explain)

    return router
