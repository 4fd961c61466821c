"""Who may connect, and to which knowledge base: by API key where one is set, and pages of known origins only."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.requests import HTTPConnection

from configs.engines import ConfigError
from configs.settings import ServerSettings
from configs.wyoming import WyomingSettings

KEY_SUBPROTOCOL = "zhubo.key."
"""Browsers cannot set headers on a WebSocket: they offer the key as a subprotocol with this prefix."""
_PREFIXES = (KEY_SUBPROTOCOL, "openai-insecure-api-key.")
"""And those made for OpenAI's Realtime API, with that one."""


def require_safe(server: ServerSettings) -> None:
    """Refuse to serve other machines without a key."""
    if server.key is None and not server.keys and not is_loopback(server.host):
        raise ConfigError(
            f"refusing to listen on {server.host} without a key: set ZHUBO__SERVER__KEY, or listen on 127.0.0.1"
        )


def require_open(wyoming: WyomingSettings) -> None:
    """Refuse to serve other machines by a protocol without keys, unless that is wanted. Raises ConfigError."""
    if wyoming.port is not None and not wyoming.open and not is_loopback(wyoming.host):
        raise ConfigError(
            f"refusing to serve Wyoming on {wyoming.host}: the protocol knows no keys, so that everybody who reaches it"
            " may speak to the presenter; set ZHUBO__WYOMING__OPEN=true where that is wanted, or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Grant:
    """What a connection may see: one knowledge base, or, with None, all. `write`: it may change what it sees.
    `minors`: its users are children."""

    base: str | None
    write: bool
    minors: bool = False

    @property
    def operator(self) -> bool:
        """Every base, and making and deleting them."""
        return self.base is None and self.write

    def sees(self, base: str) -> bool:
        return self.base is None or self.base == base


OPERATOR = Grant(None, write=True)


class Passes:
    """Keys for minutes, which a page may have: they open conversations on their issuer's base, and nothing else."""

    def __init__(self, most: int = 4096, each: int = 1024, now: Callable[[], float] = time.time) -> None:
        """`each`: of one base's, so that no key's holder leaves nothing to the others."""
        self._most, self._each, self._now = most, each, now
        self._issued: dict[bytes, tuple[float, Grant, object]] = {}

    def issue(self, grant: Grant, seconds: float, carried: object = None) -> tuple[str, float] | None:
        """A key and when it ends, in wall time; None where too many are valid already. `carried` goes with it."""
        now = self._now()
        self._issued = {key: one for key, one in self._issued.items() if one[0] > now}
        if len(self._issued) >= self._most:
            return None
        if sum(held.base == grant.base for _, held, _ in self._issued.values()) >= self._each:
            return None
        key, end = f"ek_{secrets.token_hex(24)}", now + seconds
        self._issued[_digest(key)] = (end, Grant(grant.base, write=False, minors=grant.minors), carried)
        return key, end

    def found(self, key: str) -> tuple[Grant, object] | None:
        end, grant, carried = self._issued.get(_digest(key), (0.0, None, None))
        return (grant, carried) if grant is not None and end > self._now() else None


def _digest(key: str) -> bytes:
    """Looked up by its hash, a key's letters cannot be found out one by one."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


class Gate:
    """Checks a connection's key and, where a browser sent one, its Origin (exactly, never by substring)."""

    def __init__(self, server: ServerSettings) -> None:
        self._grants = [(_bytes(key.key), Grant(key.base, key.write, key.minors)) for key in server.keys]
        self._grants += [(_bytes(server.key), OPERATOR)] if server.key else []
        self._origins = frozenset(server.origins)
        self._local = is_loopback(server.host)
        self.passes = Passes()

    def talker(self, connection: HTTPConnection) -> tuple[Grant, object] | None:
        """As `grant`, for a conversation alone, to which a pass lets in, too; and what the pass carries."""
        try:
            if not self._known_origin(connection):
                return None
            carried = (found for key in _keys(connection) if (found := self.passes.found(key)) is not None)
            return next(carried, None) or ((held, None) if (held := self._held(connection)) else None)
        except ValueError:
            return None

    def grant(self, connection: HTTPConnection) -> Grant | None:
        """None for those who may not connect."""
        try:
            return self._held(connection) if self._known_origin(connection) else None
        except ValueError:  # Host or Origin is not an address at all
            return None

    def _held(self, connection: HTTPConnection) -> Grant | None:
        """What the connection's key opens. Every key is compared: the time it takes does not tell which one it was."""
        if not self._grants:
            return OPERATOR
        given = [key.encode("latin-1") for key in _keys(connection)]
        held = [grant for key, grant in self._grants for offer in given if hmac.compare_digest(offer, key)]
        return held[0] if held else None

    def _known_origin(self, connection: HTTPConnection) -> bool:
        host = connection.headers.get("host", "")
        if not self._grants and self._local and not is_loopback(urlsplit(f"//{host}").hostname or ""):
            return False  # a foreign name that resolves here: DNS rebinding
        origin = connection.headers.get("origin")
        if origin is None or origin in self._origins:
            return True
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and parts.netloc == host


def _bytes(key: SecretStr) -> bytes:
    return key.get_secret_value().encode("latin-1")


def _keys(connection: HTTPConnection) -> Iterable[str]:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield token.strip()
    for offered in connection.headers.get("sec-websocket-protocol", "").split(","):
        for prefix in _PREFIXES:
            if offered.strip().startswith(prefix):
                yield offered.strip().removeprefix(prefix)
