"""HTTP routes of the knowledge bases under /v1/knowledge, where the guard stands."""

from fastapi import APIRouter, Depends
from fastapi.security import HTTPBearer

from server.assemble import Service
from server.auth import Gate
from server.bodies.base import Problem
from server.routes.access import Access
from server.routes.bases import base_routes
from server.routes.curated import curated_routes
from server.routes.documents import document_routes
from server.routes.publishing import publishing_routes
from server.routes.search import search_routes

_PROBLEMS: dict[int | str, dict[str, object]] = {
    401: {"model": Problem, "description": "`unauthorized`: no valid key"},
    403: {"model": Problem, "description": "`read_only`, `operator_only`: the key does not allow this"},
    404: {"model": Problem, "description": "`unknown_…`: not there, or not for this key"},
    409: {"model": Problem, "description": "`name_taken`: there is such a base already"},
    413: {"model": Problem, "description": "`too_large`: more than the limit"},
    415: {"model": Problem, "description": "`unsupported`: not a kind of file that is read"},
    422: {"model": Problem, "description": "`bad_request`, or the code of what is wrong with the file or page"},
    502: {"model": Problem, "description": "the code of what is wrong with the server of a page"},
    503: {"model": Problem, "description": "`starting`, `…_unavailable`: not now"},
}


def knowledge_routes(service: Service, gate: Gate) -> APIRouter:
    """Closed until the service is open."""
    access = Access(service, gate)
    parts = (base_routes, document_routes, publishing_routes, search_routes, curated_routes)
    return keyed(access, *(part(access) for part in parts))


def keyed(access: Access, *routers: APIRouter) -> APIRouter:
    """These routes, with what is common to all of /v1: they need a key where one is set, and tell problems alike."""
    key = HTTPBearer(auto_error=False, description="The operator's key, or one that opens a single knowledge base")
    keyed = APIRouter(dependencies=[Depends(access.grant), Depends(key)], responses=_PROBLEMS)
    for router in routers:
        keyed.include_router(router)
    return keyed
