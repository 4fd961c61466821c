"""llama.cpp in process, on the packaged model."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import pytest_asyncio

from agent import prompt
from agent.engines.llama import Llama
from agent.model import Message, ModelError
from agent.persona import load
from configs.engines import ConfigError
from configs.home import current
from configs.language import Lang

pytestmark = [pytest.mark.packaged, pytest.mark.asyncio(loop_scope="module")]

GUIDE = load("guide")
SENTENCES: dict[Lang, str] = {
    "zh": "成人票每张60元，6岁以下儿童免费。",
    "en": "Adult tickets cost 12 euros, children under 6 enter free.",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def llama() -> AsyncIterator[Llama]:
    engine = await asyncio.to_thread(Llama, Llama.Options(threads=1), current())
    await engine.warm([prompt.system("zh", GUIDE)])
    yield engine
    await engine.aclose()


@pytest.mark.parametrize(
    ("lang", "question", "fact"), [("zh", "成人票多少钱？", "60"), ("en", "How much is an adult ticket?", "12")]
)
async def test_it_answers_from_the_prompt(llama: Llama, lang: Lang, question: str, fact: str) -> None:
    messages = prompt.compose(question, lang, SENTENCES[lang], GUIDE)
    deltas = [delta async for delta in llama.stream(messages)]
    assert fact in "".join(deltas)
    assert len(deltas) > 1


async def test_closing_the_stream_frees_the_model_at_once(llama: Llama) -> None:
    story = [Message("user", "Count from one to two hundred, in words.")]
    async with aclosing(llama.stream(story)) as stream:
        await anext(stream)
    before = os.times()
    await asyncio.sleep(0.5)
    after = os.times()
    assert after.user - before.user < 0.25


async def test_a_prompt_longer_than_the_context_is_refused(llama: Llama) -> None:
    with pytest.raises(ModelError) as caught:
        [delta async for delta in llama.stream([Message("user", "word " * 5000)])]
    assert caught.value.code == "refused"


async def test_two_answers_at_once_do_not_mix(llama: Llama) -> None:
    async def answer(lang: Lang, question: str) -> str:
        messages = prompt.compose(question, lang, SENTENCES[lang], GUIDE)
        return "".join([delta async for delta in llama.stream(messages)])

    zh, en = await asyncio.gather(answer("zh", "成人票多少钱？"), answer("en", "How much is an adult ticket?"))
    assert "60" in zh and "12" in en


async def test_a_file_that_is_no_model_is_a_configuration_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"x" * 1000)
    with pytest.raises(ConfigError, match="broken.gguf"):
        await asyncio.to_thread(Llama, Llama.Options(file=broken), current())
