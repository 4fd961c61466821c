"""The ASGI application: the page, the WebSocket, health, and the routes of the knowledge bases."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from configs.background import started
from configs.engines import ConfigError
from server.admission import Admission
from server.assemble import Service
from server.auditing import Auditing
from server.auth import Gate
from server.guard import Guard
from server.openai.routes import openai_routes
from server.protocols.microphone import formats
from server.protocols.native import NAME, NativeCodec, Terms
from server.realtime import realtime_routes
from server.reception import entertain
from server.routes import keyed, knowledge_routes
from server.routes.access import Access
from server.routes.memory import memory_routes
from server.routes.operator import operator_console, operator_routes
from server.routes.troubles import told_troubles
from server.routes.xiaozhi import device_routes, devices_of, xiaozhi_routes
from server.wyoming import wyoming_served

log = logging.getLogger(__name__)

_POLICY = 1008


def create_app(
    service: Service,
    stop: Callable[[], None] = lambda: None,
    wyoming: socket.socket | None = None,
    ready: Callable[[], None] = lambda: None,
) -> FastAPI:
    """The application around a service, which it opens in the background and closes at the end.

    `ready` is called when it is open, `stop` where it cannot be. `wyoming`: where clients of that protocol connect.
    """

    async def open_service() -> None:
        await _warm(app, service)
        try:
            await service.open()
        except ConfigError:
            stop()
        else:
            ready()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        opening = started(open_service(), "opening the service")
        async with wyoming_served(service, admission, wyoming):
            yield
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)
        await service.close()

    admission = Admission(service)
    app = FastAPI(title="Zhubo 主播", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    gate = Gate(service.settings.server)
    app.add_middleware(Auditing, audit=service.audit, gate=gate)
    app.add_middleware(Guard, gate=gate, settings=service.settings.server)
    told_troubles(app)
    _health(app, service, gate)
    app.include_router(knowledge_routes(service, gate))
    access = Access(service, gate)
    app.include_router(
        keyed(access, memory_routes(access, lambda: service.memories), operator_routes(access, service.desk))
    )
    app.include_router(operator_console(service.desk, gate, service.settings.server.hello_seconds))
    app.include_router(realtime_routes(service, gate, admission))
    app.include_router(openai_routes(service, gate, admission))
    devices = devices_of(service)
    app.include_router(keyed(access, device_routes(access, devices)))
    app.include_router(xiaozhi_routes(service, gate, admission, devices))
    _socket(app, service, gate, admission)
    _pages(app)
    return app


async def _warm(app: FastAPI, service: Service) -> None:
    """What cannot be loaded now is when it is needed, or whoever needs it is told."""
    try:
        await asyncio.to_thread(_load, app, service)
    except Exception:
        log.exception("what the first client needs cannot be loaded before it comes")


def _load(app: FastAPI, service: Service) -> None:
    """What the first client would hold up everybody for: routes that are made when they are asked, PyAV."""
    for route in app.routes:
        route.matches({"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []})
    if service.settings.recognizer is not None:
        formats()


def _health(app: FastAPI, service: Service, gate: Gate) -> None:
    @app.get("/livez", summary="The event loop runs")
    async def livez() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", summary="Every engine is ready; 503 with the reason while one is not")
    async def readyz(request: Request) -> JSONResponse:
        """The knowledge bases that the caller's key opens are told one by one; the records to the operator."""
        readiness, grant = service.readiness(), gate.grant(request)
        report = dict(readiness.report)
        bases = report.pop("knowledge", {})
        if grant is None or not grant.operator:
            report = {name: told for name, told in report.items() if name not in ("memory", "audit")}
        if grant is not None and bases:
            report["knowledge"] = {name: state for name, state in bases.items() if grant.sees(name)}
        return JSONResponse(report, 200 if readiness.ready else 503)


def _socket(app: FastAPI, service: Service, gate: Gate, admission: Admission) -> None:
    @app.websocket("/ws")
    async def native(socket: WebSocket) -> None:
        grant = gate.grant(socket)
        if grant is None:
            await socket.close(_POLICY)
            return
        await socket.accept(NAME if NAME in socket.scope.get("subprotocols", ()) else None)
        codec = NativeCodec(_terms(service, admission.bases(grant)[0]))
        patience = service.settings.server.idle_seconds or None
        await entertain(socket, codec, service, admission, grant, patience=patience)


def _terms(service: Service, base: str) -> Terms:
    settings = service.settings
    return Terms(
        base=base,
        persona=service.introduction,
        rate=service.rate,
        question_characters=settings.limits.question_characters,
        message_bytes=settings.server.message_bytes,
        hearing=formats() if settings.recognizer is not None else (),
    )


def _pages(app: FastAPI) -> None:
    web = Path(str(files("server") / "web"))
    rig = Path(str(files("avatar") / "rig" / "presenter.json"))

    @app.get("/", include_in_schema=False)
    async def index() -> FileResponse:
        return FileResponse(web / "index.html")

    @app.get("/console", include_in_schema=False)
    async def console() -> FileResponse:
        return FileResponse(web / "console.html")

    @app.get("/static/presenter.json", include_in_schema=False)
    async def presenter() -> FileResponse:
        return FileResponse(rig)

    app.mount("/static", StaticFiles(directory=web), name="static")
