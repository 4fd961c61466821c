"""A vLLM server killed and started again while conversations run: nobody hangs, and the service comes back."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.engines.openai import OpenAI
from agent.model import Ask, Message, ModelError, Part
from configs.home import current
from tests.agent.chat_server import chat_servers
from tests.vllm.server import Server

ASKED: list[Part] = [Message("user", "Count from 1 to 40, in words. 请数到四十。")]
TALKS = 4
HANGING = 2.0


@dataclass(slots=True)
class Load:
    """`TALKS` conversations that ask again and again: how answers ended, how long each was silent since `mark`."""

    model: OpenAI
    told: Counter[str] = field(default_factory=Counter)
    silences: list[float] = field(default_factory=list)
    mark: float = 0.0
    over: bool = False

    async def run(self) -> None:
        await asyncio.gather(*(self._talk(f"session-{number}") for number in range(TALKS)))

    async def _talk(self, session: str) -> None:
        while not self.over:
            last = time.monotonic()
            try:
                async for _ in self.model.stream(ASKED, Ask(session)):
                    self._heard(last)
                    last = time.monotonic()
                self.told["done"] += 1
            except ModelError as error:
                self._heard(last)
                self.told[error.code] += 1
            await asyncio.sleep(0.2)

    def _heard(self, last: float) -> None:
        self.silences.append(time.monotonic() - max(last, self.mark))


def engine(*urls: str) -> OpenAI:
    endpoints = [{"base_url": url} for url in urls]
    return OpenAI(OpenAI.Options.model_validate({"endpoints": endpoints, "model": Server.name}), current())


async def answered(model: OpenAI) -> bool:
    try:
        return bool([delta async for delta in model.stream(ASKED)])
    except ModelError:
        return False


async def killed_and_started(served: Server, loads: Sequence[Load]) -> float:
    """The longest silence in the four seconds after the server is killed."""
    await asyncio.sleep(3)
    for load in loads:
        load.mark = time.monotonic()
        load.silences.clear()
        load.told.clear()
    await asyncio.to_thread(served.kill)
    await asyncio.sleep(4)
    longest = max(silence for load in loads for silence in load.silences)
    await asyncio.to_thread(served.start)
    async with asyncio.timeout(30):
        while not await answered(loads[0].model):
            await asyncio.sleep(0.2)
    return longest


async def test_killed_and_started_under_load(served: Server) -> None:
    async with chat_servers(1) as [spare]:
        alone, paired = Load(engine(served.url)), Load(engine(served.url, spare.url))
        loads = (alone, paired)
        for load in loads:
            await load.model.warm([Message("system", "你好")])
        async with asyncio.TaskGroup() as tasks:
            for load in loads:
                tasks.create_task(load.run())
            longest = await killed_and_started(served, loads)
            before = dict(alone.told), dict(paired.told)
            for load in loads:
                load.over = True
        assert await answered(alone.model) and await answered(paired.model)
        for load in loads:
            await load.model.aclose()
    print(
        f"\nkilled under load: alone {before[0]}, beside a second server {before[1]}; longest silence {longest:.2f} s"
    )
    assert set(before[0]) <= {"done", "interrupted", "unreachable"}
    assert before[0]["interrupted"] == TALKS and before[0]["unreachable"] > TALKS
    assert set(before[1]) <= {"done", "interrupted"} and before[1].get("interrupted", 0) <= TALKS
    assert before[1]["done"] > TALKS and longest < HANGING
