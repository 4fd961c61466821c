"""Whoever ends a session may be cancelled meanwhile: nothing of it runs on for nobody all the same."""

import asyncio

import pytest

from agent.commands import Audible, Say
from agent.events import Event
from agent.listening.ear import Host
from agent.session import Session
from tests import virtual
from tests.doubles import presenter, scripted

LONG = "第一厅讲海洋。第二厅讲星空。第三厅讲机器人。" * 40


class Slow:
    """An ear that takes a second to be closed, as one whose recogniser is another process's does."""

    def __init__(self, host: Host) -> None:
        self.closed = False

    async def handle(self, command: Audible) -> None: ...

    def given(self, event: Event) -> None: ...

    async def aclose(self) -> None:
        await asyncio.sleep(1)
        self.closed = True


class Failing(Slow):
    async def aclose(self) -> None:
        raise RuntimeError("the recogniser's process is gone")


def running() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


@pytest.mark.parametrize("times", [1, 3])
def test_a_session_is_closed_whole_though_its_closer_is_cancelled(times: int) -> None:
    async def go() -> None:
        ears: list[Slow] = []

        def ear(host: Host) -> Slow:
            ears.append(Slow(host))
            return ears[0]

        session = Session(presenter(scripted(answer=LONG), grounded=False), ears=ear)
        await session.say(Say("有哪些展厅？"))
        await asyncio.sleep(1)
        closing = asyncio.create_task(session.close())
        for _ in range(times):
            await asyncio.sleep(0.1)
            closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert ears[0].closed and running() == set()

    virtual.run(go())


def test_a_session_whose_ear_cannot_be_closed_says_nothing_more() -> None:
    async def go() -> None:
        session = Session(presenter(scripted(answer=LONG), grounded=False), ears=Failing)
        await session.say(Say("有哪些展厅？"))
        await asyncio.sleep(1)
        with pytest.raises(RuntimeError):
            await session.close()
        assert running() == set()

    virtual.run(go())
