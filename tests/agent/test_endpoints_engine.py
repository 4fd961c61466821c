"""Several model servers behind one engine: failover, affinity, admission, hedging, and all of them down."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, aclosing, asynccontextmanager

import pytest

from agent.commands import Say
from agent.engines.openai import OpenAI
from agent.events import Fault, Speech, TextDelta, TurnEnded
from agent.model import PLAINLY, Ask, Message, ModelError
from agent.persona import load
from agent.session import Session
from configs.engines import ConfigError, EngineSpec, options_of
from configs.home import current
from configs.settings import Limits
from tests.agent.chat_server import ChatServer, chat_servers, error
from tests.doubles import presenter

ASKED = [Message("user", "几点开门？ When do you open?")]
SESSIONS = [f"session-{number}" for number in range(180)]
"""So many that none of three servers is left with few, whatever their ports."""


@asynccontextmanager
async def engine(*servers: ChatServer, **options: object) -> AsyncIterator[OpenAI]:
    endpoints = [{"base_url": server.url} for server in servers]
    settings = {"endpoints": endpoints, "model": "qwen", "admission": {"every": 0.02}} | options
    made = OpenAI(OpenAI.Options.model_validate(settings), current())
    try:
        yield made
    finally:
        await made.aclose()


async def said(model: OpenAI, ask: Ask = PLAINLY) -> str:
    return "".join([str(delta) async for delta in model.stream(ASKED, ask)])


async def failure(model: OpenAI) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await said(model)
    return caught.value


async def looked_at(*servers: ChatServer) -> None:
    """Until each was looked at twice more, wholly: a look asks for three pages at most."""
    wanted = [(server, server.looks + 6) for server in servers]
    async with asyncio.timeout(60):
        while any(server.looks < looks for server, looks in wanted):
            await asyncio.sleep(0.005)


async def test_one_server_and_several_are_the_same_options() -> None:
    single = OpenAI.Options.model_validate({"base_url": "http://a/v1", "model": "m", "api_key": "k"})
    listed = OpenAI.Options.model_validate({"endpoints": [{"base_url": "http://a/v1"}], "model": "m", "api_key": "k"})
    assert single == listed
    mixed = {"endpoints": [{"base_url": "http://a/v1", "model": "b"}, {"base_url": "http://c/v1"}], "model": "m"}
    assert [served.model for served in OpenAI.Options.model_validate(mixed).endpoints] == ["b", "m"]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"model": "m"}, "endpoints.0.base_url"),
        ({"endpoints": [], "model": "m"}, "endpoints"),
        ({"endpoints": [{"base_url": "http://a/v1", "modle": "m"}]}, "endpoints.0.m"),
        ({"endpoints": "http://a/v1", "model": "m"}, "endpoints"),
    ],
)
def test_wrong_options_are_named_with_their_place(options: dict[str, object], where: str) -> None:
    with pytest.raises(ConfigError, match=where):
        options_of("models", EngineSpec(engine="openai", options=options))


async def test_sessions_are_spread_and_each_keeps_its_server() -> None:
    async with chat_servers(3) as servers, engine(*servers) as model:
        for _ in range(2):
            for session in SESSIONS:
                await said(model, Ask(session))
    counts = [len(server.asked) for server in servers]
    assert sum(counts) == 2 * len(SESSIONS)
    assert all(count % 2 == 0 and count >= 60 for count in counts), counts
    heads = {head.lower().split(b"x-session-id: ")[1].split(b"\r\n")[0] for head in servers[0].heads}
    assert len(heads) == counts[0] // 2


async def test_when_a_server_goes_only_its_own_sessions_move() -> None:
    async with chat_servers(3) as servers, engine(*servers) as model:
        homes: dict[str, int] = {}
        for session in SESSIONS:
            before = [len(server.asked) for server in servers]
            await said(model, Ask(session))
            homes[session] = [len(server.asked) - was for server, was in zip(servers, before, strict=True)].index(1)
        await servers[1].stop()
        for session in SESSIONS:
            before = [len(server.asked) for server in servers]
            await said(model, Ask(session))
            moved = [len(server.asked) - was for server, was in zip(servers, before, strict=True)].index(1)
            assert moved == homes[session] or homes[session] == 1


@pytest.mark.parametrize("fault", ["killed", "500", "404", "429"])
async def test_a_server_that_fails_before_its_first_word_is_replaced(fault: str) -> None:
    async with chat_servers(2) as servers, engine(*servers) as model:
        for session in SESSIONS[:8]:
            if fault == "killed":
                await servers[0].stop()
            else:
                servers[0].status = int(fault)
            assert await said(model, Ask(session)) == "您好，welcome。"
        assert len(servers[1].asked) == 8


async def test_a_server_that_breaks_off_after_its_first_word_is_not_replaced() -> None:
    async with chat_servers(2) as servers, engine(*servers) as model:
        servers[0].breaks = servers[1].breaks = True
        heard: list[object] = []
        with pytest.raises(ModelError) as caught:
            async for delta in model.stream(ASKED):
                heard.append(delta)
        assert (heard, caught.value.code) == (["您好"], "interrupted")
        assert len(servers[0].asked) + len(servers[1].asked) == 1


async def test_the_breaker_leaves_a_failing_server_alone_and_lets_it_back() -> None:
    async with chat_servers(1) as [server], engine(server) as model:
        server.status = 500
        for _ in range(3):
            assert (await failure(model)).code == "unreachable"
        server.status = 200
        assert "failing" in str(await failure(model)) and len(server.asked) == 3
        await model.warm(ASKED)
        assert await said(model) == "您好，welcome。", "its own health check says that it is well"
        assert await said(model) == "您好，welcome。"


async def test_all_servers_down_is_known_at_once() -> None:
    async with chat_servers(2) as servers, engine(*servers, connect=600) as model:
        for server in servers:
            await server.stop()
        async with asyncio.timeout(60):
            assert (await failure(model)).code == "unreachable"


async def test_servers_that_do_not_answer_the_telephone_are_given_up_within_a_second_and_a_half() -> None:
    """All of eight, whose patience would be a multiple of it. Sockets whose backlog is full: packets are dropped, as
    by a host that is switched off."""
    with ExitStack() as sockets:
        ports = []
        callers = []
        for _ in range(8):
            listener = sockets.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            ports.append(listener.getsockname()[1])
            for _ in range(3):
                callers.append(caller := socket.socket())
                caller.setblocking(False)
                caller.connect_ex(("127.0.0.1", ports[-1]))
        endpoints = [{"base_url": f"http://127.0.0.1:{port}/v1"} for port in ports]
        options = OpenAI.Options.model_validate({"endpoints": endpoints, "model": "qwen"})
        model = OpenAI(options, current())
        began = time.monotonic()
        assert (await failure(model)).code == "unreachable"
        assert options.connect <= 1.5 and time.monotonic() - began < 4 * options.connect
        await model.aclose()
        for caller in callers:
            caller.close()


@pytest.mark.parametrize("question", ["成人票多少钱？", "How much is an adult ticket?"])
async def test_all_servers_down_is_apologised_for_aloud_at_once(question: str) -> None:
    async with chat_servers(2) as servers, engine(*servers, connect=600) as model:
        for server in servers:
            await server.stop()
        session = Session(presenter(model, limits=Limits(first_token=600)))
        number = await session.say(Say(question))
        text, aloud, fault = "", False, ""
        async with asyncio.timeout(60):
            while not (isinstance(event := await session.event(), TurnEnded) and event.turn == number):
                match event:
                    case TextDelta(text=piece):
                        text += piece
                    case Speech():
                        aloud = True
                    case Fault(code=code):
                        fault = code
        await session.close()
    apology = load("guide").fallback["en" if question.isascii() else "zh"]
    assert text.startswith(apology) and fault == "model_unreachable" and aloud


async def test_a_killed_server_is_served_again_when_it_is_back() -> None:
    async with chat_servers(1) as [server], engine(server) as model:
        await model.warm(ASKED)
        assert model.window == 4096
        await server.stop()
        assert (await failure(model)).code == "unreachable"
        server.window = 2048
        await server.start()
        await looked_at(server)
        assert await said(model) == "您好，welcome。"
        assert model.window == 2048


@pytest.mark.parametrize(("waiting", "cache"), [(8, 0.5), (0, 0.99)])
async def test_busy_servers_are_passed_over_and_all_busy_is_said_at_once(waiting: int, cache: float) -> None:
    async with chat_servers(2) as servers, engine(*servers) as model:
        await model.warm(ASKED)
        for server in servers:
            server.asked.clear()
        servers[0].waiting, servers[0].cache = waiting, cache
        await looked_at(*servers)
        for session in SESSIONS[:8]:
            await said(model, Ask(session))
        assert (len(servers[0].asked), len(servers[1].asked)) == (0, 8)
        servers[1].waiting, servers[1].cache = waiting, cache
        await looked_at(*servers)
        assert (await failure(model)).code == "busy"
        servers[0].waiting, servers[0].cache = 0, 0.1
        await looked_at(*servers)
        assert await said(model) == "您好，welcome。"


async def test_a_server_without_side_doors_is_not_watched_but_serves() -> None:
    async with chat_servers(1) as [server], engine(server) as model:
        server.watched = False
        await model.warm(ASKED)
        looks = server.looks
        assert await said(model) == "您好，welcome。" and model.window is None
        await asyncio.sleep(0.1)
        assert server.looks == looks


async def test_an_unwell_server_is_not_asked() -> None:
    async with chat_servers(2) as servers, engine(*servers) as model:
        await model.warm(ASKED)
        servers[0].well = False
        async with asyncio.timeout(60):
            while not model._endpoints.servers[0].breaker.open:
                await asyncio.sleep(0.005)
        for server in servers:
            server.asked.clear()
        for session in SESSIONS[:8]:
            await said(model, Ask(session))
        assert (len(servers[0].asked), len(servers[1].asked)) == (0, 8)


async def test_a_silent_server_is_hedged_and_the_loser_is_hung_up_on() -> None:
    async with chat_servers(2) as servers, engine(*servers, hedge=0.05) as model:
        servers[0].silent = True
        for session in SESSIONS[:40]:
            assert await said(model, Ask(session)) == "您好，welcome。"
        assert servers[0].asked
        async with asyncio.timeout(60):
            await servers[0].hung_up.wait()


async def test_a_hedged_answer_that_is_abandoned_leaves_nothing_open() -> None:
    async with chat_servers(2) as servers, engine(*servers, hedge=0.02) as model:
        for server in servers:
            server.silent = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15), aclosing(model.stream(ASKED)) as stream:
                await anext(stream)
        async with asyncio.timeout(60):
            for server in servers:
                await server.hung_up.wait()
        assert all(server.running == 0 for server in model._endpoints.servers)


@pytest.mark.parametrize("marks", [{"param": "input_tokens"}, {"code": "context_length_exceeded"}])
async def test_a_prompt_that_does_not_fit_is_said_so_and_the_window_is_learnt_anew(marks: dict[str, object]) -> None:
    async with chat_servers(2) as servers, engine(*servers) as model:
        await model.warm(ASKED)
        assert model.window == 4096
        for server in servers:
            server.status, server.refusal, server.window = 400, error("your prompt: 几点开门", **marks), 1024
            server.asked.clear()
        caught = await failure(model)
        assert caught.code == "too_long" and "几点" not in str(caught)
        assert model.window == 1024
        assert len(servers[0].asked) + len(servers[1].asked) == 1, "the other would say the same"


async def test_warming_reaches_every_server_and_fails_only_where_all_do() -> None:
    async with chat_servers(2) as servers, engine(*servers) as model:
        await servers[0].stop()
        await model.warm(ASKED)
        assert [request["max_tokens"] for request in servers[1].asked] == [1]
        await servers[1].stop()
        with pytest.raises(ModelError):
            await model.warm(ASKED)
