"""The two folders an instance lives in: its own state, and the weights that all instances share."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """`data` holds all state of one instance; `cache` holds model weights, shared and rebuildable."""

    data: Path
    cache: Path

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Home":
        """`ZHUBO_DATA` and `ZHUBO_CACHE`, or the user's own data and cache folders."""
        data = environ.get("ZHUBO_DATA") or _user_folder(environ, "XDG_DATA_HOME", ".local/share", "AppData/Local")
        cache = environ.get("ZHUBO_CACHE") or _user_folder(environ, "XDG_CACHE_HOME", ".cache", "AppData/Local/Cache")
        return cls(Path(data).expanduser().absolute(), Path(cache).expanduser().absolute())


def _user_folder(environ: Mapping[str, str], variable: str, unix: str, windows: str) -> str:
    if sys.platform == "win32":
        return str(Path.home() / windows / "zhubo")
    if sys.platform == "darwin":
        return str(Path.home() / "Library" / ("Caches" if "cache" in unix else "Application Support") / "zhubo")
    return str(Path(environ.get(variable) or Path.home() / unix) / "zhubo")


def current() -> Home:
    return Home.of(os.environ)
