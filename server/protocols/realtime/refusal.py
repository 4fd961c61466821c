"""Why a client's event is not obeyed, as the OpenAI Realtime API words its errors."""

from server.protocols.events import Json


class Refusal(ValueError):
    """`code` is stable; `message` says what to do, in both languages; `param` names the part that is wrong."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


def error(code: str, message: str, cause: object = None, param: str | None = None, *, ours: bool = False) -> Json:
    """`cause`: the `event_id` of the client's event. `ours`: the fault is the server's, not the client's."""
    kind = "server_error" if ours else "invalid_request_error"
    told = {"type": kind, "code": code, "message": message, "param": param, "event_id": _named(cause)}
    return {"type": "error", "error": told}


def _named(cause: object) -> str | None:
    return cause[:512] if isinstance(cause, str) else None
