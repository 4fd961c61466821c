"""One file over HTTP: resumed where it stopped, tried again when the line drops, checked against its hash."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx

from configs.weights.progress import Progress
from configs.weights.registries import Archive, SourceError


def _trusting() -> httpx.Client:
    """Trusts the certificates of the machine as well as the usual ones: a company's mirror may have its own."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return httpx.Client(verify=context, follow_redirects=True, timeout=httpx.Timeout(30.0))


@dataclass(frozen=True, slots=True)
class Downloads:
    """A folder of downloads. A file that is under way ends in `.part` and survives an interruption."""

    folder: Path
    progress: Progress
    pauses: Sequence[float] = (1, 2, 4, 8, 15)
    _client: httpx.Client = field(default_factory=_trusting)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, archive: Archive) -> Path:
        """The archive's path on this machine; SourceError where it cannot be had or is not what was promised."""
        parts = urlsplit(archive.url)
        if parts.scheme == "file":
            path = Path(url2pathname(parts.path))
            if not path.is_file():
                raise SourceError(f"{path} does not exist")
            return path
        path = self._place(archive)
        if not path.exists():
            self._fetch(archive, self._part(archive))
            self._part(archive).replace(path)
        return path

    def forget(self, archive: Archive) -> None:
        """Deletes the download, whole or part; a file that lay on this machine already is left alone."""
        for path in (self._place(archive), self._part(archive)):
            path.unlink(missing_ok=True)

    def _place(self, archive: Archive) -> Path:
        """Named after its contents where they are known, so that two versions of a file never mix."""
        key = archive.digest or hashlib.sha256(archive.url.encode()).hexdigest()
        return self.folder / f"{key[:16]}-{archive.filename}"

    def _part(self, archive: Archive) -> Path:
        place = self._place(archive)
        return place.with_name(place.name + ".part")

    def _fetch(self, archive: Archive, part: Path) -> None:
        part.parent.mkdir(parents=True, exist_ok=True)
        resumed = part.exists()
        self._complete(archive, part)
        flaw = _flaw(archive, part)
        if flaw and resumed:
            part.unlink()
            self._complete(archive, part)
            flaw = _flaw(archive, part)
        if flaw:
            part.unlink()
            raise SourceError(f"{archive.filename}: {flaw}")

    def _complete(self, archive: Archive, part: Path) -> None:
        """Reads until the server says that is all; each attempt goes on where the one before stopped."""
        reason = ""
        for pause in (0.0, *self.pauses):
            time.sleep(pause)
            try:
                self._attempt(archive, part)
                return
            except httpx.HTTPStatusError as error:
                reason = f"HTTP {error.response.status_code}"
                if error.response.status_code < 500 and error.response.status_code not in (408, 425, 429):
                    break
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
            except (httpx.InvalidURL, httpx.TooManyRedirects, httpx.DecodingError) as error:
                raise SourceError(f"{archive.url}: {error}") from error
        raise SourceError(f"{archive.filename} from {urlsplit(archive.url).hostname}: {reason}")

    def _attempt(self, archive: Archive, part: Path) -> None:
        done = part.stat().st_size if part.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        with self._client.stream("GET", archive.url, headers=headers) as answer:
            if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                return
            answer.raise_for_status()
            if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                done = 0
            length = answer.headers.get("Content-Length")
            total = done + int(length) if length else None
            with part.open("ab" if done else "wb") as file:
                for block in self.progress.of(archive.filename, answer.iter_raw(), done, total):
                    file.write(block)


def _flaw(archive: Archive, path: Path) -> str | None:
    if archive.digest is None:
        return None
    with path.open("rb") as file:
        found = hashlib.file_digest(file, archive.algorithm).hexdigest()
    return None if found == archive.digest else f"expected {archive.algorithm} {archive.digest}, found {found}"
