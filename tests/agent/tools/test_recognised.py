"""Questions that tools answer by rules: all of their own, and none that is for the documents."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from agent.tools.toolbox import Done
from configs.language import LANGUAGES, Lang, detect
from knowledge.ingest import read
from knowledge.parse import FileLimits
from knowledge.sample import sample_documents
from tests.agent.tools.specimens import context, toolbox
from tests.taking import seconds

CASES = yaml.safe_load(Path(__file__).with_name("recognised.yaml").read_text("utf-8"))
DATA = Path(__file__).parents[2] / "data"
TAKEN = [(lang, *case) for lang in LANGUAGES for case in CASES[lang]["taken"]]
LEFT = [(lang, question) for lang in LANGUAGES for question in CASES[lang]["left"]]


@pytest.mark.parametrize(("lang", "tool", "question", "answer"), TAKEN, ids=[case[2] for case in TAKEN])
async def test_a_tool_takes_what_is_its_own(lang: Lang, tool: str, question: str, answer: str) -> None:
    box = toolbox()
    call = box.hear(question, lang)
    assert call is not None and call.name == tool
    outcome = await box.run(call, context(lang))
    assert isinstance(outcome, Done) and outcome.said
    assert outcome.text == answer
    assert outcome.handover == (tool == "human")


@pytest.mark.parametrize(("lang", "question"), LEFT, ids=[case[1] for case in LEFT])
def test_a_tool_leaves_what_only_sounds_so(lang: Lang, question: str) -> None:
    assert toolbox().hear(question, lang) is None


def test_there_are_forty_cases_of_each_kind() -> None:
    assert all(len(CASES[lang][kind]) >= 40 for lang in LANGUAGES for kind in ("taken", "left"))


def test_no_question_for_the_documents_is_taken() -> None:
    asked = set(documented())
    box = toolbox()
    assert len(asked) > 700
    assert [question for question in asked if box.hear(question, detect(question) or "zh")] == []


def test_what_is_not_allowed_is_not_heard() -> None:
    assert toolbox(allowed=("calendar",)).hear("现在几点？", "zh") is None
    assert toolbox(allowed=()).hear("What time is it?", "en") is None


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "question",
    [
        "是" * 60,
        "一" * 60,
        "1+" * 99,
        "one " * 15,
        "请问" * 30,
        "今天" * 30,
        "is " * 20,
        "(" * 200,
        "3%" * 99,
        "的" * 2000,
    ],
)
def test_any_question_is_judged_at_once(lang: Lang, question: str) -> None:
    box = toolbox()
    assert seconds(lambda: box.hear(question, lang)) < 0.5


def documented() -> Iterator[str]:
    """Every question of the test data, and every heading, question and sentence of the sample documents."""
    for path in sorted(DATA.glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            case = json.loads(line)
            yield from (case[key] for key in ("first", "question") if key in case)
            yield from (*case.get("same", ()), *case.get("other", ()))
    for source, data in sample_documents():
        text = read(source, data, FileLimits()).text
        yield from (part.strip("#-*<>|, \r") for part in re.split(r"[\n。！？!?]|\. ", text))
