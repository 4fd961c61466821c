"""The whole of answering on the sample documents and the packaged models."""

import asyncio

import pytest

from agent.grounding import Grounding, Supported
from configs.home import current
from configs.language import Lang
from tests.agent.evaluate import DATA, Question, evaluate, knowing, questions

pytestmark = pytest.mark.packaged


def test_most_questions_are_answered_rightly_and_all_others_refused() -> None:
    files = [DATA / "questions.zh.jsonl", DATA / "questions.en.jsonl"]
    for outcomes in asyncio.run(evaluate(files)).values():
        wrong = [(one.question.text, one.answer) for one in outcomes if not one.right]
        answerable = [one for one in outcomes if one.question.accepted]
        assert sum(one.right for one in answerable) >= 10, wrong
        assert all(one.right for one in outcomes if not one.question.accepted), wrong


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_what_visitors_ask_is_kept_and_what_nobody_wrote_is_refused(lang: Lang) -> None:
    """Of the longer list of paraphrased questions; the model is not asked."""
    async with knowing(current()) as knowledge:

        async def answered(question: Question) -> bool:
            found = await knowledge.search(question.text, 6)
            return isinstance(Grounding().judge(question.text, lang, found), Supported)

        asked = questions(DATA / f"visitors.{lang}.jsonl")
        kept = [await answered(question) for question in asked if question.accepted]
        passed = [await answered(question) for question in asked if not question.accepted]
    assert sum(kept) >= 0.9 * len(kept)
    assert sum(passed) <= 0.25 * len(passed)
