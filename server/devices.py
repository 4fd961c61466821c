"""Smart speakers: which are let in, by a token of their own, and which wait for an operator's word."""

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from configs.engines import ConfigError
from configs.xiaozhi import XiaozhiSettings

_PENDING = 100
"""New devices that wait at once; of more, the longest waiting has to ask anew."""
_MINUTES = 15
_ADMITTED = 10_000


class DevicesError(RuntimeError):
    """The list of devices could not be kept. `code`: full, unkept."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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
    in `file`: of each device a hash of its Client-Id, so that its MAC address alone lets nobody in. May be called from
    several threads: it writes that file. Raises ConfigError where it cannot be read."""

    def __init__(
        self, settings: XiaozhiSettings, secret: str | None, file: Path, now: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._file, self._now = settings, file, now
        self._secret = secret.encode() if secret else b""
        self._lock = threading.RLock()
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
        """The first that has a name of `settings.devices` is that device. Raises DevicesError."""
        if not self._secret or self._settings.activation == "off":
            return True
        with self._lock:
            known = self._admitted.get(device.id)
            if known is None and device.id in self._settings.devices:
                self._keep(device)
                return True
        return known == _hashed(device.client)

    def applicant(self, device: Device) -> Applicant:
        """The code that an operator lets it in by."""
        with self._lock:
            waiting = self._waiting()
            if device not in waiting:
                taken = {one.code for one in waiting.values()}
                while (code := f"{secrets.randbelow(1_000_000):06}") in taken:
                    pass
                while len(waiting) >= _PENDING:
                    del waiting[next(iter(waiting))]
                waiting[device] = Applicant(device, code, secrets.token_urlsafe(16), self._now())
            return waiting[device]

    def confirm(self, code: str) -> Device | None:
        """The device that shows this code is let in; None where none does. Raises DevicesError."""
        with self._lock:
            waiting = self._waiting()
            device = next((device for device, one in waiting.items() if one.code == code), None)
            if device is not None:
                self._keep(device)
                del waiting[device]
            return device

    def forget(self, id: str) -> bool:
        """False where it was not let in. Raises DevicesError."""
        with self._lock:
            if id not in self._admitted:
                return False
            self._write({known: client for known, client in self._admitted.items() if known != id})
            return True

    def listed(self) -> dict[str, Any]:
        with self._lock:
            waiting = [{"id": one.device.id, "code": one.code} for one in self._waiting().values()]
            return {"admitted": sorted(self._admitted), "waiting": waiting}

    def _waiting(self) -> dict[Device, Applicant]:
        now = self._now()
        self._applicants = {of: one for of, one in self._applicants.items() if now - one.since < _MINUTES * 60}
        return self._applicants

    def _keep(self, device: Device) -> None:
        if device.id not in self._admitted and len(self._admitted) >= _ADMITTED:
            raise DevicesError("full", f"{_ADMITTED} devices are let in: forget some first / 设备太多，请先移除一些")
        self._write({**self._admitted, device.id: _hashed(device.client)})

    def _write(self, admitted: dict[str, str]) -> None:
        """What is not on the disk is not so."""
        beside = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(orjson.dumps(admitted))
            beside.replace(self._file)
        except OSError as error:
            raise DevicesError(
                "unkept", f"the list of devices cannot be written ({error.strerror}) / 无法保存设备列表"
            ) from error
        self._admitted = admitted

    def _derived(self, purpose: str, device: Device) -> str:
        text = "\0".join(("xiaozhi", purpose, device.id, device.client))
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


def _read(file: Path) -> dict[str, str]:
    try:
        kept = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        raise _unreadable(file) from error
    if not isinstance(kept, dict):
        raise _unreadable(file)
    return {str(id): str(client) for id, client in kept.items()}


def _unreadable(file: Path) -> ConfigError:
    return ConfigError(f"{file} is not a list of devices: move it away, and let the devices in anew")


def _hashed(client: str) -> str:
    return hashlib.sha256(client.encode()).hexdigest()
