"""The process that reads strangers' files: few resources, no network, no writing; started by `knowledge.reader`."""

import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from math import ceil
from time import process_time
from typing import Any, BinaryIO

from pydantic import TypeAdapter

from configs.engines import EngineSpec, build
from configs.home import Home, current
from knowledge.documents import DocumentError
from knowledge.ingest import read
from knowledge.limits import FileLimits
from knowledge.ocr import TextRecognizer
from knowledge.wire import LENGTH, frame, frames, refusal

_PARSERS = ("csv", "docx", "epub", "html", "json", "markdown", "pdf", "plain", "pptx", "subtitles", "xlsx")
_NICE = 5
"""Conversations go before files that are read."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_REFUSED = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.remove", "os.rename")


@dataclass(frozen=True, slots=True)
class Budget:
    """What reading one file may cost: seconds of computing, bytes of address space, and seconds in all."""

    cpu: float = 60
    memory: int = 2_000_000_000
    wall: float = 120


@dataclass(frozen=True, slots=True)
class Setup:
    """`recognizer`: the engine that reads pictures, with the folders of the instance it belongs to."""

    limits: FileLimits = FileLimits()
    budget: Budget = Budget()
    recognizer: EngineSpec | None = None
    home: Home | None = None


SETUP = TypeAdapter(Setup)


def main() -> None:
    setup = SETUP.validate_json(sys.argv[1])
    if hasattr(os, "nice"):
        os.nice(_NICE)
    asking, answering = _pipes()
    for name in _PARSERS:
        import_module(f"knowledge.formats.{name}")
    recognizer: TextRecognizer | None = None
    if setup.recognizer is not None:
        recognizer = build("ocr", setup.recognizer, setup.home or current())
    _confine(setup.budget)
    _send(answering, b"")
    while (source := _receive(asking)) is not None and (data := _receive(asking)) is not None:
        _allow(setup.budget.cpu)
        try:
            reading = read(source.decode(), data, setup.limits, recognizer)
        except DocumentError as error:
            _send(answering, refusal(error))
        except MemoryError:
            _send(answering, refusal(too_much_memory(source.decode(), setup.budget)))
        else:
            for content in frames(reading):
                _send(answering, content)


def too_much_memory(source: str, budget: Budget) -> DocumentError:
    return DocumentError(
        "too_costly", f"reading {source} takes more than {budget.memory / 1e6:.0f} MB of memory; split the file"
    )


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output, for the frames alone: what a parser prints goes nowhere."""
    asking, answering = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    return asking, answering


def _receive(pipe: BinaryIO) -> bytes | None:
    """A frame's content; None where the other end has gone."""
    length = pipe.read(LENGTH)
    if len(length) < LENGTH:
        return None
    content = pipe.read(wanted := int.from_bytes(length, "big"))
    return content if len(content) == wanted else None


def _send(pipe: BinaryIO, content: bytes) -> None:
    pipe.write(frame(content))
    pipe.flush()


def _confine(budget: Budget) -> None:
    """For the rest of this process; where the system has no such limits, the caller's clock is all there is."""
    with suppress(ImportError):
        import resource

        for kind, most in (
            (resource.RLIMIT_AS, budget.memory),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, 0),
        ):
            with suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))
    sys.addaudithook(_watch)


def _allow(seconds: float) -> None:
    """This much computing from now on; the system ends the process that takes more."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (ceil(process_time() + seconds), hard))


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and bool(arguments[2] & _WRITING)
    if writes or event.startswith(_REFUSED):
        raise PermissionError(f"a file that is read may not {event}")


if __name__ == "__main__":
    main()
