"""What stands before every HTTP route: security headers, and under /v1/ the gate and a limit of the body's size."""

import re

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from configs.settings import ServerSettings
from server.auth import Gate
from server.openai import errors as openai

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_BULK = re.compile(r"/v1/knowledge/[^/]+/(?:publish|import)")
"""Routes whose body is many documents."""
_ENVELOPE = 65_536
"""Bytes of a multipart body that are not the file."""
_DIGITS = 18
"""A length of more digits is not read as a number: it is too large."""


class Guard:
    """Nothing of a body is read for those whom the gate does not admit, and never more than the limit."""

    def __init__(self, app: ASGIApp, gate: Gate, settings: ServerSettings) -> None:
        self._app, self._gate, self._settings = app, gate, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        most = self._most(scope["path"])
        refusal = self._refusal(HTTPConnection(scope), most) if scope["path"].startswith("/v1/") else None
        if refusal is not None:
            await _told(refusal, scope["path"])(scope, receive, secured)
            return
        await self._app(scope, _counted(receive, most), secured)

    def _refusal(self, connection: HTTPConnection, most: int) -> HTTPException | None:
        if self._gate.grant(connection) is None:
            return HTTPException(401, "unauthorized: a valid key is needed: Authorization: Bearer KEY")
        length = connection.headers.get("content-length", "0")
        if length.isdecimal() and (len(length) > _DIGITS or int(length) > most + _ENVELOPE):
            return _too_large(most)
        return None

    def _most(self, path: str) -> int:
        if openai.JSON.fullmatch(path):
            return self._settings.message_bytes
        return self._settings.publish_bytes if _BULK.fullmatch(path) else self._settings.upload_bytes


def _told(refusal: HTTPException, path: str) -> JSONResponse:
    if openai.PATHS.fullmatch(path):
        return openai.refused(refusal).response()
    return JSONResponse({"detail": refusal.detail}, refusal.status_code)


def _counted(receive: Receive, most: int) -> Receive:
    """A body that is sent without its length, or with a false one, is cut off at the limit."""
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most + _ENVELOPE:
            raise _too_large(most)
        return message

    return counted


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"too_large: at most {most} bytes")
