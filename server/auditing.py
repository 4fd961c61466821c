"""Every request that changes something leaves a line in the audit log: whose key, what, and what came of it."""

import re

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.audit import Audit, Detail, Entry
from server.auth import Gate, Grant

_CHANGES = ("POST", "PUT", "PATCH", "DELETE")
_ASKS = re.compile(r"/v1/(?:knowledge/[^/]+/search|chat/completions|responses|audio/\w+)")
"""POSTs that change nothing."""
_TOLD = ("base", "id")
"""Parts of an address that are no one's name."""


class Auditing:
    """Stands inside the guard: those whom the gate does not admit change nothing."""

    def __init__(self, app: ASGIApp, audit: Audit, gate: Gate) -> None:
        self._app, self._audit, self._gate = app, audit, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or scope["method"] not in _CHANGES or not path.startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        if _ASKS.fullmatch(path):
            await self._app(scope, receive, send)
            return
        status = 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._audit.record(_entry(scope, status, self._gate.grant(HTTPConnection(scope))))


def _entry(scope: Scope, status: int, grant: Grant | None) -> Entry:
    """The route as it is declared: an address may have a user in it."""
    route, given = scope.get("route"), scope.get("path_params", {})
    detail: Detail = {"status": status, **{name: str(given[name]) for name in _TOLD if name in given}}
    return Entry(holder(grant), f"{scope['method']} {getattr(route, 'path', 'no such route')}", detail=detail)


def holder(grant: Grant | None) -> str:
    if grant is None:
        return "nobody"
    return "operator key" if grant.operator else f"key of {grant.base or 'every base'}"
