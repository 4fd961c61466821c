"""Silero VAD on onnxruntime: speech told from music, noise and breath, in one thread for the process."""

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from avatar.hearing import RATE, RecognizerError
from configs.engines import Options
from configs.home import Home
from configs.weights.manifest import require

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

MODEL = "silero-vad"
FRAME = 512
_CONTEXT = 64
"""Samples of the frame before that the model sees again: silero-vad, version 5 and later, at 16 kHz."""
_AT_ONCE = 64
"""Frames of one stream in a run: 2 s of sound, 7 ms of work, then it is another stream's turn."""
_STREAMS = 16


class SileroOptions(Options):
    """Nothing to choose: the threshold is the listener's."""


@dataclass(slots=True)
class _Memory:
    """What the model knows of a stream: its recurrent state and the end of the last frame."""

    state: "NDArray[np.float32]" = field(default_factory=lambda: np.zeros((2, 1, 128), np.float32))
    context: "NDArray[np.float32]" = field(default_factory=lambda: np.zeros(_CONTEXT, np.float32))


@dataclass(slots=True)
class _Job:
    memory: _Memory
    frames: "NDArray[np.float32]"
    answer: "asyncio.Future[None]"
    told: list[float] = field(default_factory=list)


class Silero:
    """What arrives while the model runs is run together next time, one frame of each stream in a batch."""

    Options = SileroOptions

    def __init__(self, options: SileroOptions, home: Home) -> None:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = str(require(home, MODEL, "silero_vad.onnx"))
        self._session: InferenceSession = onnxruntime.InferenceSession(path, settings, ["CPUExecutionProvider"])
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="silero")
        self._waiting: deque[_Job] = deque()
        self._running = False

    @property
    def frame(self) -> int:
        return FRAME

    def listen(self) -> "Stream":
        return Stream(self)

    async def warm(self) -> None:
        await self.listen().feed(bytes(FRAME * 2))

    async def aclose(self) -> None:
        self._dropped("the detector is closed")
        await asyncio.to_thread(self._worker.shutdown, cancel_futures=True)

    async def judge(self, memory: _Memory, frames: "NDArray[np.float32]") -> list[float]:
        job = _Job(memory, frames, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._go_on()
        await job.answer
        return job.told

    def _go_on(self) -> None:
        """The next run, unless one is under way: it calls this again at its end."""
        while self._waiting and self._waiting[0].answer.done():
            self._waiting.popleft()
        if self._running or not self._waiting:
            return
        jobs = [self._waiting.popleft() for _ in range(min(_STREAMS, len(self._waiting)))]
        try:
            run = asyncio.get_running_loop().run_in_executor(self._worker, self._run, jobs)
        except RuntimeError as error:
            self._waiting.extendleft(reversed(jobs))
            self._dropped(str(error))
            return
        self._running = True
        run.add_done_callback(lambda done: self._ran(jobs, done))

    def _ran(self, jobs: list[_Job], run: "asyncio.Future[None]") -> None:
        self._running = False
        error = None if run.cancelled() else run.exception()
        for job in jobs:
            if job.answer.done():
                continue
            if run.cancelled() or error is not None:
                job.answer.set_exception(RecognizerError("failed", f"Silero VAD failed: {error or 'closed'}"))
            elif len(job.frames):
                self._waiting.append(job)
            else:
                job.answer.set_result(None)
        self._go_on()

    def _dropped(self, why: str) -> None:
        while self._waiting:
            if not (answer := self._waiting.popleft().answer).done():
                answer.set_exception(RecognizerError("failed", why))

    def _run(self, jobs: list[_Job]) -> None:
        """In the worker: the same stream is never in two places of a batch, for its frames depend on each other."""
        steps = [job.frames[:_AT_ONCE] for job in jobs]
        for step in range(max(map(len, steps))):
            batch = [(job, frames[step]) for job, frames in zip(jobs, steps, strict=True) if step < len(frames)]
            sound = np.stack([np.concatenate([job.memory.context, frame]) for job, frame in batch])
            state = np.concatenate([job.memory.state for job, _ in batch], axis=1)
            feed = {"input": sound, "state": state, "sr": np.array(RATE, np.int64)}
            speech, after = self._session.run(["output", "stateN"], feed)
            for index, (job, frame) in enumerate(batch):
                job.told.append(float(speech[index, 0]))
                job.memory.state = after[:, index : index + 1]
                job.memory.context = frame[-_CONTEXT:]
        for job in jobs:
            job.frames = job.frames[_AT_ONCE:]


class Stream:
    """One microphone."""

    def __init__(self, engine: Silero) -> None:
        self._engine = engine
        self._rest = b""
        self._memory = _Memory()
        self._turn = asyncio.Lock()

    async def feed(self, pcm: bytes) -> list[float]:
        """One after the other, as they come. Raises RecognizerError."""
        sound = self._rest + pcm
        whole = len(sound) - len(sound) % (FRAME * 2)
        self._rest = sound[whole:]
        if not whole:
            return []
        async with self._turn:
            samples = np.frombuffer(sound, "<i2", whole // 2).astype(np.float32) * np.float32(1 / 32768)
            return await self._engine.judge(self._memory, samples.reshape(-1, FRAME))

    def reset(self) -> None:
        self._rest, self._memory = b"", _Memory()
