"""A whole knowledge base in one file, to keep or to carry elsewhere: a zip of its library and of what it is."""

import hashlib
import json
import lzma
import shutil
import zipfile
import zlib
from pathlib import Path

from knowledge.database import FILE, examine
from knowledge.documents import DocumentError, KnowledgeUnavailable

_FORMAT = "zhubo-knowledge-1"
_MANIFEST = "base.json"
_MANIFEST_BYTES = 65_536
_BLOCK = 1 << 20


def pack(library: Path, title: str, archive: Path) -> None:
    """Write an archive of a library's copy. Blocking. Raises KnowledgeUnavailable where it cannot be written."""
    manifest = {"format": _FORMAT, "title": title, "sha256": _digest(library), "bytes": library.stat().st_size}
    try:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(_MANIFEST, json.dumps(manifest, ensure_ascii=False))
            packed.write(library, FILE)
    except OSError as error:
        raise KnowledgeUnavailable(f"the archive {archive} cannot be written: {error.strerror or error}") from error


def unpack(archive: Path, folder: Path, most: int) -> str:
    """Put the archive's library into a folder; returns the base's title. Blocking.

    Only the two entries by their names are read, and no more than `most` bytes of them; the library is checked before
    it is put in place. Raises DocumentError: `not_an_archive`, `too_large` or `damaged`.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            manifest = _manifest(packed)
            size = packed.getinfo(FILE).file_size
            if size > most:
                raise DocumentError("too_large", f"the archive unpacks to more than {most / 1e6:.0f} MB")
            folder.mkdir(parents=True, exist_ok=True)
            unchecked = folder / f"{FILE}.unchecked"
            with packed.open(FILE) as source, unchecked.open("wb") as target:
                shutil.copyfileobj(source, target, _BLOCK)  # the zip reader stops at the size it announced
    except DocumentError:
        raise
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, LookupError, ValueError, RuntimeError) as error:
        raise DocumentError("not_an_archive", f"this is no archive of a knowledge base: {error}") from error
    if _digest(unchecked) != manifest["sha256"]:
        raise DocumentError("damaged", "the archive is damaged: its library is not the one that was exported")
    try:
        examine(unchecked)
    except KnowledgeUnavailable as error:
        raise DocumentError("damaged", str(error)) from error
    unchecked.rename(folder / FILE)
    return str(manifest["title"])


def _manifest(packed: zipfile.ZipFile) -> dict[str, object]:
    with packed.open(_MANIFEST) as file:
        manifest = json.loads(file.read(_MANIFEST_BYTES))
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT or "sha256" not in manifest:
        raise ValueError("its manifest is of no format that is known")
    return {"title": "", **manifest}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
