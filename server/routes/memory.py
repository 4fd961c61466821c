"""Routes of what is remembered of users: for the operator, and for a user's own session."""

from collections.abc import Callable
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Header, HTTPException, Path, Request, Response

from agent.memory.memories import Memories
from avatar.labels import HEADER
from server.bodies.memory import ConsentBody, ExportBody, MemoryBody, UserBody
from server.remembering import USER
from server.routes.access import Access

ROOT = "/v1/memory"
SESSION = "Zhubo-Session"
"""The header by which a client proves whose session it has."""

OWN = "me"
"""The user whose session it is."""

User = Annotated[str, Path(min_length=1, max_length=USER, description=f"as `GET {ROOT}` lists them, or `{OWN}`")]
Session = Annotated[str | None, Header(alias=SESSION, description=f"the session's id, for `{OWN}`")]


class Owner:
    """The user that a request may touch: whom the operator names, or, called `me`, whose session it is."""

    def __init__(self, access: Access, memories: Callable[[], Memories]) -> None:
        self._access, self._memories = access, memories

    async def __call__(self, request: Request, user: User, session: Session = None) -> str:
        grant = await self._access.grant(request)
        if user != OWN:
            await self._access.operator(request)
            return user
        found = await self._memories().conversation(session) if session else None
        if found is None or not found.user or not grant.sees(found.base):
            raise HTTPException(
                403, f"not_yours: `{OWN}` needs the id of a session that has a user, in the header {SESSION}"
            )
        return found.user


def memory_routes(access: Access, memories: Callable[[], Memories]) -> APIRouter:
    """`memories`: called once the service is open."""
    router = APIRouter(prefix=ROOT, tags=["memory"])
    owner = Owner(access, memories)
    _showing(router, access, memories, owner)
    _changing(router, memories, owner)
    return router


def _showing(router: APIRouter, access: Access, memories: Callable[[], Memories], owner: Owner) -> None:
    @router.get("", summary="The users that something is kept of", dependencies=[Depends(access.operator)])
    async def users() -> list[UserBody]:
        return [UserBody.of(tally) for tally in await memories().users()]

    @router.get("/{user}", summary="What is remembered of a user")
    async def show(user: Annotated[str, Depends(owner)]) -> MemoryBody:
        return MemoryBody.of(await memories().dossier(user))

    @router.get("/{user}/export", summary="All there is of a user, conversations too")
    async def export(user: Annotated[str, Depends(owner)], response: Response) -> ExportBody:
        label = access.service.producer.label(str(uuid4()))
        response.headers[HEADER] = label.header
        return ExportBody.of(await memories().dossier(user), label)


def _changing(router: APIRouter, memories: Callable[[], Memories], owner: Owner) -> None:
    @router.put("/{user}/consent", summary="Agree to be remembered, or no longer: then the facts are forgotten")
    async def consent(user: Annotated[str, Depends(owner)], body: ConsentBody) -> ConsentBody:
        return ConsentBody(given=await memories().agree(user, body.given))

    @router.delete("/{user}/facts/{id}", status_code=204, summary="Forget one fact, and where it was said")
    async def forget_fact(user: Annotated[str, Depends(owner)], id: str) -> None:
        if not await memories().forget_fact(user, id):
            raise HTTPException(404, "unknown_fact: nothing of this id is remembered of this user")

    @router.delete(
        "/{user}", status_code=204, summary="Forget a user: facts, conversations and consent, without a trace"
    )
    async def forget(user: Annotated[str, Depends(owner)]) -> None:
        await memories().forget(user)
