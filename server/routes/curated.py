"""Routes of one base's curated answers (FAQ): what is said word for word where a question is asked."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from knowledge.base import KnowledgeBase
from server.bodies.curated import Answer, AnswerBody
from server.routes.access import ROOT, Access

_ABSENT = "unknown_answer: this base has no curated answer of this id"


def curated_routes(access: Access) -> APIRouter:
    router = APIRouter(prefix=f"{ROOT}/{{base}}/faq", tags=["curated answers"])

    @router.get("", summary="Every curated answer, those of FAQ sheets too")
    async def answers(knowledge: Annotated[KnowledgeBase, Depends(access.readable)]) -> list[AnswerBody]:
        return [AnswerBody.of(curated) for curated in knowledge.curated()]

    @router.post("", status_code=201, summary="Add a curated answer; it holds from the next question on")
    async def add(knowledge: Annotated[KnowledgeBase, Depends(access.writable)], answer: Answer) -> AnswerBody:
        return AnswerBody.of(await knowledge.put_curated(answer.entry()))

    @router.put("/{id}", summary="Put another answer in place of one")
    async def put(knowledge: Annotated[KnowledgeBase, Depends(access.writable)], id: str, answer: Answer) -> AnswerBody:
        if all(curated.id != id for curated in knowledge.curated()):
            raise HTTPException(404, _ABSENT)
        return AnswerBody.of(await knowledge.put_curated(answer.entry(), id))

    @router.delete("/{id}", status_code=204, summary="Remove a curated answer")
    async def remove(knowledge: Annotated[KnowledgeBase, Depends(access.writable)], id: str) -> None:
        if not await knowledge.remove_curated(id):
            raise HTTPException(404, _ABSENT)

    return router
