"""One worker thread, and who is served next: who has finished speaking, who pauses, then who still speaks."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import IntEnum

from avatar.engines.whisper_model import Dropped
from avatar.hearing import Recognition, RecognizerError

Work = Callable[[Callable[[], bool]], Recognition]
"""Is told how to ask whether it is still wanted, and raises Dropped if not."""


class Rank(IntEnum):
    FINAL = 0
    PAUSE = 1
    PARTIAL = 2


@dataclass(eq=False, slots=True)
class Job:
    """`answer` is cancelled where the job is dropped."""

    work: Work
    rank: Rank
    answer: "asyncio.Future[Recognition]"
    running: bool = field(default=False, init=False)

    def drop(self) -> None:
        self.answer.cancel()


class Queue:
    """`longest`: jobs of one rank that wait. `share`: of the thread's time that partials may take."""

    def __init__(self, longest: int, share: float) -> None:
        self._longest, self._share = longest, share
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="whisper")
        self._waiting: dict[Rank, deque[Job]] = {rank: deque() for rank in Rank}
        self._running: Job | None = None
        self._rested = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def submit(self, rank: Rank, work: Work) -> Job:
        """Raises RecognizerError where too many wait, or the queue is closed."""
        job = Job(work, rank, asyncio.get_running_loop().create_future())
        line = self._waiting[rank]
        self._waiting[rank] = line = deque(waiting for waiting in line if not waiting.answer.done())
        if self._closed:
            raise RecognizerError("failed", "the recogniser is closed")
        if len(line) >= self._longest:
            raise RecognizerError("overloaded", f"{len(line)} utterances wait to be recognised")
        line.append(job)
        if rank is Rank.FINAL and self._running is not None and self._running.rank is Rank.PARTIAL:
            self._running.drop()
        self._go_on()
        return job

    @property
    def busy(self) -> bool:
        return self._running is not None or any(
            not job.answer.done() for line in self._waiting.values() for job in line
        )

    async def aclose(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for line in self._waiting.values():
            while line:
                line.popleft().drop()
        if self._running is not None:
            self._running.drop()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _go_on(self) -> None:
        if self._running is not None or self._closed or (job := self._next()) is None:
            return
        self._running, job.running = job, True
        run = asyncio.get_running_loop().run_in_executor(self._thread, _timed, job)
        run.add_done_callback(lambda done: self._ran(job, done))

    def _next(self) -> Job | None:
        for rank, line in self._waiting.items():
            while line and line[0].answer.done():
                line.popleft()
            if line and (rank is not Rank.PARTIAL or self._may_spend()):
                return line.popleft()
        return None

    def _may_spend(self) -> bool:
        """Whether partials have rested for as long as their share demands; else this is asked again then."""
        loop = asyncio.get_running_loop()
        if (wait := self._rested - loop.time()) <= 0:
            return True
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(wait, self._go_on)
        return False

    def _ran(self, job: Job, run: "asyncio.Future[tuple[Recognition | None, float]]") -> None:
        self._running = None
        error = None if run.cancelled() else run.exception()
        if not run.cancelled() and error is None:
            recognition, seconds = run.result()
            if job.rank is Rank.PARTIAL:
                self._rested = asyncio.get_running_loop().time() + seconds * (1 / self._share - 1)
            if not job.answer.done() and recognition is not None:
                job.answer.set_result(recognition)
        if not job.answer.done():
            match error:
                case RecognizerError():
                    job.answer.set_exception(error)
                case None:
                    job.answer.cancel()
                case _:
                    job.answer.set_exception(RecognizerError("failed", f"Whisper failed: {error!r}"))
        self._go_on()


def _timed(job: Job) -> tuple[Recognition | None, float]:
    start = time.perf_counter()
    try:
        recognition = None if job.answer.done() else job.work(job.answer.done)
    except Dropped:
        recognition = None
    return recognition, time.perf_counter() - start
