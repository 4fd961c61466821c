"""Routes of the operators' desk, for the operator's key only: the console's WebSocket, and the list of sessions."""

from typing import Any

from fastapi import APIRouter, Depends, WebSocket

from agent.desk import Desk
from server.auth import Gate
from server.operating import operate
from server.protocols.operator import NAME, standing
from server.routes.access import Access

_ROOT = "/v1/operator"
_POLICY = 1008


def operator_routes(access: Access, desk: Desk) -> APIRouter:
    router = APIRouter(prefix=_ROOT, tags=["operators"], dependencies=[Depends(access.operator)])

    @router.get("/sessions", summary="The sessions that are live; those that want a human first")
    async def sessions() -> dict[str, Any]:
        return {"operators": list(desk.operators), "sessions": [standing(one) for one in desk.standings()]}

    return router


def operator_console(desk: Desk, gate: Gate, hello_seconds: float) -> APIRouter:
    router = APIRouter()

    @router.websocket(_ROOT)
    async def console(socket: WebSocket) -> None:
        grant = gate.grant(socket)
        if grant is None or not grant.operator:
            await socket.close(_POLICY)
            return
        await socket.accept(NAME if NAME in socket.scope.get("subprotocols", ()) else None)
        await operate(socket, desk, hello_seconds)

    return router
