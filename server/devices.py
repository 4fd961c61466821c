"""Smart speakers: which are let in, by a token of their own, and which wait for an operator's word."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Any

import orjson

from configs.engines import ConfigError
from configs.xiaozhi import XiaozhiSettings
from server.tokens import Device, Tokens

_PENDING = 100
"""New devices that wait at once."""
_EACH = 20
"""Of them, from one address."""
_MINUTES = 15
_ADMITTED = 10_000


class DevicesError(RuntimeError):
    """A device cannot be let in, or wait. `code`: full, unkept, crowded."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Applicant:
    device: Device
    code: str
    challenge: str
    since: float
    place: str
    """Where it asked from."""


class Devices:
    """`key`: the server's; None: there is none, and who reaches it is let in. What an operator confirmed is kept in
    `file`: of each device the mark of its Client-Id, so that its MAC address alone lets nobody in; beside it, the root
    of the tokens. May be called from several threads: it writes files. Raises ConfigError where they cannot be read."""

    def __init__(
        self, settings: XiaozhiSettings, key: str | None, file: Path, now: Callable[[], float] = time.time
    ) -> None:
        self._settings, self._file, self._now = settings, file, now
        self._lock = threading.RLock()
        self._applicants: dict[Device, Applicant] = {}
        self._admitted: dict[str, str] = _read(file)
        everybody, root = settings.activation == "off", file.with_suffix(".key")
        self._tokens = Tokens(root, key, self._admitted, everybody=everybody) if key else None

    @property
    def keyed(self) -> bool:
        return self._tokens is not None

    def token(self, device: Device) -> str:
        """What it must present; "" where no key is set. Raises DevicesError."""
        with _keeping():
            return self._tokens.token(device) if self._tokens else ""

    def opens(self, device: Device, token: str) -> bool:
        """Raises DevicesError."""
        with _keeping():
            return self._tokens is None or (self._tokens.right(device, token) and self.admitted(device))

    def user(self, device: Device) -> str | None:
        """A secret by which its user is known again; None without a key: a MAC address is no secret. Raises
        DevicesError."""
        with _keeping():
            return self._tokens.user(device) if self._tokens else None

    def admitted(self, device: Device) -> bool:
        """The first that has a name of `settings.devices` is that device. Raises DevicesError."""
        if not self.keyed or self._settings.activation == "off":
            return True
        with self._lock:
            known = self._admitted.get(device.id)
            if known is None and device.id in self._settings.devices:
                self._keep(device)
                return True
        return known == device.mark

    def applicant(self, device: Device, address: str = "") -> Applicant:
        """The code that an operator lets it in by. `address`: its own; who asks for many devices from one makes no
        other wait. Raises DevicesError."""
        with self._lock:
            waiting, place = self._waiting(), _place(address)
            if device not in waiting:
                self._make_room(waiting, place)
                taken = {one.code for one in waiting.values()}
                while (code := f"{secrets.randbelow(1_000_000):06}") in taken:
                    pass
                waiting[device] = Applicant(device, code, secrets.token_urlsafe(16), self._now(), place)
            return waiting[device]

    def _make_room(self, waiting: dict[Device, Applicant], place: str) -> None:
        """Where all places are taken, the last that came from the most crowded address gives up its own."""
        counts = Counter(one.place for one in waiting.values())
        crowd, most = counts.most_common(1)[0] if counts else (place, 0)
        if counts[place] >= _EACH or (len(waiting) >= _PENDING and counts[place] + 1 >= most):
            raise DevicesError("crowded", "too many new devices wait: try again later / 等待激活的设备太多，请稍后再试")
        if len(waiting) >= _PENDING:
            del waiting[next(device for device, one in reversed(waiting.items()) if one.place == crowd)]

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
        self._write({**self._admitted, device.id: device.mark})

    def _write(self, admitted: dict[str, str]) -> None:
        """What is not on the disk is not so."""
        with _keeping():
            beside = self._file.with_suffix(".new")
            self._file.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(orjson.dumps(admitted))
            beside.replace(self._file)
        self._admitted = admitted


@contextmanager
def _keeping() -> Iterator[None]:
    """Raises DevicesError for an OSError."""
    try:
        yield
    except OSError as error:
        told = f"what is known of devices cannot be written ({error.strerror}) / 无法保存设备信息"
        raise DevicesError("unkept", told) from error


def _place(address: str) -> str:
    """Who has one address of version 6 has all that begin with the same 64 bits. One of version 4 that is written as
    one of version 6, as a server on both hears it, is itself."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped or IPv6Network((int(ip) >> 64 << 64, 64)))
    return str(ip)


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
