"""Half an hour with one visitor: nothing is left unanswered, and what is remembered is what was heard."""

import time
from collections import Counter

import pytest

from configs.language import LANGUAGES
from tests.agent.long_conversation import PATIENCE, Outcome, breakages, ended, held, printed


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    """Of a conversation that takes the machine less than twenty seconds."""
    began = time.process_time()
    found = held()
    assert time.process_time() - began < 20
    return found


def test_it_is_half_an_hour_in_both_languages(outcome: Outcome) -> None:
    langs = Counter(turn.lang for turn in outcome.asked)
    assert outcome.seconds >= 1800 and len(outcome.asked) >= 90
    assert max(langs.values()) - min(langs.values()) <= 4 and len(langs) == 2


def test_every_question_is_answered_and_soon(outcome: Outcome) -> None:
    assert [turn.question for turn in outcome.unanswered] == []
    assert [turn for turn in outcome.turns if turn.end is None] == []
    assert 0 < outcome.slowest <= PATIENCE


def test_everything_that_is_sent_makes_sense_and_every_turn_ends_as_it_must(outcome: Outcome) -> None:
    assert outcome.wrong == [], printed(outcome)


def test_what_is_kept_is_what_was_heard(outcome: Outcome) -> None:
    assert outcome.mismatches == [], printed(outcome)
    assert len(outcome.kept.exchanges) == len(outcome.turns)
    assert outcome.kept.summary is not None and 0 < outcome.kept.summary.upto < len(outcome.turns)


def test_it_is_interrupted_at_every_stage_of_an_answer(outcome: Outcome) -> None:
    assert len(outcome.stopped) >= 15
    for lang in LANGUAGES:
        mine = [turn for turn in outcome.stopped if turn.lang == lang]
        assert {ended(turn) for turn in mine} == {"interrupted", "done"}
        assert any(not turn.heard for turn in mine), "before its first sound"
        assert any(turn.heard and turn.heard != turn.text.strip() for turn in mine), "in the middle of a sentence"


def test_everything_breaks_once_in_each_language_and_ends_well(outcome: Outcome) -> None:
    expected = {how.name: ends for how, ends, _ in breakages()}
    expected |= {"tool: slow": "done", "tool: hangs": "done refused"}
    assert sorted(outcome.failures) == sorted(
        (name, lang, ends) for name, ends in expected.items() for lang in LANGUAGES
    )


def test_the_user_is_told_of_everything_that_happens_to_the_conversation(outcome: Outcome) -> None:
    assert Counter(outcome.notices) == {
        "moderated": 2,
        "handover": 6,
        "reminder": 2,
        "takeover": 2,
        "returned": 2,
        "ended": 1,
    }
