"""OpenAI Realtime at /v1/realtime: who may connect, in which dialect; and keys for minutes that a page may have."""

from typing import Any

from fastapi import APIRouter, Depends, Request, WebSocket
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field

from server.admission import Admission
from server.assemble import Service
from server.auth import Gate, Grant
from server.bodies.openai import ErrorBody
from server.openai.errors import Compatible, Wrong
from server.protocols.base import Hello
from server.protocols.realtime import Defaults, Dialect, RealtimeCodec, SessionBody, beta
from server.protocols.realtime.refusal import Refusal
from server.protocols.realtime.session import merged, shown
from server.protocols.realtime.sound import FRAME
from server.reception import entertain

PATH = "/v1/realtime"
MESSAGE_BYTES = 2 * FRAME
"""What is larger than the largest event, and not larger than this, is refused by an error event; what is larger still
closes the connection, with 1009."""
_NAME = "realtime"
_MODEL = "zhubo"
_BETA_SECONDS = 60
_NO_KEY = (
    "a valid key is needed, from a page of a known origin: Authorization: Bearer KEY, or the subprotocol "
    "openai-insecure-api-key.KEY / 需要有效的密钥，网页还须来自已知的来源"
)
_NO_CALLS = (
    "WebRTC and SIP are not offered: connect a WebSocket to /v1/realtime / 不支持 WebRTC 和 SIP，请用 WebSocket 连接"
)


_PROBLEMS: dict[int | str, dict[str, object]] = {
    400: {"model": ErrorBody, "description": "the body is wrong; `param` is the field"},
    401: {"model": ErrorBody, "description": "`invalid_api_key`"},
    422: {"model": ErrorBody, "description": "never: it is 400 here"},
}


class Expiry(BaseModel):
    seconds: int = Field(default=600, ge=10, le=7200)


class SecretBody(BaseModel):
    expires_after: Expiry = Expiry()
    session: dict[str, Any] = Field(default_factory=dict)


def realtime_routes(service: Service, gate: Gate, admission: Admission) -> APIRouter:
    router = APIRouter(tags=["OpenAI Realtime"], route_class=Compatible)
    key = [Depends(HTTPBearer(auto_error=False, description="The operator's key, or one that opens a single base"))]

    @router.post(
        f"{PATH}/client_secrets",
        summary="A key for minutes, for conversations alone",
        dependencies=key,
        responses=_PROBLEMS,
    )
    async def client_secrets(request: Request, body: SecretBody) -> dict[str, Any]:
        """Its holder speaks to the issuer's knowledge base, with the settings given here to begin with."""
        session = _begun(body.session)
        key, ends = _issued(gate, request, body.expires_after.seconds, session)
        return {"value": key, "expires_at": ends, "session": shown(session, "sess_new", defaults(service))}

    @router.post(f"{PATH}/sessions", summary="The same as the beta has it", dependencies=key, responses=_PROBLEMS)
    async def sessions(request: Request, body: dict[str, Any]) -> dict[str, Any]:
        session = _begun(beta.inward({"type": "session.update", "session": body})["session"])
        key, ends = _issued(gate, request, _BETA_SECONDS, session)
        whole = beta.flat(shown(session, "sess_new", defaults(service)))
        return {**whole, "client_secret": {"value": key, "expires_at": ends}}

    @router.post(f"{PATH}/calls", summary="WebRTC and SIP: not offered", dependencies=key, responses=_PROBLEMS)
    async def calls() -> None:
        raise Wrong(501, "unsupported", _NO_CALLS)

    @router.websocket(PATH)
    async def realtime(socket: WebSocket) -> None:
        await _converse(service, gate, admission, socket)

    return router


async def _converse(service: Service, gate: Gate, admission: Admission, socket: WebSocket) -> None:
    talker = gate.talker(socket)
    if talker is None:
        await socket.send_denial_response(Wrong(401, "invalid_api_key", _NO_KEY).response())
        return
    if "call_id" in socket.query_params:
        await socket.send_denial_response(Wrong(400, "unsupported", _NO_CALLS, "call_id").response())
        return
    grant, carried = talker
    await socket.accept(_NAME if _NAME in socket.scope.get("subprotocols", ()) else None)
    codec = _codec(service, socket, carried)
    patience = service.settings.server.idle_seconds or None
    await entertain(socket, codec, service, admission, grant, Hello(voice_only=codec.leads), patience=patience)


def _begun(given: object) -> SessionBody:
    """Raises Wrong."""
    kind = given.get("type", "realtime") if isinstance(given, dict) else "realtime"
    try:
        return merged(SessionBody(type="transcription" if kind == "transcription" else "realtime"), given)
    except Refusal as refusal:
        raise Wrong(400, refusal.code, refusal.message, refusal.param) from refusal


def _issued(gate: Gate, request: Request, seconds: float, session: SessionBody) -> tuple[str, int]:
    """Raises Wrong."""
    grant: Grant | None = gate.grant(request)
    if grant is None:
        raise Wrong(401, "invalid_api_key", _NO_KEY)
    issued = gate.passes.issue(grant, seconds, session)
    if issued is None:
        told = "too many such keys are valid now: try again in a minute / 临时密钥太多，请一分钟后再试"
        raise Wrong(429, "rate_limit_exceeded", told, headers={"Retry-After": "60"})
    key, ends = issued
    return key, int(ends)


def _codec(service: Service, socket: WebSocket, carried: object) -> RealtimeCodec:
    """`carried`: what a key for minutes was made with."""
    query = socket.query_params
    asked = SessionBody(type="transcription" if query.get("intent") == "transcription" else "realtime")
    offered = socket.scope.get("subprotocols", ())
    dialect = Dialect(
        beta=beta.HEADER in socket.headers.get("openai-beta", "") or beta.SUBPROTOCOL in offered,
        extended=query.get("zhubo") == "1",
        noticed=query.get("notice") == "shown",
    )
    return RealtimeCodec(
        carried if isinstance(carried, SessionBody) else asked,
        defaults(service, query.get("model", _MODEL)),
        dialect,
        question_characters=service.settings.limits.question_characters,
    )


def defaults(service: Service, model: str = _MODEL) -> Defaults:
    """What holds where a client says nothing."""
    listening = service.settings.listening
    silence = getattr(listening.silence, service.persona.language)
    return Defaults(model[:64], silence, listening.threshold)
