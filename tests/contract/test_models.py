"""What every language model keeps to, whichever engine it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import pytest

from agent import prompt
from agent.engines.langchain import LangChain
from agent.engines.llama import Llama
from agent.engines.openai import OpenAI
from agent.engines.scripted import Scripted
from agent.model import PLAINLY, Ask, ChatModel, Message, Offer, text_of
from agent.persona import load
from configs.home import current
from configs.language import Lang
from tests.agent.chat_server import chat_servers

GUIDE = prompt.Mandate(load("guide"))
TEXT: dict[Lang, str] = {"zh": "成人票每张60元。", "en": "An adult ticket costs 60 yuan."}
QUESTION: dict[Lang, str] = {"zh": "成人票多少钱？", "en": "How much is an adult ticket?"}
ANSWER = "成人票 costs 60 yuan, 每张。"
THOUGHT = "<think>秘密 secret</think>"
Opened = AbstractAsyncContextManager[ChatModel]


@asynccontextmanager
async def scripted() -> AsyncIterator[ChatModel]:
    yield Scripted(Scripted.Options(pace=0.001, flaw="thinking"), current())


@asynccontextmanager
async def langchain() -> AsyncIterator[ChatModel]:
    fake = "langchain_core.language_models.fake_chat_models:FakeListChatModel"
    options = LangChain.Options.model_validate(
        {"class": fake, "arguments": {"responses": [THOUGHT + ANSWER], "sleep": 0.001}}
    )
    yield LangChain(options, current())


@asynccontextmanager
async def llama() -> AsyncIterator[ChatModel]:
    model = await asyncio.to_thread(Llama, Llama.Options(threads=1), current())
    yield model
    await model.aclose()


@asynccontextmanager
async def openai() -> AsyncIterator[ChatModel]:
    async with chat_servers(1) as [server]:
        server.says = list(THOUGHT + ANSWER)
        options = {"base_url": server.url, "model": "qwen"}
        model = OpenAI(OpenAI.Options.model_validate(options), current())
        yield model
        await model.aclose()


ENGINES = [
    pytest.param(scripted, id="scripted"),
    pytest.param(openai, id="openai"),
    pytest.param(langchain, id="langchain"),
    pytest.param(llama, id="llama", marks=pytest.mark.packaged),
]


def asked(lang: Lang) -> Sequence[Message]:
    return prompt.compose(GUIDE, prompt.Material(QUESTION[lang], lang, TEXT[lang]))


async def _fact(model: ChatModel, lang: Lang, ask: Ask = PLAINLY) -> str:
    answer = "".join([delta async for delta in text_of(model.stream(asked(lang), ask))])
    assert "think" not in answer and "secret" not in answer, "thoughts are nobody's business"
    return answer


@pytest.mark.parametrize("opened", ENGINES)
async def test_a_model_answers_streams_stops_and_answers_again(opened: Callable[[], Opened]) -> None:
    async with opened() as model:
        await model.warm([prompt.opening(GUIDE, "zh")])
        assert "60" in await _fact(model, "zh")
        async with aclosing(model.stream(asked("en"))) as stream:
            assert isinstance(await anext(stream), str)
        both: list[Awaitable[str]] = [_fact(model, "zh"), _fact(model, "en")]
        assert all("60" in answer for answer in await asyncio.gather(*both))


@pytest.mark.parametrize("opened", ENGINES)
async def test_abandoned_streams_leave_no_task_behind(opened: Callable[[], Opened]) -> None:
    async with opened() as model:
        before = asyncio.all_tasks()
        for _ in range(5):
            async with aclosing(model.stream(asked("zh"))) as stream:
                await anext(stream)
        for _ in range(3):
            await asyncio.sleep(0)
        left = {task for task in asyncio.all_tasks() - before if "connected" not in str(task.get_coro())}
        assert not left


@pytest.mark.parametrize("opened", ENGINES)
async def test_an_offer_that_is_not_taken_up_changes_nothing_and_the_window_is_a_number_or_unknown(
    opened: Callable[[], Opened],
) -> None:
    clock = Offer("clock", "Tells the time 报时", {"type": "object", "properties": {}})
    async with opened() as model:
        assert "60" in await _fact(model, "en", Ask("session", (clock,)))
        assert model.window is None or model.window > 256
