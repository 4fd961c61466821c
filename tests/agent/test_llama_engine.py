"""llama.cpp in process, on the packaged model."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from agent import prompt
from agent.engines.llama import Llama
from agent.model import Ask, Called, Message, ModelError, Offer, Returned, ToolCall, text_of
from agent.persona import load
from configs.engines import ConfigError
from configs.home import current
from configs.language import Lang

pytestmark = [pytest.mark.packaged, pytest.mark.asyncio(loop_scope="module")]

GUIDE = prompt.Mandate(load("guide"))
SENTENCES: dict[Lang, str] = {
    "zh": "成人票每张60元，6岁以下儿童免费。",
    "en": "Adult tickets cost 12 euros, children under 6 enter free.",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def llama() -> AsyncIterator[Llama]:
    engine = await asyncio.to_thread(Llama, Llama.Options(threads=1), current())
    await engine.warm([prompt.opening(GUIDE, "zh")])
    yield engine
    await engine.aclose()


@pytest.mark.parametrize(
    ("lang", "question", "fact"), [("zh", "成人票多少钱？", "60"), ("en", "How much is an adult ticket?", "12")]
)
async def test_it_answers_from_the_prompt(llama: Llama, lang: Lang, question: str, fact: str) -> None:
    messages = prompt.compose(GUIDE, prompt.Material(question, lang, SENTENCES[lang]))
    deltas = [delta async for delta in llama.stream(messages)]
    assert fact in "".join(deltas)
    assert len(deltas) > 1


async def test_closing_the_stream_frees_the_model_at_once(llama: Llama) -> None:
    story = [Message("user", "Count from one to two hundred, in words.")]
    async with aclosing(llama.stream(story)) as stream:
        await anext(stream)
    await asyncio.sleep(1)  # the step that was under way
    before = os.times()
    await asyncio.sleep(0.5)
    after = os.times()
    assert after.user - before.user < 0.25


async def test_a_prompt_longer_than_the_context_is_refused(llama: Llama) -> None:
    with pytest.raises(ModelError) as caught:
        [delta async for delta in llama.stream([Message("user", "word " * 5000)])]
    assert caught.value.code == "too_long"
    assert llama.window == 2048


async def test_an_answer_is_held_to_its_schema_and_tools_are_not_offered(llama: Llama) -> None:
    schema = {
        "type": "object",
        "properties": {"price": {"type": "integer"}},
        "required": ["price"],
        "additionalProperties": False,
    }
    offer = Offer("price", "Tells the price", {"type": "object"})
    question = [Message("user", "An adult ticket costs 12 euros. What is the price? Answer in JSON.")]
    answer = [delta async for delta in text_of(llama.stream(question, Ask("s", (offer,), schema)))]
    assert json.loads("".join(answer)) == {"price": 12}


async def test_a_conversation_with_tools_is_understood(llama: Llama) -> None:
    parts = [
        Message("user", "What does the ticket cost?"),
        Called((ToolCall("a", "price", "{}"),)),
        Returned("a", "price", "The ticket costs 12 euros."),
        Message("user", "So what does it cost?"),
    ]
    assert "12" in "".join([delta async for delta in text_of(llama.stream(parts))])


async def test_two_answers_at_once_do_not_mix(llama: Llama) -> None:
    async def answer(lang: Lang, question: str) -> str:
        messages = prompt.compose(GUIDE, prompt.Material(question, lang, SENTENCES[lang]))
        return "".join([delta async for delta in llama.stream(messages)])

    zh, en = await asyncio.gather(answer("zh", "成人票多少钱？"), answer("en", "How much is an adult ticket?"))
    assert "60" in zh and "12" in en


async def test_a_file_that_is_no_model_is_a_configuration_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"x" * 1000)
    with pytest.raises(ConfigError, match="broken.gguf"):
        await asyncio.to_thread(Llama, Llama.Options(file=broken), current())
