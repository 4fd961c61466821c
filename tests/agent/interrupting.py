"""`python -m tests.agent.interrupting`: the presenter is interrupted by voice at random instants of its answer.

In virtual time: what comes after the decision, when model and voice are let go, whether the memory is what was heard.
"""

import argparse
import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache

from agent.events import Floor, Speech
from agent.model import Ask, ChatModel, Part, ToolCall
from agent.playback import Playback
from avatar.speech import SpeechPart, Utterance, Voice
from configs.language import LANGUAGES, Lang
from tests import virtual
from tests.agent.hearing import CHUNK, Caller
from tests.doubles import presenter, scripted, tone

QUESTION: dict[Lang, str] = {"zh": "科学馆几点开门？", "en": "When does the museum open?"}
INTERRUPTION: dict[Lang, str] = {"zh": "门票多少钱一张？", "en": "How much is a ticket?"}


class Watched:
    """A model or a voice; `open`: streams that run, `closed`: when the last one was let go."""

    def __init__(self) -> None:
        self.open = 0
        self.closed = 0.0

    def begin(self) -> None:
        self.open += 1

    def end(self) -> None:
        self.open -= 1
        self.closed = asyncio.get_running_loop().time()


class WatchedModel(Watched):
    def __init__(self, model: ChatModel) -> None:
        super().__init__()
        self._model, self.window = model, model.window

    async def stream(self, messages: Sequence[Part], ask: Ask) -> AsyncGenerator[str | ToolCall, None]:
        self.begin()
        try:
            async for one in self._model.stream(messages, ask):
                yield one
        finally:
            self.end()

    async def warm(self, messages: Sequence[Part]) -> None: ...
    async def aclose(self) -> None: ...


class WatchedVoice(Watched):
    def __init__(self, voice: Voice) -> None:
        super().__init__()
        self._voice, self.rate = voice, voice.rate

    async def synthesize(self, utterance: Utterance) -> AsyncGenerator[SpeechPart, None]:
        self.begin()
        try:
            async for one in self._voice.synthesize(utterance):
                yield one
        finally:
            self.end()

    async def warm(self) -> None: ...
    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class Result:
    """Seconds: `decided` after the sound of the user began; `last`: from the decision to the last sound of the turn
    on the wire, 0 where none came; `upstream`: to the last stream let go, None where all had ended before."""

    decided: float
    last: float
    upstream: float | None
    heard: str
    remembered: str


_presenter = cache(presenter)


async def _interrupted(lang: Lang, instant: float, reports: float | None, line: float) -> Result:
    model = WatchedModel(scripted(delay=0.2, pace=0.15))
    voice = WatchedVoice(tone(delay=0.1, seconds_per_unit=0.25))
    by = copy(_presenter())
    by.model, by.voice = model, voice
    caller = Caller(by=by, reports=reports, line=line)
    await caller.say(QUESTION[lang], 1.0, 0.0)
    async with asyncio.timeout(60):
        while not caller.loudspeaker.turn:
            await caller.quiet(CHUNK)
    await caller.quiet(instant)
    turn, began = caller.session.stage.number, caller.now
    if caller.session.stage.current is None:
        await caller.leave()
        return Result(0, 0, None, "", "")
    running = model.open + voice.open > 0
    await caller.say(INTERRUPTION[lang], 1.2, 0.0)
    yielded = [one.at for one in caller.told if isinstance(one.event, Floor) and one.event.state == "yielded"]
    frames = [one.at for one in caller.told if isinstance(one.event, Speech) and one.event.turn == turn]
    await caller.quiet(0.1)
    decided = yielded[0] - line
    remembered = next((one.heard for one in caller.session.memory.exchanges if one.turn == turn), "")
    heard = caller.loudspeaker.heard.get(turn, (0.0, ""))[1]
    upstream = (
        max(model.closed, voice.closed) - decided if running and max(model.closed, voice.closed) >= began else None
    )
    await caller.leave()
    return Result(decided - began, max(0.0, max(frames, default=0.0) - line - decided), upstream, heard, remembered)


def interrupted(lang: Lang, instant: float, *, reports: float | None = 0.5, line: float = 0.0) -> Result:
    return virtual.run(_interrupted(lang, instant, reports, line))


def results(count: int, seed: int = 5) -> list[Result]:
    """Both languages, clients that report and clients that never do."""
    chance = random.Random(seed)
    return [
        interrupted(LANGUAGES[number % 2], chance.uniform(0, 6), reports=(0.5, None)[number // 2 % 2])
        for number in range(count)
    ]


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    told = [one for one in results(parser.parse_args().count) if one.decided]
    wrong = [one for one in told if one.heard != one.remembered]
    last, decided = [one.last for one in told], [one.decided for one in told]
    upstream = [one.upstream for one in told if one.upstream is not None]
    print(f"{len(told)} interruptions by voice, in virtual time, both languages")
    print(
        f"decision after the first sound: p50 {percentile(decided, 0.5):.3f} s, p95 {percentile(decided, 0.95):.3f} s"
    )
    print(
        f"last audio frame after the decision: p95 {percentile(last, 0.95) * 1000:.1f} ms, worst {max(last) * 1000:.1f}"
    )
    print(
        f"upstream let go after it: p95 {percentile(upstream, 0.95) * 1000:.1f} ms, worst {max(upstream) * 1000:.1f} ms"
    )
    print(f"memory that is not what was heard: {len(wrong)}")
    for one in wrong[:10]:
        print(f"   heard {one.heard!r} remembered {one.remembered!r}")


if __name__ == "__main__":
    main()


__all__ = ["Playback", "Result", "interrupted", "results"]
