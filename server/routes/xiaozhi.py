"""What a smart speaker asks for at its start, its WebSocket, and the operator's list of devices."""

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Depends, HTTPException, Request, Response, WebSocket
from starlette.requests import HTTPConnection

from avatar.hearing import Opus
from avatar.intake import IntakeError
from avatar.intake import Outlet as Sound
from configs.language import Lang
from server.admission import Admission
from server.assemble import Service
from server.auth import Gate, Grant
from server.devices import Applicant, Devices, DevicesError
from server.protocols.xiaozhi import FRAME, RATE, VERSIONS, Outlet, Terms, XiaozhiCodec
from server.reception import entertain
from server.routes.access import Access
from server.tokens import Device

log = logging.getLogger(__name__)
T = TypeVar("T")

PATH = "/xiaozhi/v1/"
FILE = "devices.json"
_OTA = "/xiaozhi/ota"
_VISION = "/xiaozhi/vision"
_LONGEST = 65_536
"""Bytes of what a device tells of itself."""
_NAME = re.compile(r"[0-9A-Za-z:._-]{1,64}")
_HOST = re.compile(r"(?:[0-9A-Za-z._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
"""The Host header of RFC 9110, section 7.2, as clients write it."""
_POLL = 30_000
_ASK: dict[Lang | None, str] = {
    "zh": "请让管理员确认",
    "en": "Ask the operator to confirm",
    None: "请让管理员确认 / Ask the operator to confirm",
}
_TROUBLES = {"full": (409, ""), "unkept": (503, ""), "crowded": (429, "300")}
"""Of each that the list of devices has: the status, and after how many seconds to try again."""
_NO_PICTURES = "这里看不了图片。 / Pictures are not looked at here."


def devices_of(service: Service) -> Devices:
    server = service.settings.server
    keys = [server.key] if server.key else [key.key for key in server.keys]
    first = keys[0].get_secret_value() if keys else None
    return Devices(service.settings.xiaozhi, first, service.home.data / FILE)


def xiaozhi_routes(service: Service, gate: Gate, admission: Admission, devices: Devices) -> APIRouter:
    router = APIRouter(tags=["smart speakers"])

    @router.get(_OTA, summary="The same for a device that tells nothing of itself")
    @router.post(_OTA, summary="Where a device connects, and by which token")
    @router.api_route(f"{_OTA}/", methods=["GET", "POST"], include_in_schema=False)
    async def ota(request: Request) -> dict[str, Any]:
        return await _boot(request, service, devices, _known(request, service, gate, devices))

    @router.post(f"{_OTA}/activate", summary="200 when an operator has let the device in, 202 before")
    async def activate(request: Request) -> Response:
        admitted = await _admitted(devices, _known(request, service, gate, devices))
        return Response(status_code=200 if admitted else 202)

    @router.post(_VISION, include_in_schema=False)
    async def vision() -> dict[str, Any]:
        return {"success": False, "error": _NO_PICTURES, "message": _NO_PICTURES}

    @router.websocket(PATH)
    @router.websocket(PATH.rstrip("/"))
    async def speaker(socket: WebSocket) -> None:
        await _serve(socket, service, gate, admission, devices)

    return router


def device_routes(access: Access, devices: Devices) -> APIRouter:
    router = APIRouter(prefix="/v1/devices", tags=["smart speakers"], dependencies=[Depends(access.operator)])

    @router.get("", summary="Smart speakers that were let in, and those that wait, with their codes")
    async def listed() -> dict[str, Any]:
        return devices.listed()

    @router.post("/{code}", summary="Let in the device that shows this code")
    async def confirm(code: str) -> dict[str, str]:
        try:
            device = await asyncio.to_thread(devices.confirm, code)
        except DevicesError as error:
            raise _told_error(error) from error
        if device is None:
            raise HTTPException(404, "unknown_code: no device shows this code now / 没有设备在显示这个代码")
        return {"id": device.id}

    @router.delete("/{id}", summary="Let a device in no longer", status_code=204)
    async def forget(id: str) -> None:
        try:
            forgotten = await asyncio.to_thread(devices.forget, id.lower())
        except DevicesError as error:
            raise _told_error(error) from error
        if not forgotten:
            raise HTTPException(404, "unknown_device: it was not let in / 没有这个设备")

    return router


def _told_error(error: DevicesError) -> HTTPException:
    status, after = _TROUBLES[error.code]
    return HTTPException(status, f"{error.code}: {error}", headers={"Retry-After": after} if after else None)


def _applicant(devices: Devices, device: Device, request: Request) -> Applicant:
    """Raises HTTPException."""
    try:
        return devices.applicant(device, request.client.host if request.client else "")
    except DevicesError as error:
        raise _told_error(error) from error


async def _admitted(devices: Devices, device: Device) -> bool:
    """Raises HTTPException."""
    return await _kept(devices.admitted, device)


async def _kept(what: Callable[[Device], T], device: Device) -> T:
    """What may have to be written. Raises HTTPException."""
    try:
        return await asyncio.to_thread(what, device)
    except DevicesError as error:
        log.warning("a device cannot be let in: %s", error.code)
        raise _told_error(error) from error


def _known(request: HTTPConnection, service: Service, gate: Gate, devices: Devices) -> Device:
    """Raises HTTPException for one that does not say who it is where a key is set, for a page of another site, and for
    a Host that is no address."""
    if not service.settings.xiaozhi.enabled:
        raise HTTPException(404, "not_found: smart speakers are not served here / 这里不接待智能音箱")
    if not _is_address(request.headers.get("host", "")):
        raise HTTPException(400, "bad_host: send Host: NAME or NAME:PORT / Host 须为“主机名”或“主机名:端口”")
    if not devices.keyed and gate.grant(request) is None:
        raise HTTPException(403, "forbidden: only from this machine / 只限本机访问")
    id, client = (request.headers.get(name, "") for name in ("device-id", "client-id"))
    if not devices.keyed:
        return Device(id.lower()[:64], client[:64])
    if not (_NAME.fullmatch(id) and _NAME.fullmatch(client)):
        raise HTTPException(400, "unknown_device: send Device-Id and Client-Id / 请带上 Device-Id 和 Client-Id")
    return Device(id.lower(), client)


def _is_address(host: str) -> bool:
    """Whether others can be told to connect there. None at all is where the request came in."""
    try:
        parts = urlsplit(f"//{host}")
        return not host or (_HOST.fullmatch(host) is not None and bool(parts.hostname) and parts.port != 0)
    except ValueError:  # a port beyond 65535, or brackets around what is no address of version 6
        return False


async def _boot(request: Request, service: Service, devices: Devices, device: Device) -> dict[str, Any]:
    settings = service.settings.xiaozhi
    try:
        _outlet()
    except IntakeError as error:
        log.warning("a smart speaker asked, and there is no Opus: pip install 'zhubo[opus]'")
        raise HTTPException(503, f"{error.code}: {error}") from error
    told = await _told(request)
    admitted = await _admitted(devices, device)
    token = await _kept(devices.token, device) if admitted else ""
    lang = _language(str(told.get("language") or request.headers.get("accept-language", "")))
    zone = datetime.now(UTC).astimezone(ZoneInfo(service.settings.tools.timezone)).utcoffset()
    application = told.get("application")
    version = application.get("version") if isinstance(application, dict) else None
    answer: dict[str, Any] = {
        "server_time": {
            "timestamp": round(datetime.now(UTC).timestamp() * 1000),
            "timezone_offset": round(zone.total_seconds() / 60) if zone else 0,
        },
        "firmware": {"version": version if isinstance(version, str) else "0.0.0", "url": ""},
        "websocket": {
            "url": _address(request, settings.url) + (f"?lang={lang}" if lang else ""),
            "token": token,
            "version": settings.version,
        },
    }
    if not admitted:
        one = _applicant(devices, device, request)
        message = f"{_ASK[lang]}\n{one.code}"
        activation = {"code": one.code, "message": message, "challenge": one.challenge, "timeout_ms": _POLL}
        answer["activation"] = activation
    return answer


async def _serve(socket: WebSocket, service: Service, gate: Gate, admission: Admission, devices: Devices) -> None:
    settings = service.settings.xiaozhi
    try:
        device = await _presented(socket, service, gate, devices)
        user = await _kept(devices.user, device) if service.settings.memory.long_term else None
        outlet = _outlet()
    except HTTPException as refused:
        await socket.send_denial_response(Response(status_code=refused.status_code))
        return
    except IntakeError:
        await socket.send_denial_response(Response(status_code=503))
        return
    await socket.accept()
    codec = XiaozhiCodec(_terms(socket, service, user), outlet)
    grant = Grant(settings.base, write=False, minors=settings.minors)
    await entertain(socket, codec, service, admission, grant, lead=settings.lead, idle=settings.idle)


async def _presented(socket: WebSocket, service: Service, gate: Gate, devices: Devices) -> Device:
    """Who connects. Raises HTTPException for one that may not, or speaks a version that is not spoken here."""
    try:
        device = _known(socket, service, gate, devices)
    except HTTPException as refused:
        told = str(refused.detail).startswith(("not_found", "bad_host"))
        raise HTTPException(refused.status_code if told else 401) from refused
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else ""
    if not await _kept(lambda one: devices.opens(one, given), device):
        raise HTTPException(401)
    if socket.headers.get("protocol-version", "1") not in map(str, VERSIONS):
        raise HTTPException(400)
    return device


def _terms(socket: WebSocket, service: Service, user: str | None) -> Terms:
    version, wanted = socket.headers.get("protocol-version"), socket.query_params.get("lang")
    return Terms(
        int(version) if version else None,
        service.settings.xiaozhi.wake_words,
        service.settings.limits.question_characters,
        str(socket.url.replace(scheme="https" if socket.url.scheme == "wss" else "http", path=_VISION, query="")),
        "zh" if wanted == "zh" else "en" if wanted == "en" else None,
        user,
    )


def _outlet() -> Outlet:
    """Raises IntakeError where Opus is not installed."""
    return Sound(Opus(RATE), FRAME * 1000)


async def _told(request: Request) -> dict[str, Any]:
    """What the device says of itself; nothing where that cannot be read, for it may say nothing."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            raise HTTPException(413, f"too_large: at most {_LONGEST} bytes / 最多 {_LONGEST} 字节")
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _address(request: Request, configured: str | None) -> str:
    if configured:
        return configured.split("?")[0]
    url = request.url
    host = urlsplit(str(url)).netloc.rpartition("@")[2]
    return f"{'wss' if url.scheme == 'https' else 'ws'}://{host}{PATH}"


def _language(tag: str) -> Lang | None:
    """Of zh-CN, en-US,en;q=0.9 and the like."""
    first = tag.strip().lower()[:2]
    return "zh" if first == "zh" else "en" if first == "en" else None
