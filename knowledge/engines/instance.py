"""The name of one data folder among all those that share a server."""

import uuid
from pathlib import Path

from knowledge.store import StoreError


def instance(path: Path) -> str:
    """A random name that stays with a data folder."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="ascii") as file:
            file.write(uuid.uuid4().hex)
    except FileExistsError:
        pass
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error}") from error
    return path.read_text("ascii").strip()
