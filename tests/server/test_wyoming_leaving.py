"""Wyoming conversations end whole, whoever goes meanwhile, and hold nobody else up."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.session import Session
from server.auth import Grant
from server.protocols.base import Hello, Welcome
from server.reception import Reception
from server.wyoming.conversations import Conversations
from server.wyoming.wire import Wire
from tests.server.wyoming_client import PATIENCE, Served, wyoming


class Doors(Reception):
    """Through which sessions come and go only while they are open. `broken`: a session fails as it goes."""

    def __init__(self, served: Served) -> None:
        bases = served.service.persona.bases
        super().__init__(served.service, Grant(None, write=False), bases)
        self.coming, self.going = asyncio.Event(), asyncio.Event()
        self.coming.set()
        self.going.set()
        self.broken = False

    @asynccontextmanager
    async def received(self, hello: Hello) -> AsyncIterator[tuple[Session, Welcome]]:
        await self.coming.wait()
        async with super().received(hello) as (session, welcome):
            yield session, welcome
            await self.going.wait()
        if self.broken:
            raise OSError("its records cannot be written")


async def ask(conversations: Conversations, name: str) -> None:
    async with conversations.asked(("host", name), "en"):
        pass


async def until(suits: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not suits():
            await asyncio.sleep(0.01)


async def test_a_client_that_goes_at_any_moment_leaves_no_session_behind(tmp_path: Path) -> None:
    async with wyoming(tmp_path) as served:
        desk, doors = served.service.desk, Doors(served)
        conversations = Conversations(doors, 1, 0.2)
        for steps in range(30):
            await ask(conversations, "one")
            doors.going.clear()
            newcomer = asyncio.create_task(ask(conversations, "two"))
            for _ in range(steps):
                await asyncio.sleep(0)
            newcomer.cancel()
            await asyncio.wait([newcomer])
            doors.going.set()
        await until(lambda: not desk.standings())
        await conversations.aclose()


async def test_nobody_waits_for_the_conversations_of_others_to_begin_or_end(tmp_path: Path) -> None:
    async with wyoming(tmp_path) as served:
        doors = Doors(served)
        conversations = Conversations(doors, 2, 900)
        await ask(conversations, "one")
        await ask(conversations, "two")
        doors.going.clear()
        late = asyncio.create_task(ask(conversations, "three"))
        await until(lambda: len(served.service.desk.standings()) == 2 and len(tasks_of("end")) == 1)
        async with asyncio.timeout(PATIENCE):
            await ask(conversations, "two")
        doors.coming.clear()
        doors.going.set()
        await until(lambda: len(served.service.desk.standings()) == 1)
        async with asyncio.timeout(PATIENCE):
            await ask(conversations, "two")
        assert not late.done()
        doors.coming.set()
        await late
        await conversations.aclose()
        assert not served.service.desk.standings()


async def test_who_ask_at_once_in_one_conversation_begin_it_once(tmp_path: Path) -> None:
    async with wyoming(tmp_path) as served:
        conversations = Conversations(Doors(served), 4, 900)
        await asyncio.gather(*(ask(conversations, "one") for _ in range(3)))
        assert len(served.service.desk.standings()) == 1
        await asyncio.gather(*(ask(conversations, f"many {at}") for at in range(9)))
        await ask(conversations, "last")
        assert len(served.service.desk.standings()) == 4
        await conversations.aclose()


async def test_one_that_ends_at_the_shutdown_is_waited_for(tmp_path: Path) -> None:
    async with wyoming(tmp_path) as served:
        desk, doors = served.service.desk, Doors(served)
        conversations = Conversations(doors, 4, 0.05)
        doors.going.clear()
        await ask(conversations, "one")
        await until(lambda: len(tasks_of("end")) == 1)
        closing = asyncio.create_task(conversations.aclose())
        await asyncio.sleep(0.05)
        assert not closing.done()
        doors.going.set()
        await closing
        assert not desk.standings()


async def test_an_ending_that_fails_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with wyoming(tmp_path) as served:
        doors = Doors(served)
        doors.broken = True
        conversations = Conversations(doors, 4, 0.05)
        with caplog.at_level(logging.ERROR):
            await ask(conversations, "one")
            await until(lambda: "its records cannot be written" in caplog.text)
        await conversations.aclose()


async def test_nothing_is_kept_of_clients_that_were_told_no(tmp_path: Path) -> None:
    async with wyoming(tmp_path, ZHUBO__WYOMING__CONVERSATIONS="1") as served:

        async def told(text: str, kind: str) -> None:
            async with served.client() as client:
                context = {"conversation_id": text}
                await client.send("transcript", {"text": text, "language": "en", "context": context})
                assert (await client.until("handled", "not-handled"))[-1].type == kind

        await told("Can I talk to a human?", "handled")
        for _ in range(3):
            await told("Hello", "not-handled")
            async with served.client() as client:
                await client.send("synthesize-stop")
                assert (await client.fails())[0] == "out_of_order"
        await until(lambda: gc.collect() >= 0 and not any(isinstance(one, Wire) for one in gc.get_objects()))


def tasks_of(what: str) -> list[str]:
    """The names of ours that do it."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("wyoming conversation") and name.endswith(what)]
