"""`python -m tests.bench.spoken`: a spoken conversation with the offline profile, from microphone to loudspeaker.

Kokoro says the user's questions, which come as a microphone's sound does, 20 ms every 20 ms in a quiet room; Whisper
hears them, and the presenter answers aloud from the sample documents. `turn end`: from the last sound of the question
until it is known to be over; `recognition`: from there until its words are known; the others from the words' arrival;
`voice to voice`: from the last sound of the question to the first of the answer; `CPU`: what this process spent in it.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import psutil

from agent.commands import Heard, Microphone
from agent.events import Committed, Event, Speech, TextDelta, Timings, Transcribed, TurnEnded, Unheard
from agent.session import Session
from avatar.hearing import RATE, Pcm
from avatar.spoken import spoken
from configs.home import Home, current
from configs.language import LANGUAGES, Lang
from configs.settings import load
from knowledge.bases import MAIN
from server.assemble import Service
from tests.avatar.voiced import VOICES, hiss, voiced

DATA = Path(__file__).parents[1] / "data"
STEP = 0.02
STAGES = ("turn end", "recognition", "retrieval", "first token", "first sound", "voice to voice", "CPU")


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    lang: Lang
    answers: tuple[str, ...]
    """One of them is in a right answer."""


@dataclass(slots=True)
class Round:
    """A question as it was asked, heard and answered. Instants in seconds of the loop's clock."""

    question: Question
    ended: float = 0.0
    cpu: tuple[float, float] = (0.0, 0.0)
    """Of the process at the end of the question and at the first sound, in seconds."""
    committed: float | None = None
    known: float | None = None
    sound: float | None = None
    heard: str = ""
    answer: str = ""
    unheard: str = ""
    seconds: float = 0.0
    timings: Timings = field(default_factory=Timings)

    @property
    def right(self) -> bool:
        given = bare(self.answer, "en").replace(" ", "")
        return any(bare(one, "en").replace(" ", "") in given for one in self.question.answers)

    def stages(self) -> dict[str, float]:
        """Milliseconds of those that were reached."""
        committed, known, sound = (self._since(at) for at in (self.committed, self.known, self.sound))
        found = {
            "turn end": committed,
            "recognition": None if known is None or committed is None else max(0.0, known - committed),
            "retrieval": self.timings.retrieval,
            "first token": self.timings.first_text,
            "first sound": self.timings.first_audio,
            "voice to voice": sound,
            "CPU": None if sound is None else (self.cpu[1] - self.cpu[0]) * 1000,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _since(self, at: float | None) -> float | None:
        return None if at is None else (at - self.ended) * 1000


class Caller:
    """One user's microphone and loudspeaker, at a session that is live."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sound: list[bytes] = []
        self._said = asyncio.Event()
        self._round: Round | None = None
        self._over = asyncio.Event()

    @asynccontextmanager
    async def calling(self) -> AsyncIterator["Caller"]:
        tasks = [asyncio.create_task(self._speak()), asyncio.create_task(self._listen())]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, question: Question, wait: float = 120.0) -> Round:
        """Once the answer has been given, its sound is told as played, so that the next is no interruption."""
        made = self._round = Round(question)
        pcm = await voiced(question.text, question.lang)
        size = int(STEP * RATE) * 2
        self._over.clear()
        self._said.clear()
        self._sound = [pcm[at : at + size] for at in range(0, len(pcm), size)][::-1]
        async with asyncio.timeout(wait + len(pcm) / 2 / RATE):
            await self._over.wait()
        stage = self._session.stage
        while stage.sounding:
            await self._session.handle(Heard(stage.number, made.seconds + 3600))
            await asyncio.sleep(0.2)
        return made

    async def _speak(self) -> None:
        loop, room, size = asyncio.get_running_loop(), hiss(10.0), int(STEP * RATE) * 2
        began, count = loop.time(), 0
        while True:
            at = count * size % (len(room) - size)
            piece = room[at : at + size]
            if self._sound:
                piece = self._sound.pop()
                if not self._sound and self._round is not None:
                    self._round.ended = loop.time() + len(piece) / 2 / RATE
                    self._round.cpu = time.process_time(), 0.0
            await self._session.handle(Microphone(piece.ljust(size, b"\0"), Pcm(RATE)))
            count += 1
            await asyncio.sleep(max(0.0, began + count * STEP - loop.time()))

    async def _listen(self) -> None:
        while True:
            event = await self._session.event()
            if self._round is not None:
                self._note(self._round, event, asyncio.get_running_loop().time())

    def _note(self, made: Round, event: Event, now: float) -> None:
        match event:
            case Committed():
                made.committed = now
            case Transcribed(text=text, final=True):
                made.known, made.heard = now, f"{made.heard} {text}".strip()
            case TextDelta(text=text):
                made.answer += text
            case Speech(audio=audio):
                if made.sound is None:
                    made.sound, made.cpu = now, (made.cpu[0], time.process_time())
                made.seconds += audio.seconds
            case Unheard(code=code):
                made.unheard = code
                self._over.set()
            case TurnEnded(timings=timings) if made.known is not None and made.answer:
                made.timings = timings
                self._over.set()
            case _:
                pass


@asynccontextmanager
async def serving(
    folder: Path, *, settled: bool = True, environ: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Service]:
    """The offline profile with the sample documents, and an empty data folder. `settled`: all vectors are made."""
    service = Service(load("offline", environ=environ), Home(folder, current().cache))
    try:
        await service.open()
        if settled:
            await service.bases.get(MAIN).settled()
        yield service
    finally:
        await service.close()


@asynccontextmanager
async def calling(service: Service) -> AsyncIterator[Caller]:
    session = Session(service.presenter_for(MAIN), ears=service.ears_for(MAIN))
    try:
        async with Caller(session).calling() as caller:
            yield caller
    finally:
        await session.close()


def questions(lang: Lang) -> list[Question]:
    lines = [json.loads(line) for line in (DATA / f"questions.{lang}.jsonl").open("rb")]
    return [Question(one["question"], lang, tuple(one["answer_any"])) for one in lines if not one.get("unanswerable")]


def bare(text: str, lang: Lang) -> str:
    """Without signs, small; numbers as they are spoken."""
    kept = "".join(one if one.isalnum() else " " for one in spoken(text, lang).lower().replace("'", ""))
    return ("" if lang == "zh" else " ").join(kept.split())


def distance(asked: Sequence[str], heard: Sequence[str]) -> int:
    """Insertions, deletions and substitutions: Levenshtein."""
    row = list(range(len(heard) + 1))
    for number, one in enumerate(asked, 1):
        before, row[0] = row[0], number
        for at, other in enumerate(heard, 1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (one != other))
    return row[-1]


def errors(rounds: Sequence[Round]) -> float:
    """Of the words in English, of the characters in Chinese."""
    wrong = total = 0
    for made in rounds:
        lang = made.question.lang
        asked, heard = (
            list(text) if lang == "zh" else text.split()
            for text in (bare(made.question.text, lang), bare(made.heard, lang))
        )
        wrong, total = wrong + distance(asked, heard), total + len(asked)
    return wrong / total


def report(lang: Lang, rounds: Sequence[Round]) -> str:
    name = "character error rate" if lang == "zh" else "word error rate"
    lines = [f"\n{lang}: {len(rounds)} questions, {name} {errors(rounds):.1%}"]
    lines.append(f"answers that hold the fact: {sum(made.right for made in rounds)} of {len(rounds)}\n")
    lines.append("| ms | p50 | p95 | of |\n|---|---|---|---|")
    for stage in STAGES:
        values = sorted(value for made in rounds if (value := made.stages().get(stage)) is not None)
        if values:
            high = values[min(len(values) - 1, int(len(values) * 0.95))]
            lines.append(f"| {stage} | {statistics.median(values):.0f} | {high:.0f} | {len(values)} |")
    return "\n".join(lines)


async def bench(langs: Sequence[Lang], most: int, verbose: bool) -> None:
    for lang in langs:
        for question in questions(lang)[:most]:
            await voiced(question.text, lang)
    with tempfile.TemporaryDirectory() as folder:
        async with serving(Path(folder)) as service:
            for lang in langs:
                rounds = []
                async with calling(service) as caller:
                    for question in questions(lang)[:most]:
                        rounds.append(await caller.ask(question))
                        if verbose:
                            show(rounds[-1])
                sys.stdout.write(report(lang, rounds) + "\n")
                sys.stdout.flush()
            memory, load_average = psutil.Process().memory_info().rss / 1e6, psutil.getloadavg()[1]
            sys.stdout.write(f"\n{memory:.0f} MB resident, voices {', '.join(VOICES.values())}; ")
            sys.stdout.write(f"load {load_average:.1f} on {psutil.cpu_count()} cores\n")


def show(made: Round) -> None:
    stages = ", ".join(f"{name} {value:.0f}" for name, value in made.stages().items())
    sign = "+" if made.right else "-"
    sys.stdout.write(f"{sign} {made.question.text} | {made.heard or made.unheard} | {made.answer[:60]!r} | {stages}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lang", choices=LANGUAGES, action="append", help="default: both")
    parser.add_argument("--most", type=int, default=14, help="questions in each language")
    parser.add_argument("--verbose", action="store_true", help="each question as it was heard and answered")
    arguments = parser.parse_args()
    began = time.monotonic()
    asyncio.run(bench(arguments.lang or LANGUAGES, arguments.most, arguments.verbose))
    sys.stdout.write(f"{time.monotonic() - began:.0f} s in all\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
