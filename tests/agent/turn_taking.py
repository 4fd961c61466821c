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
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import yaml

from agent.commands import Microphone
from agent.events import Committed, Floor, Transcribed
from agent.listening import Listener, Organs
from agent.presenter import Presenter
from agent.session import Session
from avatar.hearing import RATE, Expectation, Pcm, Recognition
from configs.language import LANGUAGES, Lang, detect
from configs.listening import ListeningSettings
from tests import virtual
from tests.agent.hearing import ANYTHING, CHUNK, FRAME, Loudspeaker, Plain
from tests.agent.noises import louder, mixed, noise, room
from tests.doubles import presenter, scripted, tone

DATA = Path(__file__).parents[1] / "data"
DELAY = 0.5
"""Seconds that the recogniser takes: Whisper base on one core that it has for itself."""
EVERY = 0.8
"""Seconds of sound from one partial to the next."""
TAIL = 0.4
"""Seconds of the room after a case's sound."""
_BACKGROUND = -16.0
"""dB of talk in the background against the user's."""
_NEAR = 6
"""Frames by which a recording may end elsewhere."""
MODEL, VOICE = 0.45, 0.25
"""Seconds to the first token, and from text to the first sound: the budgets that voice-to-voice is declared with."""
Kind = Literal["interruption", "backchannel", "noise", "aside", "background", "pause"]
Group = Literal["40", "seen", "held"]
"""Those that the rules were made by; those that they were mended by; those that nobody looked at."""
GROUPS: tuple[Group, ...] = get_args(Group)
VOICES: dict[Lang, tuple[str, ...]] = {
    "zh": ("zf_xiaoxiao", "zm_yunxi", "zf_xiaoyi", "zm_yunyang"),
    "en": ("af_heart", "am_michael", "af_bella", "am_fenrir"),
}
OTHERS: dict[Lang, tuple[str, ...]] = {
    "zh": ("zf_xiaoni", "zm_yunjian", "zf_xiaobei", "zm_yunxia"),
    "en": ("af_sarah", "am_puck", "bf_emma", "bm_george"),
}
"""Of the cases held out."""


@dataclass(frozen=True)
class Case:
    lang: Lang
    kind: Kind
    parts: tuple[str, ...]
    silence: float
    voice: str
    group: Group

    @property
    def id(self) -> str:
        return f"{self.kind}: {' … '.join(self.parts)}"


def cases(lang: Lang) -> list[Case]:
    given: dict[str, Any] = yaml.safe_load((DATA / "turn_taking.yaml").read_text("utf-8"))[lang]
    parts: tuple[tuple[Group, Any], ...] = (("40", given), ("seen", given["seen"]), ("held", given["held"]))
    return [case for group, those in parts for case in _cases(lang, those, group)]


def question(lang: Lang) -> str:
    text: str = yaml.safe_load((DATA / "turn_taking.yaml").read_text("utf-8"))[lang]["question"]
    return text


def _cases(lang: Lang, given: dict[str, Any], group: Group) -> Iterator[Case]:
    voices = (OTHERS if group == "held" else VOICES)[lang]
    kinds: tuple[Kind, ...] = ("interruption", "backchannel", "noise", "aside", "background", "pause")
    number = 0
    for kind in kinds:
        for one in given[kind]:
            parts, silence = ((one[0], one[2]), one[1]) if kind == "pause" else ((str(one),), 0.0)
            number += 1
            yield Case(lang, kind, parts, silence, voices[number % 4], group)


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
    """Seconds from the first sound to each state of the floor. `utterances`: that were heard as the user's; `asked`:
    what was answered last; `early`: seconds of an answer that sounded while the user was not through."""

    case: Case
    floors: tuple[tuple[str, str, float], ...]
    utterances: tuple[str, ...]
    asked: str
    early: float

    @property
    def stopped(self) -> bool:
        return any(state == "yielded" for state, _, _ in self.floors)

    @property
    def right(self) -> bool:
        match self.case.kind:
            case "interruption":
                return self.stopped
            case "pause":
                return self.early <= 0 and all(one in self.asked for one in self.utterances)
            case _:
                return not self.stopped

    @property
    def whole(self) -> bool:
        """A pause did not even end the turn in silence, to be taken back when the user went on."""
        return len(self.utterances) == 1

    def at(self, state: str) -> float | None:
        return next((at for told, _, at in self.floors if told == state), None)


@cache
def answerer() -> Presenter:
    return presenter(scripted(delay=MODEL), tone(delay=VOICE, seconds_per_unit=0.4))


async def _played(case: Case, wire: Wire) -> Outcome:
    organs = Organs(Recorded(wire), Recorded(wire), Plain, ListeningSettings())
    by = answerer()
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
    early = max((at for at, _ in loudspeaker.heard.values()), default=0.0) if case.kind == "pause" else 0.0
    asked = session.stage.current.say if session.stage.current else None
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    await session.close()
    utterances = tuple(texts.get(number, "") for number in numbers)
    return Outcome(case, floors, utterances, asked.text if asked else "", early)


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
    """Of some cases, with their numbers."""

    stops: tuple[int, int]
    false_stops: tuple[int, int]
    """By backchannels, noise, asides and background talk."""
    backchannels: tuple[int, int]
    cuts: tuple[int, int]
    ends: tuple[int, int]
    """Pauses that ended the turn, whether it was taken back or not."""

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "Rates":
        def count(told: Callable[[Outcome], bool], *kinds: Kind) -> tuple[int, int]:
            those = [one for one in outcomes if one.case.kind in kinds]
            return sum(map(told, those)), len(those)

        return cls(
            count(lambda one: one.right, "interruption"),
            count(lambda one: not one.right, "backchannel", "noise", "aside", "background"),
            count(lambda one: not one.right, "backchannel"),
            count(lambda one: not one.right, "pause"),
            count(lambda one: not one.whole, "pause"),
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
    sound = bytes(RATE) + sound + bytes(int(TAIL * RATE) * 2)
    return mixed(sound, room(len(sound) / 2 / RATE + 0.1)), 0.5


def fresh(lang: Lang) -> Tapes:
    from tests.agent.engines_heard import engines

    with engines() as heard:
        tapes = Tapes(ask=partial(heard.understood))
        lead = Case(lang, "interruption", (question(lang),), 0, VOICES[lang][0], "40")
        for name, case in [("question", lead), *((one.id, one) for one in cases(lang))]:
            pcm, begins = made(case, heard.spoken)
            pcm = pcm[: len(pcm) // (FRAME * 2) * FRAME * 2]
            speech, levels = heard.detected(pcm)
            tapes.tapes[name] = Tape(speech, levels, begins, pcm)
        for case in cases(lang):
            played(case, tapes)
        keep(lang, tapes)
    tapes.ask = None
    return tapes


def outcomes(lang: Lang, tapes: Tapes, *groups: Group) -> list[Outcome]:
    return [played(case, tapes) for case in cases(lang) if case.group in groups]


def _print(lang: Lang, tapes: Tapes, groups: Sequence[Group]) -> None:
    told: list[Outcome] = []
    for group in groups:
        those = outcomes(lang, tapes, group)
        told += those
        rates = Rates.of(those)
        print(
            f"{lang} {group:4} ({len(those)}): interruptions that stopped {_share(rates.stops)}, false stops "
            f"{_share(rates.false_stops)} (by backchannels {_share(rates.backchannels)}), cut off in mid-sentence "
            f"{_share(rates.cuts)} (turns ended in a pause, unnoticed: {_share(rates.ends)})"
        )
    for state in ("ducked", "held", "yielded"):
        at = sorted(at for one in told if one.case.kind == "interruption" and (at := one.at(state)) is not None)
        if at:
            print(f"   {state}: median {at[len(at) // 2] * 1000:.0f} ms, worst {at[-1] * 1000:.0f} ms after the sound")
    for one in told:
        if not one.right:
            floors = [(state, reason, round(at, 2)) for state, reason, at in one.floors]
            print("   wrong:", f"({one.case.group})", one.case.id, floors, one.utterances)


def _share(told: tuple[int, int]) -> str:
    return f"{told[0]}/{told[1]} = {told[0] / max(1, told[1]):.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="ask Kokoro, Silero and Whisper again")
    parser.add_argument("--lang", choices=LANGUAGES)
    parser.add_argument("--held", action="store_true", help="and the cases held out: not while rules are being made")
    arguments = parser.parse_args()
    for lang in LANGUAGES if arguments.lang is None else (arguments.lang,):
        tapes = fresh(lang) if arguments.fresh else kept(lang)
        _print(lang, tapes, GROUPS if arguments.held else GROUPS[:2])


if __name__ == "__main__":
    main()
