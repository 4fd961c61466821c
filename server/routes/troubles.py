"""What is told when a request cannot be done: a stable code, and a message that says what to do."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from agent.memory.records import RecordsError
from knowledge.addresses import WebError
from knowledge.bases import UnknownBase
from knowledge.documents import DocumentError, KnowledgeUnavailable
from knowledge.store import StoreError

_STATUS = {"too_large": 413, "unsupported": 415, "name_taken": 409, "no_edition": 404}
_SERVERS_FAULT = ("unreachable", "tls", "slow", "broken", "status", "redirects")

Told = Callable[[Request, Exception], Awaitable[JSONResponse]]


def told_troubles(app: FastAPI) -> None:
    """Every route's errors as `{"detail": "code: message"}`."""
    app.add_exception_handler(KnowledgeUnavailable, _always(503, "knowledge_unavailable"))
    app.add_exception_handler(StoreError, _always(503, "store_unavailable"))
    app.add_exception_handler(RecordsError, _always(503, "memory_unavailable"))
    app.add_exception_handler(UnknownBase, _unknown)
    app.add_exception_handler(DocumentError, _document)
    app.add_exception_handler(WebError, _web)
    app.add_exception_handler(RequestValidationError, _request)


def _always(status: int, code: str) -> Told:
    async def told(_: Request, error: Exception) -> JSONResponse:
        return _problem(status, code, str(error))

    return told


async def _unknown(_request: Request, _error: Exception) -> JSONResponse:
    """The same whether there is no such base or the key opens another one: names do not leak."""
    return _problem(404, "unknown_base", "there is no such knowledge base for this key; GET /v1/knowledge lists them")


async def _document(_: Request, error: Exception) -> JSONResponse:
    code = getattr(error, "code", "")
    return _problem(_STATUS.get(code, 422), code, str(error))


async def _web(_: Request, error: Exception) -> JSONResponse:
    code = getattr(error, "code", "")
    return _problem(502 if code in _SERVERS_FAULT else 413 if code == "too_large" else 422, code, str(error))


async def _request(_: Request, error: Exception) -> JSONResponse:
    """Which field is wrong, without what was given."""
    problems = error.errors() if isinstance(error, RequestValidationError) else ()
    told = [f"{'.'.join(map(str, problem['loc'][1:])) or 'the body'}: {problem['msg']}" for problem in problems]
    return _problem(422, "bad_request", "; ".join(told))


def _problem(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"detail": f"{code}: {message}"}, status)
