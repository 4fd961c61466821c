"""Whose request it is and what it may touch: the dependencies of every route under /v1."""

from fastapi import HTTPException, Request

from knowledge.base import KnowledgeBase
from knowledge.bases import UnknownBase
from server.assemble import Service
from server.auth import Gate, Grant

ROOT = "/v1/knowledge"


class Access:
    """A base that the caller's key does not open is told like one that is not there: names do not leak."""

    def __init__(self, service: Service, gate: Gate) -> None:
        self.service, self._gate = service, gate

    async def grant(self, request: Request) -> Grant:
        if not self.service.readiness().serving:
            raise HTTPException(503, "starting: the presenter is starting, try again", {"Retry-After": "5"})
        grant = self._gate.grant(request)
        if grant is None:
            raise HTTPException(401, "unauthorized: a valid key is needed: Authorization: Bearer KEY")
        return grant

    async def readable(self, request: Request, base: str) -> KnowledgeBase:
        grant = await self.grant(request)
        if not grant.sees(base):
            raise UnknownBase(f"there is no knowledge base {base!r}")
        return self.service.bases.get(base)

    async def writable(self, request: Request, base: str) -> KnowledgeBase:
        found = await self.readable(request, base)
        if not (await self.grant(request)).write:
            raise HTTPException(403, "read_only: this key may not change the knowledge base")
        return found

    async def operator(self, request: Request) -> None:
        if not (await self.grant(request)).operator:
            raise HTTPException(403, "operator_only: this needs the operator's key")
