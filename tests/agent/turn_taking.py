"""`python -m tests.agent.turn_taking`: whom the presenter gives the floor to.

40 cases in each language, and more that no rule was made by (`held`): `tests/data/turn_taking.yaml`. Kokoro speaks
them, Silero and Whisper hear them; the session around them, with a recogniser that takes `DELAY`, is in virtual time.
What Silero and Whisper made of the sound is in `tests/data/turn_taking/*.json`; `--fresh` asks them again (minutes).
"""

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml

from agent.commands import Microphone
from agent.events import Committed, Floor, Transcribed
from agent.listening import Listener, Organs
from agent.session import Session
from avatar.hearing import RATE, Expectation, Pcm, Recognition
from configs.language import LANGUAGES, Lang, detect
from configs.listening import ListeningSettings
from tests import virtual
from tests.agent.hearing import ANYTHING, CHUNK, FRAME, Loudspeaker, Plain
from tests.agent.noises import louder, mixed, noise, room
from tests.doubles import presenter, tone

DATA = Path(__file__).parents[1] / "data"
DELAY = 0.5
"""Seconds that the recogniser takes: Whisper base on one core that it has for itself."""
EVERY = 0.8
"""Seconds of sound from one partial to the next."""
_BACKGROUND = -16.0
"""dB of talk in the background against the user's."""
_NEAR = 6
"""Frames by which a recording may end elsewhere."""
Kind = Literal["interruption", "backchannel", "noise", "aside", "background", "pause"]
VOICES: dict[Lang, tuple[str, ...]] = {
    "zh": ("zf_xiaoxiao", "zm_yunxi", "zf_xiaoyi", "zm_yunyang"),
    "en": ("af_heart", "am_michael", "af_bella", "am_fenrir"),
}


@dataclass(frozen=True)
class Case:
    lang: Lang
    kind: Kind
    parts: tuple[str, ...]
    silence: float
    voice: str
    held: bool

    @property
    def id(self) -> str:
        return f"{self.kind}: {' … '.join(self.parts)}"


def cases(lang: Lang) -> list[Case]:
    given: dict[str, Any] = yaml.safe_load((DATA / "turn_taking.yaml").read_text("utf-8"))[lang]
    return [*_cases(lang, given, held=False), *_cases(lang, given["held"], held=True)]


def question(lang: Lang) -> str:
    text: str = yaml.safe_load((DATA / "turn_taking.yaml").read_text("utf-8"))[lang]["question"]
    return text


def _cases(lang: Lang, given: dict[str, Any], *, held: bool) -> Iterator[Case]:
    kinds: tuple[Kind, ...] = ("interruption", "backchannel", "noise", "aside", "background", "pause")
    number = 0
    for kind in kinds:
        for one in given[kind]:
            parts, silence = ((one[0], one[2]), one[1]) if kind == "pause" else ((str(one),), 0.0)
            number += 1
            yield Case(lang, kind, parts, silence, VOICES[lang][number % 4], held)


@dataclass
class Tape:
    """One stretch of sound as the engines hear it: frame by frame the probability of speech and dB; where it sounds
    first, seconds. `pcm`: the sound itself, where it was just made."""

    speech: list[float]
    levels: list[float]
    begins: float
    pcm: bytes = b""


@dataclass
class Tapes:
    """All of a language. `texts`: what was understood of which frames of which tape."""

    tapes: dict[str, Tape] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    ask: Callable[[bytes], str] | None = None

    def text(self, name: str, start: int, end: int) -> str:
        known = self.texts.setdefault(name, {})
        if (key := f"{start}-{end}") in known:
            return known[key]
        if self.ask is not None:
            known[key] = self.ask(self.tapes[name].pcm[start * FRAME * 2 : end * FRAME * 2])
            return known[key]
        spans = [tuple(map(int, one.split("-"))) for one in known]
        near = [one for one in spans if max(abs(one[0] - start), abs(one[1] - end)) <= _NEAR]
        if not near:
            raise LookupError(f"nobody has heard frames {key} of {name}: run with --fresh")
        best = min(near, key=lambda one: abs(one[0] - start) + abs(one[1] - end))
        return known[f"{best[0]}-{best[1]}"]


class Wire:
    """Frames that carry where they come from in place of their sound: tape, frame, and how loud they are."""

    def __init__(self, tapes: Tapes) -> None:
        self.tapes = tapes
        self._names = list(tapes.tapes)

    def frames(self, name: str) -> Iterator[bytes]:
        tape = self.tapes.tapes[name]
        number = self._names.index(name) + 1
        for index, level in enumerate(tape.levels):
            yield self._frame(number, index, level)

    def silent(self) -> bytes:
        return self._frame(0, 0, -70.0)

    def read(self, pcm: bytes) -> tuple[str, int, int]:
        """The tape, and the frames of it from the first to behind the last; frames of silence after it count as it."""
        heads = np.frombuffer(pcm, "<i2").reshape(-1, FRAME)[:, :2].tolist()
        told = [(tape, index) for tape, index in heads if tape]
        if not told:
            return "", 0, 0
        name, last = told[-1][0], told[-1][1]
        first = next(index for tape, index in told if tape == name)
        return self._names[name - 1], first, last + 1

    def speech(self, pcm: bytes) -> float:
        tape, index = np.frombuffer(pcm, "<i2")[:2].tolist()
        return self.tapes.tapes[self._names[tape - 1]].speech[index] if tape else 0.01

    def _frame(self, tape: int, index: int, level: float) -> bytes:
        samples = np.where(np.arange(FRAME) % 2, 1, -1) * int(10 ** (level / 20) * 32767)
        samples[:2] = tape, index
        return bytes(samples.astype("<i2").tobytes())


class Recorded:
    """Detector and recogniser in one: what the engines made of the tapes."""

    frame = FRAME

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def listen(self) -> "Recorded.Stream":
        return Recorded.Stream(self.wire)

    def hear(self, expectation: Expectation = ANYTHING) -> "Recorded.Hearing":
        return Recorded.Hearing(self.wire)

    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...

    class Stream:
        def __init__(self, wire: Wire) -> None:
            self._wire = wire

        async def feed(self, pcm: bytes) -> list[float]:
            step = FRAME * 2
            return [self._wire.speech(pcm[at : at + step]) for at in range(0, len(pcm), step)]

        def reset(self) -> None: ...

    class Hearing:
        def __init__(self, wire: Wire) -> None:
            self._wire, self._pcm, self._over = wire, b"", False
            self._news = asyncio.Event()

        def feed(self, pcm: bytes) -> None:
            self._pcm += pcm
            self._news.set()

        async def partials(self) -> AsyncGenerator[Recognition, None]:
            looked = 0
            while not self._over:
                await self._news.wait()
                self._news.clear()
                if len(self._pcm) - looked >= EVERY * RATE * 2:
                    looked = len(self._pcm)
                    told = self._told(self._pcm)
                    await asyncio.sleep(DELAY)
                    yield told

        async def finish(self) -> Recognition:
            await asyncio.sleep(DELAY)
            return self._told(self._pcm)

        async def aclose(self) -> None:
            self._over = True
            self._news.set()

        def _told(self, pcm: bytes) -> Recognition:
            name, start, end = self._wire.read(pcm)
            text = self._wire.tapes.text(name, start, end) if name else ""
            return Recognition(text, detect(text))


@dataclass(frozen=True)
class Outcome:
    """Seconds from the first sound to each state of the floor. `utterances`: that were heard as the user's."""

    case: Case
    floors: tuple[tuple[str, str, float], ...]
    utterances: tuple[str, ...]

    @property
    def stopped(self) -> bool:
        return any(state == "yielded" for state, _, _ in self.floors)

    @property
    def right(self) -> bool:
        match self.case.kind:
            case "interruption":
                return self.stopped
            case "pause":
                return len(self.utterances) == 1
            case _:
                return not self.stopped

    def at(self, state: str) -> float | None:
        return next((at for told, _, at in self.floors if told == state), None)


async def _played(case: Case, wire: Wire) -> Outcome:
    organs = Organs(Recorded(wire), Recorded(wire), Plain, ListeningSettings())
    by = presenter(voice=tone(seconds_per_unit=0.4))
    session = Session(by, ears=partial(Listener, organs))
    loop, loudspeaker = asyncio.get_running_loop(), Loudspeaker()
    told: list[tuple[float, Any]] = []

    async def read() -> None:
        while True:
            event = await session.event()
            told.append((loop.time(), event))
            loudspeaker.take(event, loop.time(), True)

    async def speak(frames: Sequence[bytes]) -> None:
        for frame in frames:
            await session.handle(Microphone(frame, Pcm(RATE)))
            await asyncio.sleep(FRAME / RATE)

    reader = asyncio.create_task(read())
    if case.kind != "pause":
        await speak(list(wire.frames("question")))
        while loudspeaker.position(loop.time()) < 1.0:
            await speak([wire.silent()])
    seen = len(told)
    began = loop.time() + wire.tapes.tapes[case.id].begins
    await speak(list(wire.frames(case.id)))
    await speak([wire.silent()] * int(3.5 / CHUNK * 0.625))
    after = told[seen:]
    floors = tuple((one.state, one.reason, at - began) for at, one in after if isinstance(one, Floor))
    texts = {one.utterance: one.text for _, one in after if isinstance(one, Transcribed) and one.final}
    numbers = [one.utterance for _, one in after if isinstance(one, Committed)]
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    await session.close()
    return Outcome(case, floors, tuple(texts.get(number, "") for number in numbers))


def played(case: Case, tapes: Tapes) -> Outcome:
    return virtual.run(_played(case, Wire(tapes)))


def kept(lang: Lang) -> Tapes:
    content = json.loads((DATA / "turn_taking" / f"{lang}.json").read_text("utf-8"))
    tapes = {name: Tape(one["speech"], one["levels"], one["begins"]) for name, one in content["tapes"].items()}
    return Tapes(tapes, content["texts"])


def keep(lang: Lang, tapes: Tapes) -> None:
    content = {
        "tapes": {
            name: {
                "speech": [round(one, 3) for one in tape.speech],
                "levels": [round(one, 1) for one in tape.levels],
                "begins": round(tape.begins, 3),
            }
            for name, tape in tapes.tapes.items()
        },
        "texts": tapes.texts,
    }
    folder = DATA / "turn_taking"
    folder.mkdir(exist_ok=True)
    (folder / f"{lang}.json").write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), "utf-8")


@dataclass(frozen=True)
class Rates:
    """Of one language, of the cases that are held out or of the others."""

    stops: float
    false_stops: float
    """On backchannels."""
    other_stops: float
    """On noise, asides and background talk."""
    cuts: float

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "Rates":
        def share(wrong: bool, *kinds: Kind) -> float:
            those = [one for one in outcomes if one.case.kind in kinds]
            return sum(one.right != wrong for one in those) / max(1, len(those))

        return cls(
            share(False, "interruption"),
            share(True, "backchannel"),
            share(True, "noise", "aside", "background"),
            share(True, "pause"),
        )


def made(case: Case, speak: Callable[[str, Lang, str], bytes]) -> tuple[bytes, float]:
    """The sound of a case in a quiet room, and where it begins."""
    if case.kind == "noise":
        sound = noise(case.parts[0])
    else:
        spoken = [louder(speak(part, case.lang, case.voice), 0) for part in case.parts]
        gap = bytes(2 * int(case.silence * RATE))
        sound = gap.join(spoken)
    if case.kind == "background":
        sound = louder(sound, _BACKGROUND)
    sound = bytes(RATE) + sound + bytes(int(0.4 * RATE) * 2)
    return mixed(sound, room(len(sound) / 2 / RATE + 0.1)), 0.5


def fresh(lang: Lang) -> Tapes:
    from tests.agent.engines_heard import engines

    with engines() as heard:
        tapes = Tapes(ask=partial(heard.understood))
        lead = Case(lang, "interruption", (question(lang),), 0, VOICES[lang][0], False)
        for name, case in [("question", lead), *((one.id, one) for one in cases(lang))]:
            pcm, begins = made(case, heard.spoken)
            pcm = pcm[: len(pcm) // (FRAME * 2) * FRAME * 2]
            speech, levels = heard.detected(pcm)
            tapes.tapes[name] = Tape(speech, levels, begins, pcm)
        for case in cases(lang):
            outcome = played(case, tapes)
            print(case.id, [(state, reason, round(at, 2)) for state, reason, at in outcome.floors], outcome.utterances)
            keep(lang, tapes)
    tapes.ask = None
    return tapes


def report(lang: Lang, tapes: Tapes) -> tuple[Rates, Rates, list[Outcome]]:
    outcomes = [played(case, tapes) for case in cases(lang)]
    known, held = ([one for one in outcomes if one.case.held is held] for held in (False, True))
    return Rates.of(known), Rates.of(held), outcomes


def _print(lang: Lang, tapes: Tapes) -> None:
    known, held, outcomes = report(lang, tapes)
    for rates, name in ((known, "40 cases"), (held, "held out")):
        print(
            f"{lang} {name}: stopped by interruptions {rates.stops:.0%}, by backchannels {rates.false_stops:.0%}, "
            f"by noise, asides, background {rates.other_stops:.0%}, cut off in mid-sentence {rates.cuts:.0%}"
        )
    for state in ("ducked", "held", "yielded"):
        at = sorted(at for one in outcomes if one.case.kind == "interruption" and (at := one.at(state)) is not None)
        if at:
            print(f"   {state}: median {at[len(at) // 2] * 1000:.0f} ms, worst {at[-1] * 1000:.0f} ms after the sound")
    for one in outcomes:
        if not one.right:
            floors = [(state, reason, round(at, 2)) for state, reason, at in one.floors]
            print("   wrong:", "(held out)" if one.case.held else "", one.case.id, floors, one.utterances)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="ask Kokoro, Silero and Whisper again")
    parser.add_argument("--lang", choices=LANGUAGES)
    arguments = parser.parse_args()
    for lang in LANGUAGES if arguments.lang is None else (arguments.lang,):
        tapes = fresh(lang) if arguments.fresh else kept(lang)
        _print(lang, tapes)


if __name__ == "__main__":
    main()
