"""What smart speakers are known by: tokens and users' secrets, derived from a root that the data folder keeps."""

import hashlib
import hmac
import os
import secrets
import tempfile
import threading
from collections.abc import Callable, Mapping
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
    every token invalid. May be used by several threads, and by several processes. Raises ConfigError where the file
    cannot be read.

    `old`: the server's key, which was the root before there was one of its own. While it is that key, the tokens that
    were derived from it hold for devices in `before`, by their ids and marks, or for everybody's; and the users of
    those that are used meanwhile stay who they were, for good.
    """

    def __init__(self, file: Path, old: str, before: Mapping[str, str], *, everybody: bool = False) -> None:
        self._file, self._old, self._everybody = file, old.encode(), everybody
        self._lock = threading.RLock()
        self._kept = _read(file)
        self._before = {_known(id, mark): "" for id, mark in before.items()}

    def token(self, device: Device) -> str:
        """Raises OSError."""
        return _derived(self._root(), "token", device)

    def right(self, device: Device, token: str) -> bool:
        """Raises OSError."""
        given = token.encode("utf-8", "replace")
        if hmac.compare_digest(given, _derived(self._root(), "token", device).encode()):
            return True
        early = self._everybody or _known(device.id, device.mark) in self._kept["users"]
        if not (early and hmac.compare_digest(given, _derived(self._old, "token", device).encode())):
            return False
        self._early(device)
        return True

    def user(self, device: Device) -> str:
        """A secret by which the device's user is known again. Raises OSError."""
        root = self._root()
        if _known(device.id, device.mark) in self._kept["users"]:
            return self._early(device)
        return _derived(root, "user", device)

    def _early(self, device: Device) -> str:
        """The user of one that was here before the root was."""
        with self._lock:
            users, known = self._kept["users"], _known(device.id, device.mark)
            if not users.get(known):
                user = _derived(self._old, "user", device)
                self._write({**self._kept, "users": {**users, known: user}}, os.replace)
            return str(self._kept["users"][known])

    def _root(self) -> bytes:
        with self._lock:
            while not self._kept:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                try:
                    self._write({"root": secrets.token_hex(32), "users": self._before}, _place)
                except FileExistsError:
                    self._kept = _read(self._file)
            return bytes.fromhex(self._kept["root"])

    def _write(self, kept: dict[str, Any], put: Callable[[str, Path], None]) -> None:
        """What is not on the disk is not so."""
        written, beside = tempfile.mkstemp(".new", self._file.name, self._file.parent)
        try:
            with os.fdopen(written, "wb") as out:
                out.write(orjson.dumps(kept))
                out.flush()
                os.fsync(out.fileno())
            put(beside, self._file)
        finally:
            Path(beside).unlink(missing_ok=True)
        self._kept = kept


def _known(id: str, mark: str) -> str:
    return f"{id} {mark}"


def _place(beside: str, file: Path) -> None:
    """Raises FileExistsError where another process was the first."""
    try:
        os.link(beside, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if file.exists():
            raise FileExistsError(file) from None
        os.replace(beside, file)


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
