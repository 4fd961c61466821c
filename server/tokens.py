"""What smart speakers are known by: tokens and users' secrets, derived from a root that the data folder keeps."""

import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from configs.engines import ConfigError

Purpose = Literal["token", "user"]


@dataclass(frozen=True, slots=True)
class Device:
    """`id`: its Device-Id, which is printed on it. `client`: its Client-Id, which only it and we know."""

    id: str
    client: str

    @property
    def mark(self) -> str:
        """What may be kept of it."""
        return hashlib.sha256(self.client.encode()).hexdigest()


class Tokens:
    """The root is made when it is first needed, in `file`, which its owner alone may read. Whoever deletes it makes
    every token invalid. May be used by several threads. Raises ConfigError where the file cannot be read.

    `old`: the server's key, which was the root before there was one of its own. While it is that key, the tokens that
    were derived from it hold for devices in `before`, by their marks, or for everybody's; and their users stay who they
    were, for good.
    """

    def __init__(self, file: Path, old: str, before: Iterable[str], *, everybody: bool = False) -> None:
        self._file, self._old, self._everybody = file, old.encode(), everybody
        self._lock = threading.RLock()
        self._kept = _read(file)
        self._before = dict.fromkeys(before, "")

    def token(self, device: Device) -> str:
        """Raises OSError."""
        return _derived(self._root(), "token", device)

    def right(self, device: Device, token: str) -> bool:
        """Raises OSError."""
        given = token.encode("utf-8", "replace")
        if hmac.compare_digest(given, _derived(self._root(), "token", device).encode()):
            return True
        early = self._everybody or device.mark in self._kept["users"]
        return early and hmac.compare_digest(given, _derived(self._old, "token", device).encode())

    def user(self, device: Device) -> str:
        """A secret by which the device's user is known again. Raises OSError."""
        with self._lock:
            root = self._root()
            users: dict[str, str] = self._kept["users"]
            known = users.get(device.mark)
            if known == "":
                known = _derived(self._old, "user", device)
                self._write({**self._kept, "users": {**users, device.mark: known}})
            return known or _derived(root, "user", device)

    def _root(self) -> bytes:
        with self._lock:
            if not self._kept:
                self._write({"root": secrets.token_hex(32), "users": self._before})
            return bytes.fromhex(self._kept["root"])

    def _write(self, kept: dict[str, Any]) -> None:
        """What is not on the disk is not so."""
        beside = self._file.with_suffix(".key.new")
        self._file.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(orjson.dumps(kept))
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self._file)
        self._kept = kept


def _derived(root: bytes, purpose: Purpose, device: Device) -> str:
    text = "\0".join(("xiaozhi", purpose, device.id, device.client))
    return hmac.new(root, text.encode(), hashlib.sha256).hexdigest()


def _read(file: Path) -> dict[str, Any]:
    """{} where there is none yet."""
    try:
        kept = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as error:
        raise _unreadable(file) from error
    match kept:
        case {"root": str(root), "users": dict()} if len(root) == 64 and set(root) <= set("0123456789abcdef"):
            found: dict[str, Any] = kept
            return found
    raise _unreadable(file)


def _unreadable(file: Path) -> ConfigError:
    return ConfigError(f"{file} is not the root of devices' tokens: delete it, and restart the devices for new ones")
