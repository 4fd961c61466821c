"""The whole of answering on the sample documents and the packaged models."""

import asyncio
from collections.abc import Iterator

import pytest
from opencc import OpenCC

from agent.grounding import Grounding, Supported
from configs.home import current
from configs.language import Lang
from knowledge.encodings import decode
from knowledge.sample import sample_documents
from tests.agent.courtesies import Form, answered, forms, tally
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

        async def known(question: Question) -> bool:
            found = await knowledge.search(question.text, 6)
            return isinstance(Grounding().judge(question.text, lang, found), Supported)

        asked = questions(DATA / f"visitors.{lang}.jsonl")
        kept = [await known(question) for question in asked if question.accepted]
        passed = [await known(question) for question in asked if not question.accepted]
    assert sum(kept) >= 0.9 * len(kept)
    assert sum(passed) <= 0.25 * len(passed)


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_politeness_and_what_is_told_first_hide_no_answer_and_let_nothing_through(lang: Lang) -> None:
    async with knowing(current()) as knowledge:
        polite = await tally(knowledge, lang, forms(lang, "courtesy")[::9], apart=True)
        sentences = [way for way in forms(lang, "preamble") if way.text.endswith(("。{q}", ". {q}"))]
        telling = await tally(knowledge, lang, sentences[::3], apart=True)
        alone = await tally(knowledge, lang, [Form("{q}", "courtesy")], apart=True)
    assert polite.kept >= 0.97 * polite.answerable
    assert telling.kept >= 0.9 * telling.answerable
    assert polite.passed / polite.others <= alone.passed / alone.others + 0.04


_HONG_KONG = OpenCC("s2hk").convert


def plain() -> Iterator[tuple[str, bytes]]:
    """The sample documents that are plain text, in Chinese."""
    for name, data in sample_documents():
        if name.endswith((".md", ".txt", ".html")) and not name.isascii():
            yield name, decode(data).text.encode("utf-8")


def traditional() -> Iterator[tuple[str, bytes]]:
    """The same in the characters of Hong Kong."""
    for name, data in plain():
        yield name, _HONG_KONG(data.decode("utf-8")).encode("utf-8")


async def test_documents_and_questions_may_each_be_in_traditional_or_simplified_characters() -> None:
    asked = questions(DATA / "visitors.zh.jsonl")[::4]
    judged = []
    for documents in (plain, traditional):
        async with knowing(current(), documents) as knowledge:
            ours = [await answered(knowledge, one.text, "zh") for one in asked]
            assert [await answered(knowledge, _HONG_KONG(one.text), "zh") for one in asked] == ours
            judged.append(ours)
    same = sum(one == other for one, other in zip(*judged, strict=True))
    assert same >= 0.9 * len(asked) and 2 * sum(judged[1]) >= len(asked)
