"""Smart speakers: which are let in, by a token of their own, and which wait for an operator's word."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from configs.xiaozhi import XiaozhiSettings

_PENDING = 100
"""New devices that wait at once; of more, the longest waiting has to ask anew."""
_MINUTES = 15
_ADMITTED = 10_000


@dataclass(frozen=True, slots=True)
class Device:
    """`id`: its Device-Id, which is printed on it. `client`: its Client-Id, which only it and we know."""

    id: str
    client: str


@dataclass(frozen=True, slots=True)
class Applicant:
    device: Device
    code: str
    challenge: str
    since: float


class Devices:
    """`secret`: the server's key; None: there is none, and who reaches it is let in. What an operator confirmed is kept
    in `file`: of each device a hash of its Client-Id, so that its MAC address alone lets nobody in."""

    def __init__(
        self, settings: XiaozhiSettings, secret: str | None, file: Path, now: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._file, self._now = settings, file, now
        self._secret = secret.encode() if secret else b""
        self._applicants: dict[Device, Applicant] = {}
        self._admitted: dict[str, str] = _read(file)

    @property
    def keyed(self) -> bool:
        return bool(self._secret)

    def token(self, device: Device) -> str:
        """What it must present; "" where no key is set."""
        return self._derived("token", device) if self._secret else ""

    def opens(self, device: Device, token: str) -> bool:
        right = hmac.compare_digest(token.encode("utf-8", "replace"), self.token(device).encode())
        return not self._secret or (right and self.admitted(device))

    def user(self, device: Device) -> str | None:
        """A secret by which its user is known again; None without a key: a MAC address is no secret."""
        return self._derived("user", device) if self._secret else None

    def admitted(self, device: Device) -> bool:
        if not self._secret or self._settings.activation == "off":
            return True
        known = self._admitted.get(device.id)
        if known is None and device.id in self._settings.devices:
            self._keep(device)
            return True
        return known == _hashed(device.client)

    def applicant(self, device: Device) -> Applicant:
        """The code that an operator lets it in by."""
        now = self._now()
        self._applicants = {of: one for of, one in self._applicants.items() if now - one.since < _MINUTES * 60}
        if device not in self._applicants:
            taken = {one.code for one in self._applicants.values()}
            while (code := f"{secrets.randbelow(1_000_000):06}") in taken:
                pass
            while len(self._applicants) >= _PENDING:
                del self._applicants[next(iter(self._applicants))]
            self._applicants[device] = Applicant(device, code, secrets.token_urlsafe(16), now)
        return self._applicants[device]

    def confirm(self, code: str) -> Device | None:
        """The device that shows this code is let in; None where none does."""
        now = self._now()
        for device, one in self._applicants.items():
            if one.code == code and now - one.since < _MINUTES * 60:
                del self._applicants[device]
                self._keep(device)
                return device
        return None

    def forget(self, id: str) -> bool:
        """False where it was not let in by an operator."""
        if self._admitted.pop(id, None) is None:
            return False
        self._write()
        return True

    def listed(self) -> dict[str, Any]:
        waiting = [{"id": one.device.id, "code": one.code} for one in self._applicants.values()]
        return {"admitted": sorted(self._admitted), "waiting": waiting}

    def _keep(self, device: Device) -> None:
        if len(self._admitted) < _ADMITTED:
            self._admitted[device.id] = _hashed(device.client)
            self._write()

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._file.with_suffix(".new")
        beside.write_bytes(orjson.dumps(self._admitted))
        beside.replace(self._file)

    def _derived(self, purpose: str, device: Device) -> str:
        text = "\0".join(("xiaozhi", purpose, device.id, device.client))
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def _read(file: Path) -> dict[str, str]:
    try:
        kept = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    if not isinstance(kept, dict):
        raise ValueError(f"{file} is not a list of devices")
    return {str(id): str(client) for id, client in kept.items()}


def _hashed(client: str) -> str:
    return hashlib.sha256(client.encode()).hexdigest()
