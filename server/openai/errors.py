"""What is told when a request cannot be done, in the shape that OpenAI's clients read; every message in both languages.

Source: the API reference of OpenAI, "Errors"; 422 is not among its statuses, a body that is wrong is 400.
"""

import logging
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from knowledge.bases import UnknownBase
from knowledge.documents import KnowledgeUnavailable

log = logging.getLogger(__name__)

Json = dict[str, Any]

PATHS = re.compile(r"/v1/(?:models|chat/completions|responses|realtime|audio/(?:speech|transcriptions))(?:/.*)?")
"""Where errors have this shape."""
JSON = re.compile(r"/v1/(?:chat/completions|responses|audio/speech|realtime/\w+)")
"""Routes whose body is one message."""

_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {401: "invalid_api_key", 413: "too_large", 429: "rate_limit_exceeded"}
_MESSAGES = {
    401: "a valid key is needed: Authorization: Bearer KEY / 需要有效的密钥：Authorization: Bearer KEY",
    404: "there is nothing of this kind here / 这里没有这样的内容",
    413: "the body is too large: send less / 内容太大，请减少后再发",
    503: "the presenter is starting: try again in a few seconds / 正在启动，请稍候再试",
}
_NO_BASE = "the knowledge base of this key is not there; ask the operator / 没有这个密钥对应的知识库，请联系管理员"
BROKEN = "this went wrong here: try again; the reason is in the server's log / 服务器出错：请重试，原因见服务器日志"
_UNREAD = "the documents cannot be read now: try again in a moment / 现在读不到资料，请稍后再试"


class Wrong(Exception):
    """`code` is stable; `message` says in both languages what to do; `param`: the field that is wrong."""

    def __init__(
        self, status: int, code: str, message: str, param: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param
        self.headers = dict(headers or {})

    @property
    def body(self) -> Json:
        kind = _KINDS.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> JSONResponse:
        return JSONResponse(self.body, self.status, self.headers)


def wrong_value(param: str, message: str, code: str = "invalid_value") -> Wrong:
    return Wrong(400, code, message, param)


class Compatible(APIRoute):
    """A route whose every error has OpenAI's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handler(request)
            except Wrong as wrong:
                return wrong.response()
            except RequestValidationError as error:
                return _invalid(error).response()
            except HTTPException as error:
                return refused(error).response()
            except UnknownBase:
                return Wrong(404, "unknown_base", _NO_BASE).response()
            except KnowledgeUnavailable:
                return Wrong(503, "knowledge_unavailable", _UNREAD).response()
            except Exception:  # noqa: BLE001 - a request ends here, and the client is told
                log.exception("a request failed")
                return Wrong(500, "internal", BROKEN).response()

        return told


def refused(error: HTTPException) -> Wrong:
    """What the guard, or the framework, refuses."""
    status = 400 if error.status_code == 422 else error.status_code
    message = _MESSAGES.get(status, f"{error.detail} / 请求无法处理，请检查内容")
    return Wrong(status, _CODES.get(status, "bad_request"), message, headers=error.headers)


def _invalid(error: RequestValidationError) -> Wrong:
    """Which field is wrong, without what was given."""
    problems = error.errors()
    places = [".".join(map(str, problem["loc"][1:])) for problem in problems]
    told = "; ".join(f"{place or 'the body'}: {one['msg']}" for place, one in zip(places, problems, strict=True))
    return Wrong(400, "bad_request", f"{told[:1000]} / 请求内容有误，请按提示改正", places[0] or None)
