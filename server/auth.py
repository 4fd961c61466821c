"""Who may connect: an API key where one is set, and pages of known origins only."""

import hmac
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from configs.engines import ConfigError
from configs.settings import ServerSettings

KEY_SUBPROTOCOL = "zhubo.key."
"""Browsers cannot set headers on a WebSocket: they offer the key as a subprotocol with this prefix."""


def require_safe(server: ServerSettings) -> None:
    """Refuse to serve other machines without a key."""
    if server.key is None and not is_loopback(server.host):
        raise ConfigError(
            f"refusing to listen on {server.host} without a key: set ZHUBO__SERVER__KEY, or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Gate:
    """Checks a connection's key and, where a browser sent one, its Origin (exactly, never by substring)."""

    def __init__(self, server: ServerSettings) -> None:
        self._key = server.key.get_secret_value().encode("latin-1") if server.key else None
        self._origins = frozenset(server.origins)
        self._local = is_loopback(server.host)

    def admits(self, connection: HTTPConnection) -> bool:
        try:
            return self._known_key(connection) and self._known_origin(connection)
        except ValueError:  # Host or Origin is not an address at all
            return False

    def _known_key(self, connection: HTTPConnection) -> bool:
        if self._key is None:
            return True
        return any(hmac.compare_digest(given.encode("latin-1"), self._key) for given in _keys(connection))

    def _known_origin(self, connection: HTTPConnection) -> bool:
        host = connection.headers.get("host", "")
        if self._key is None and self._local and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return False  # a foreign name that resolves here: DNS rebinding
        origin = connection.headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc == host


def _keys(connection: HTTPConnection) -> Iterable[str]:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield token.strip()
    for offered in connection.headers.get("sec-websocket-protocol", "").split(","):
        if offered.strip().startswith(KEY_SUBPROTOCOL):
            yield offered.strip().removeprefix(KEY_SUBPROTOCOL)
