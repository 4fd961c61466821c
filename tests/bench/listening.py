"""`python -m tests.bench.listening`: how many microphones one core hears.

Each session is a real ear: 16 kHz sound, 20 ms at a time, through its intake, Silero and the listener, all on one core
beside the loop. First voice activity alone (a recogniser that hears nothing), then with Whisper, while a share of the
time is speech. `CPU` is what the process spent for a second of each session's sound; a core holds its reciprocal.
`--pace` feeds in real time instead, and tells how late each frame was judged: where that grows, it has fallen behind.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import partial

import psutil

from agent.commands import Microphone
from agent.listening import Listener, Organs
from agent.session import Session
from avatar.engines.silero import Silero, SileroOptions
from avatar.engines.whisper import Whisper, WhisperOptions
from avatar.hearing import RATE, Detection, Detector, Expectation, Pcm, Recognition, Recognizer
from avatar.intake import Intake
from configs.home import current
from configs.listening import ListeningSettings
from tests.avatar.voiced import hiss, voiced
from tests.doubles import presenter, scripted

STEP = 0.02
SAID = (("Where can I leave my luggage?", "en"), ("请问洗手间在哪里？", "zh"))
ANYTHING = Expectation()


class Nothing:
    """A recogniser that costs nothing."""

    def hear(self, expectation: Expectation = ANYTHING) -> "Nothing":
        return self

    def feed(self, pcm: bytes) -> None: ...

    async def partials(self) -> AsyncGenerator[Recognition, None]:
        return
        yield

    async def finish(self) -> Recognition:
        return Recognition("")

    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...


class Timed:
    """A detector that notes how long each feed waited for its answer, and counts frames."""

    def __init__(self, detector: Detector) -> None:
        self._detector, self.waits, self.frames = detector, list[float](), 0

    @property
    def frame(self) -> int:
        return self._detector.frame

    def listen(self) -> Detection:
        return _Timed(self._detector.listen(), self)

    async def warm(self) -> None:
        await self._detector.warm()

    async def aclose(self) -> None:
        await self._detector.aclose()


class _Timed:
    def __init__(self, detection: Detection, owner: Timed) -> None:
        self._detection, self._owner = detection, owner

    async def feed(self, pcm: bytes) -> list[float]:
        began = time.perf_counter()
        told = await self._detection.feed(pcm)
        if told:
            self._owner.waits.append(time.perf_counter() - began)
            self._owner.frames += len(told)
        return told

    def reset(self) -> None:
        self._detection.reset()


@dataclass(frozen=True, slots=True)
class Load:
    """`cpu`: seconds for a second of one session; `late`: milliseconds that sound waited for its judgement, p95;
    `memory`: MB that each session added; `behind`: seconds that the last sound came late."""

    sessions: int
    cpu: float
    late: float
    memory: float
    behind: float


async def stream(seconds: float, share: float, offset: int) -> bytes:
    """A quiet room in which somebody speaks for a share of the time."""
    parts: list[bytes] = [hiss(0.5 + 0.37 * (offset % 7))]
    while share > 0 and sum(map(len, parts)) / 2 / RATE < seconds:
        said = await voiced(*SAID[(offset + len(parts)) % len(SAID)])  # type: ignore[arg-type]
        parts += [said, hiss(len(said) / 2 / RATE * (1 / share - 1))]
    pcm = b"".join(parts) if share > 0 else hiss(seconds)
    return pcm[: int(seconds * RATE) * 2]


async def measure(
    recognizer: Recognizer, detector: Detector, count: int, seconds: float, share: float, pace: bool
) -> Load:
    timed = Timed(detector)
    organs = Organs(recognizer, timed, Intake, ListeningSettings(anticipate=False))
    sounds = [await stream(seconds, share, number) for number in range(min(count, 8))]
    before = psutil.Process().memory_info().rss
    sessions = [Session(presenter(scripted()), ears=partial(Listener, organs)) for _ in range(count)]
    readers = [asyncio.create_task(drain(session)) for session in sessions]
    began, cpu = time.perf_counter(), time.process_time()
    feeds = [feed(session, sounds[number % len(sounds)], pace, number) for number, session in enumerate(sessions)]
    behind = max(await asyncio.gather(*feeds))
    frames = count * (len(sounds[0]) // 2 // detector.frame - 2)
    while timed.frames < frames:
        await asyncio.sleep(0.01)
    await hearing_out(recognizer)
    spent = time.process_time() - cpu
    memory = (psutil.Process().memory_info().rss - before) / count / 1e6
    behind = max(behind, time.perf_counter() - began - seconds) if pace else 0.0
    for task in readers:
        task.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    for session in sessions:
        await session.close()
    late = sorted(timed.waits)[int(len(timed.waits) * 0.95)] * 1000
    return Load(count, spent / count / seconds, late, memory, behind)


async def hearing_out(recognizer: Recognizer) -> None:
    """Until nobody waits to be understood."""
    if isinstance(recognizer, Whisper):
        while recognizer.queue.busy:
            await asyncio.sleep(0.01)


async def feed(session: Session, pcm: bytes, pace: bool, number: int) -> float:
    """How late the last piece was, in seconds."""
    size, began = int(STEP * RATE) * 2, time.perf_counter() + number % 20 / 1000
    for count, at in enumerate(range(0, len(pcm), size)):
        if pace:
            await asyncio.sleep(max(0.0, began + count * STEP - time.perf_counter()))
        elif count % 25 == 0:
            await asyncio.sleep(0)
        await session.handle(Microphone(pcm[at : at + size], Pcm(RATE)))
    return time.perf_counter() - began - len(pcm) / 2 / RATE if pace else 0.0


async def drain(session: Session) -> None:
    while True:
        await session.event()


def table(title: str, loads: Sequence[Load], pace: bool) -> str:
    head = "| sessions | CPU, ms for 1 s | sessions in a core | judged after, p95 ms | MB each |"
    rows = [
        f"| {one.sessions} | {one.cpu * 1000:.1f} | {1 / one.cpu:.0f} | {one.late:.0f} | {one.memory:.2f} |"
        + (f" {one.behind:.1f} s behind |" if pace else "")
        for one in loads
    ]
    return "\n".join(
        [f"\n{title}\n", head + (" |" if pace else ""), "|---|---|---|---|---|" + ("---|" if pace else ""), *rows]
    )


async def bench(arguments: argparse.Namespace) -> None:
    silero = Silero(SileroOptions(), current())
    await silero.warm()
    counts = [int(one) for one in arguments.sessions.split(",")]
    share, seconds, pace = arguments.share, arguments.seconds, arguments.pace
    alone = [await measure(Nothing(), silero, count, seconds, share, pace) for count in counts]
    say(table(f"voice activity alone, {share:.0%} of the time is speech, {seconds:g} s", alone, pace))
    whisper = Whisper(WhisperOptions(partials=arguments.partials, queue=64), current())
    await whisper.warm()
    heard = [int(one) for one in arguments.whisper.split(",")]
    both = [await measure(whisper, silero, count, seconds, share, pace) for count in heard]
    partials = f"partials every {arguments.partials:g} s" if arguments.partials else "no partials"
    say(table(f"with Whisper, {partials}, {share:.0%} of the time is speech, {seconds:g} s", both, pace))
    say(f"\nload {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} cores")
    await whisper.aclose()
    await silero.aclose()


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", default="1,20,100", help="microphones at once, voice activity alone")
    parser.add_argument("--whisper", default="1,4", help="microphones at once, with recognition")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--share", type=float, default=0.3, help="of the time that is speech")
    parser.add_argument("--partials", type=float, default=0.0, help="seconds between two partials of Whisper")
    parser.add_argument("--pace", action="store_true", help="in real time")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asyncio.run(bench(arguments))
    return 0


if __name__ == "__main__":
    sys.exit(main())
