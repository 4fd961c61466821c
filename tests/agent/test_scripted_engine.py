"""The scripted model: grounded without a model, and on time."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from agent import prompt
from agent.engines.scripted import Scripted
from agent.model import Message
from agent.persona import load
from configs.home import current
from configs.language import Lang
from tests import virtual

GUIDE = load("guide")
ZH = "海港科学馆每周一闭馆。\n票种：成人票；价格：60元。\n票种：学生票；价格：30元。"
EN = "Dr. Lena Ortiz founded the museum in 1987. It is open from 10 a.m. to 5 p.m. on weekdays."


async def said(options: Mapping[str, object], messages: Sequence[Message]) -> str:
    engine = Scripted(Scripted.Options.model_validate(options), current())
    return "".join([delta async for delta in engine.stream(messages)])


def asked(question: str, lang: Lang) -> Sequence[Message]:
    return prompt.compose(question, lang, ZH if lang == "zh" else EN, GUIDE)


@pytest.mark.parametrize(
    ("question", "lang", "answer"),
    [
        ("学生票多少钱？", "zh", "30元"),
        ("星期一闭馆吗？", "zh", "每周一闭馆"),
        ("Who founded the museum?", "en", "Dr. Lena Ortiz founded the museum in 1987."),
        ("When is it open on weekdays?", "en", "from 10 a.m. to 5 p.m."),
    ],
)
async def test_it_quotes_the_sentence_that_answers(question: str, lang: Lang, answer: str) -> None:
    assert answer in await said({}, asked(question, lang))


async def test_it_says_what_it_is_told_in_the_language_it_is_asked_in() -> None:
    by_language = {"answer": {"zh": "周一闭馆。", "en": "Closed on Mondays."}}
    assert await said({"answer": "42 号。"}, asked("Why?", "en")) == "42 号。"
    assert await said(by_language, asked("周一开门吗？", "zh")) == "周一闭馆。"
    assert await said(by_language, asked("Are you open?", "en")) == "Closed on Mondays."


def test_it_keeps_the_pace_it_is_given() -> None:
    async def times() -> list[float]:
        loop = asyncio.get_running_loop()
        engine = Scripted(Scripted.Options(answer="one two three", delay=0.5, pace=0.02), current())
        return [round(loop.time(), 3) async for _ in engine.stream(asked("Why?", "en"))]

    assert virtual.run(times()) == [0.5, 0.52, 0.54]
