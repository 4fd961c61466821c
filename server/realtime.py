"""OpenAI Realtime at /v1/realtime: who may connect, in which dialect; and keys for minutes that a page may have."""

from contextlib import suppress
from typing import Any

from fastapi import APIRouter, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from knowledge.bases import UnknownBase
from server.admission import NO_BASE, Admission
from server.assemble import Service
from server.auth import Gate
from server.protocols.base import Hello, Rejected
from server.protocols.realtime import Defaults, Dialect, RealtimeCodec, SessionBody, beta
from server.protocols.realtime.refusal import Refusal, error
from server.protocols.realtime.session import merged, shown
from server.protocols.realtime.sound import APPEND
from server.reception import Reception
from server.sockets import serve

PATH = "/v1/realtime"
MESSAGE_BYTES = APPEND * 4 // 3 + 64 * 1024
"""The largest append, in base64, with what stands around it."""
_BUSY = 1013
_NAME = "realtime"
_MODEL = "zhubo"


class Expiry(BaseModel):
    seconds: int = Field(default=600, ge=10, le=7200)


class SecretBody(BaseModel):
    expires_after: Expiry = Expiry()
    session: dict[str, Any] = Field(default_factory=dict)


def realtime_routes(service: Service, gate: Gate, admission: Admission) -> APIRouter:
    router = APIRouter(tags=["OpenAI Realtime"])

    @router.post(f"{PATH}/client_secrets", summary="A key for minutes, for conversations alone")
    async def client_secrets(request: Request, body: SecretBody) -> dict[str, Any]:
        """Its holder speaks to the issuer's knowledge base, with the settings given here to begin with."""
        grant = gate.grant(request)
        if grant is None:
            raise HTTPException(401, "unauthorized: a valid key is needed: Authorization: Bearer KEY")
        try:
            session = merged(SessionBody(type=body.session.get("type", "realtime")), body.session)
        except (Refusal, ValueError) as wrong:
            raise HTTPException(422, f"bad_request: {wrong}") from wrong
        issued = gate.passes.issue(grant, body.expires_after.seconds, session)
        if issued is None:
            raise HTTPException(429, "too_many: too many such keys are valid now, try again in a minute")
        key, ends = issued
        return {"value": key, "expires_at": int(ends), "session": shown(session, "sess_new", defaults(service))}

    @router.websocket(PATH)
    async def realtime(socket: WebSocket) -> None:
        talker = gate.talker(socket)
        if talker is None:
            told = error("invalid_api_key", "a valid key is needed: Authorization: Bearer KEY / 需要有效的密钥")
            await socket.send_denial_response(JSONResponse({"error": told["error"]}, 401))
            return
        grant, carried = talker
        await socket.accept(_NAME if _NAME in socket.scope.get("subprotocols", ()) else None)
        codec = _codec(service, socket, carried)
        bases = admission.bases(grant)
        refusal = admission.refusal(bases)
        if refusal is not None:
            await _turned_away(socket, codec, refusal)
            return
        with admission.admitted():
            try:
                hello = Hello(voice_only=codec.leads)
                reception = Reception(service, grant, bases)
                await serve(socket, codec, reception.received, service.settings.server.hello_seconds, hello)
            except UnknownBase:  # deleted since
                await _turned_away(socket, codec, NO_BASE)

    return router


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


async def _turned_away(socket: WebSocket, codec: RealtimeCodec, refusal: Rejected) -> None:
    with suppress(WebSocketDisconnect):
        for frame in codec.encode(refusal):
            await socket.send_text(str(frame))
        await socket.close(_BUSY)
