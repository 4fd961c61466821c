"""The ASGI application: the page, the WebSocket, health, and the knowledge routes."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from agent.session import Session
from configs.engines import ConfigError
from knowledge.documents import KnowledgeUnavailable
from server.assemble import Service
from server.auth import Gate
from server.guard import Guard
from server.protocols.base import Rejected
from server.protocols.native import NAME, NativeCodec, Terms
from server.routes import knowledge_routes
from server.sockets import serve

_BUSY = 1013
_POLICY = 1008


def create_app(service: Service, stop: Callable[[], None] = lambda: None) -> FastAPI:
    """The application around a service, which it opens in the background and closes at the end.

    `stop` is called where the service cannot be opened.
    """

    async def open_service() -> None:
        try:
            await service.open()
        except ConfigError:
            stop()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        opening = asyncio.create_task(open_service(), name="opening the service")
        yield
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await service.close()

    app = FastAPI(title="Zhubo 主播", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    gate = Gate(service.settings.server)
    app.add_middleware(Guard, gate=gate, upload_bytes=service.settings.server.upload_bytes)
    _troubles(app)
    _health(app, service)
    app.include_router(knowledge_routes(service))
    _socket(app, service, gate)
    _pages(app)
    return app


def _troubles(app: FastAPI) -> None:
    @app.exception_handler(KnowledgeUnavailable)
    async def unavailable(_: Request, error: KnowledgeUnavailable) -> JSONResponse:
        return JSONResponse({"detail": f"knowledge_unavailable: {error}"}, 503)


def _health(app: FastAPI, service: Service) -> None:
    @app.get("/livez", summary="The event loop runs")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", summary="Every engine is ready; 503 with the reason while one is not")
    async def readyz() -> JSONResponse:
        readiness = service.readiness()
        return JSONResponse(readiness.report, 200 if readiness.ready else 503)


def _socket(app: FastAPI, service: Service, gate: Gate) -> None:
    connected: set[WebSocket] = set()

    @app.websocket("/ws")
    async def native(socket: WebSocket) -> None:
        if not gate.admits(socket):
            await socket.close(_POLICY)
            return
        await socket.accept(NAME if NAME in socket.scope.get("subprotocols", ()) else None)
        codec = NativeCodec(_terms(service))
        refusal = _refusal(service, len(connected))
        if refusal is not None:
            for frame in codec.encode(refusal):
                await socket.send_text(str(frame))
            await socket.close(_BUSY)
            return
        connected.add(socket)
        try:
            await serve(socket, codec, Session(service.presenter), service.settings.server.hello_seconds)
        finally:
            connected.discard(socket)


def _refusal(service: Service, connected: int) -> Rejected | None:
    if not service.readiness().serving:
        return Rejected("starting", "the presenter is starting, try again in a few seconds / 正在启动，请稍候再试")
    if connected >= service.settings.server.sessions:
        return Rejected("busy", "too many visitors, try again in a minute / 访客太多，请一分钟后再试")
    return None


def _terms(service: Service) -> Terms:
    settings = service.settings
    return Terms(
        session=secrets.token_urlsafe(12),
        persona=service.introduction,
        rate=service.rate,
        question_characters=settings.limits.question_characters,
        message_bytes=settings.server.message_bytes,
    )


def _pages(app: FastAPI) -> None:
    web = Path(str(files("server") / "web"))
    rig = Path(str(files("avatar") / "rig" / "presenter.json"))

    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(web / "index.html")

    @app.get("/static/presenter.json", include_in_schema=False)
    async def presenter() -> FileResponse:
        return FileResponse(rig)

    app.mount("/static", StaticFiles(directory=web), name="static")
