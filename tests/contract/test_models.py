"""What every language model keeps to, whichever engine it is."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import pytest

from agent import prompt
from agent.engines.langchain import LangChain
from agent.engines.llama import Llama
from agent.engines.openai import OpenAI
from agent.engines.scripted import Scripted
from agent.model import ChatModel
from agent.persona import load
from configs.home import current
from configs.language import Lang

GUIDE = load("guide")
TEXT: dict[Lang, str] = {"zh": "成人票每张60元。", "en": "An adult ticket costs 60 yuan."}
QUESTION: dict[Lang, str] = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}
ANSWER = "成人票 costs 60 yuan, 每张。"
Opened = AbstractAsyncContextManager[ChatModel]


@asynccontextmanager
async def scripted() -> AsyncIterator[ChatModel]:
    yield Scripted(Scripted.Options(pace=0.001), current())


@asynccontextmanager
async def langchain() -> AsyncIterator[ChatModel]:
    fake = "langchain_core.language_models.fake_chat_models:FakeListChatModel"
    options = LangChain.Options.model_validate({"class": fake, "arguments": {"responses": [ANSWER], "sleep": 0.001}})
    yield LangChain(options, current())


@asynccontextmanager
async def llama() -> AsyncIterator[ChatModel]:
    model = await asyncio.to_thread(Llama, Llama.Options(threads=1), current())
    yield model
    await model.aclose()


@asynccontextmanager
async def openai() -> AsyncIterator[ChatModel]:
    async with serving() as port:
        options = OpenAI.Options(base_url=f"http://127.0.0.1:{port}/v1", model="any")
        model = OpenAI(options, current())
        yield model
        await model.aclose()


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """A server of the chat protocol that says `ANSWER` a character at a time."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for char in ANSWER:
            writer.write(_event({"content": char}, None))
        writer.write(_event({}, "stop") + b"data: [DONE]\n\n")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _event(delta: dict[str, str], finish: str | None) -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": delta, "finish_reason": finish}]}).encode() + b"\n\n"


ENGINES = [
    pytest.param(scripted, id="scripted"),
    pytest.param(openai, id="openai"),
    pytest.param(langchain, id="langchain"),
    pytest.param(llama, id="llama", marks=pytest.mark.packaged),
]


async def _fact(model: ChatModel, lang: Lang) -> str:
    messages = prompt.compose(QUESTION[lang], lang, TEXT[lang], GUIDE)
    return "".join([delta async for delta in model.stream(messages)])


@pytest.mark.parametrize("opened", ENGINES)
async def test_a_model_answers_streams_stops_and_answers_again(opened: Callable[[], Opened]) -> None:
    async with opened() as model:
        await model.warm([prompt.system("zh", GUIDE)])
        assert "60" in await _fact(model, "zh")
        async with aclosing(model.stream(prompt.compose(QUESTION["en"], "en", TEXT["en"], GUIDE))) as stream:
            assert isinstance(await anext(stream), str)
        both: list[Awaitable[str]] = [_fact(model, "zh"), _fact(model, "en")]
        assert all("60" in answer for answer in await asyncio.gather(*both))


@pytest.mark.parametrize("opened", ENGINES)
async def test_abandoned_streams_leave_no_task_behind(opened: Callable[[], Opened]) -> None:
    async with opened() as model:
        before = asyncio.all_tasks()
        for _ in range(5):
            async with aclosing(model.stream(prompt.compose(QUESTION["zh"], "zh", TEXT["zh"], GUIDE))) as stream:
                await anext(stream)
        for _ in range(3):
            await asyncio.sleep(0)
        left = {task for task in asyncio.all_tasks() - before if "connected" not in str(task.get_coro())}
        assert not left
