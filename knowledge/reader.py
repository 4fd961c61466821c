"""Reads strangers' files in a process of its own, which may take only so much time and memory, and may die."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

from configs.engines import EngineSpec
from configs.home import Home
from knowledge import wire
from knowledge.documents import DocumentError, KnowledgeUnavailable
from knowledge.ingest import Reading
from knowledge.limits import FileLimits, check_size
from knowledge.sandbox import SETUP, Budget, Setup, too_much_memory

RECOGNIZING = Budget(cpu=900, memory=3_000_000_000, wall=1200)
"""A scanned page takes a second or more."""
_STARTING = 60.0
"""Seconds a process may take until it is ready."""
_GOING = 5.0
_FILES = 200
"""Files that one process reads: what a parser leaks goes with it."""
_CLOSED = "files are read no more: the knowledge base is being closed"
_INHERITED = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMPDIR")


class Reader:
    """`workers` files are read at once, each in a warm process; the others wait.

    A process that takes more than its budget, or dies, is replaced: the file ends in DocumentError `too_costly` or
    `damaged`. A read that is cancelled is stopped at once. `recognizer`: the engine for the text in pictures; where it
    cannot be built, no file can be read. `files`: how many one process reads before it is replaced.
    """

    def __init__(
        self,
        limits: FileLimits | None = None,
        budget: Budget | None = None,
        workers: int = 1,
        recognizer: EngineSpec | None = None,
        home: Home | None = None,
        files: int = _FILES,
    ) -> None:
        budget = budget or (Budget() if recognizer is None else RECOGNIZING)
        self._setup = Setup(limits or FileLimits(), budget, recognizer, home)
        self._files = files
        self._workers = workers
        self._gate = asyncio.Semaphore(workers)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._closed = False

    async def open(self) -> None:
        """Start the processes, which get ready by themselves. Not needed: the first file does it too."""
        while len(self._idle) < self._workers:
            self._idle.append(await _Child.start(self._setup))

    async def read(self, source: str, data: bytes) -> Reading:
        """As `ingest.read`. Raises DocumentError, and KnowledgeUnavailable where no process can be started."""
        check_size(source, len(data), self._setup.limits)
        async with self._gate:
            if self._closed:
                raise KnowledgeUnavailable(_CLOSED)
            child = await self._take()
            self._busy.add(child)
            try:
                return await child.read(source, data)
            except DocumentError:
                if self._closed:
                    raise KnowledgeUnavailable(_CLOSED) from None
                raise
            finally:
                self._busy.discard(child)
                await self._keep(child)

    @property
    def warm(self) -> int:
        """Processes that wait for a file."""
        return sum(child.alive for child in self._idle)

    async def close(self) -> None:
        """What is being read is stopped."""
        self._closed = True
        for child in self._busy:
            child.kill()
        for _ in range(self._workers):
            await self._gate.acquire()
        for _ in range(self._workers):
            self._gate.release()
        await asyncio.gather(*(child.stop() for child in self._idle))
        self._idle.clear()

    async def _take(self) -> "_Child":
        while self._idle:
            if (child := self._idle.pop()).alive:
                return child
        return await _Child.start(self._setup)

    async def _keep(self, child: "_Child") -> None:
        """For the next file, or another one in its place."""
        if child.usable and child.files < self._files and not self._closed:
            self._idle.append(child)
            return
        await child.stop()
        if not self._closed:
            with suppress(KnowledgeUnavailable):
                self._idle.append(await _Child.start(self._setup))


class _Child:
    """One process. It is usable until a read ends in anything but a reading or a refusal."""

    def __init__(self, process: Process, budget: Budget) -> None:
        self._process = process
        self._budget = budget
        self._ready = False
        self.usable = True
        self.files = 0

    @classmethod
    async def start(cls, setup: Setup) -> "_Child":
        arguments = ("-P", "-B", "-m", "knowledge.sandbox", SETUP.dump_json(setup).decode())
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *arguments,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=_environment(),
                limit=2**20,
                start_new_session=True,
            )
        except OSError as error:
            raise KnowledgeUnavailable(f"files cannot be read: no process can be started ({error})") from error
        return cls(process, setup.budget)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def read(self, source: str, data: bytes) -> Reading:
        await self._warm()
        self.usable = False
        self.files += 1
        try:
            async with asyncio.timeout(self._budget.wall):
                await self._ask(source, data)
                reading = await self._answer()
        except DocumentError as error:
            self.usable = error.code != "too_costly"
            raise
        except TimeoutError:
            raise _too_long(source, f"{self._budget.wall:g} seconds") from None
        except (asyncio.IncompleteReadError, OSError):
            raise await self._death(source) from None
        except wire.WireError as error:
            raise _crashed(source) from error
        self.usable = True
        return reading

    def kill(self) -> None:
        self.usable = False
        with suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self) -> None:
        """Returns when the process is gone, or cannot be seen to go."""
        self.kill()
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(_GOING):
                await self._process.communicate()

    async def _warm(self) -> None:
        """Until the process has all it needs. Raises KnowledgeUnavailable."""
        if self._ready:
            return
        self.usable = False
        try:
            async with asyncio.timeout(_STARTING):
                await self._frame()
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            raise KnowledgeUnavailable("files cannot be read: the process that reads them does not start") from error
        self._ready = self.usable = True

    async def _ask(self, source: str, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(wire.frame(source.encode("utf-8", "replace")))
        self._process.stdin.write(wire.frame(data))
        await self._process.stdin.drain()

    async def _answer(self) -> Reading:
        head = wire.opening(await self._frame())
        text = wire.words(await self._frame())
        slices: list[wire.Slice] = []
        left = head.passages
        while left > 0:
            slices.append(wire.passages(await self._frame(), len(text)))
            left -= len(slices[-1].places)
        return wire.reading(head, text, slices)

    async def _frame(self) -> bytes:
        assert self._process.stdout is not None
        length = int.from_bytes(await self._process.stdout.readexactly(wire.LENGTH), "big")
        if length > wire.LONGEST:
            raise wire.WireError("an endless frame")
        return await self._process.stdout.readexactly(length)

    async def _death(self, source: str) -> DocumentError:
        """What to say of a file that its process did not survive, which has to be waited for first: a signal to a
        process that is gone takes its exit status away from whoever waits for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOING):
                await self._process.wait()
        await self.stop()
        match -(self._process.returncode or 0):
            case signal.SIGXCPU:
                return _too_long(source, f"{self._budget.cpu:g} seconds of computing")
            case signal.SIGKILL:
                return too_much_memory(source, self._budget)
            case _:
                return _crashed(source)


def _environment() -> dict[str, str]:
    """Where Python and its packages are, and nothing that a secret may be in."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return inherited | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}


def _too_long(source: str, limit: str) -> DocumentError:
    return DocumentError("too_costly", f"reading {source} takes more than {limit}; split the file or simplify it")


def _crashed(source: str) -> DocumentError:
    return DocumentError(
        "damaged", f"{source} cannot be read: it makes its reader crash; open it, save it anew and try again"
    )
