"""Questions about what a persona does not talk about are recognised; the operator's own subjects never are."""

import json
from pathlib import Path

import pytest

from agent.avoidance import Topic, avoided
from agent.lines import Both, Lists
from agent.persona import load
from configs.language import LANGUAGES, Lang

DATA = Path(__file__).parents[1] / "data"
ELECTIONS = Topic(
    name=Both(zh="选举", en="elections"),
    phrases=Lists(zh=("选举", "A股"), en=("election", "vote for", "AI stocks")),
    instead=Both(zh="我不谈选举。", en="I don't talk about elections."),
)
SHARES = ELECTIONS.model_copy(
    update={"name": Both(zh="股票", en="shares"), "phrases": Lists(zh=("股票",), en=("share",))}
)


@pytest.mark.parametrize(
    "question",
    [
        "你怎么看这次选举？",
        "你怎么看这次 选、举？",
        "你怎么看這次選舉？",
        "A股明天会涨吗",
        "Ａ股呢",
        "Who should I Vote  for?",
        "What about the ELECTIONS?",
        "elections",
        "请问election是什么",
        "Are ai-stocks a buy?",
    ],
)
def test_a_phrase_is_found_however_it_is_written(question: str) -> None:
    assert avoided([ELECTIONS], question) is ELECTIONS


@pytest.mark.parametrize(
    "question", ["What is a selection?", "electionary", "Can I vote forever?", "BA股", "选一个举手的人", "", "？！"]
)
def test_a_phrase_inside_another_word_is_none(question: str) -> None:
    assert avoided([ELECTIONS], question) is None


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("1912年的选举展品在哪里？", "二楼展出1912年选举的票箱。"),
        ("Where is the ballot box of the election?", "The ballot box of the 1912 elections is on the second floor."),
    ],
)
def test_what_the_documents_found_speak_of_is_the_operators_own_subject(question: str, passage: str) -> None:
    assert avoided([ELECTIONS], question, ["别的", passage]) is None
    assert avoided([ELECTIONS], question, ["展厅里有票箱。", "A ballot box."]) is ELECTIONS
    assert avoided([SHARES, ELECTIONS], question, ["股票 shares"]) is ELECTIONS


@pytest.mark.parametrize("name", ["guide", "anchor"])
def test_the_topics_of_a_persona_that_ships_are_recognised_by_each_of_their_phrases(name: str) -> None:
    persona = load(name)
    assert persona.avoid
    for topic in persona.avoid:
        for lang in LANGUAGES:
            for phrase in topic.phrases[lang]:
                assert persona.avoided(f"请问{phrase}？" if lang == "zh" else f"So, {phrase}, please?") is topic


@pytest.mark.parametrize("name", ["guide", "anchor"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_question_to_the_museum_is_avoided(name: str, lang: Lang) -> None:
    persona = load(name)
    files = [DATA / f"{kind}.{lang}.jsonl" for kind in ("questions", "visitors", "dialogues")]
    lines = [line for file in files for line in file.read_text("utf-8").splitlines() if line]
    questions = [json.loads(line)["question"] for line in lines]
    assert len(questions) > 80
    assert [question for question in questions if persona.avoided(question)] == []


@pytest.mark.parametrize("phrase", ["", "？", "a", "选"])
def test_a_phrase_too_short_to_recognise_anything_by_is_refused(phrase: str) -> None:
    tree = ELECTIONS.model_dump()
    with pytest.raises(ValueError, match="too short|at least 1"):
        Topic.model_validate(tree | {"phrases": {"zh": [phrase], "en": ["election"]}})
