"""The rules of a conversation, and what tells that a user wants a human, wants out, or has lost their temper."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agent.conduct import Conduct, Exit, HandOver, Over, Remind, used
from agent.events import TurnEnded
from agent.humanity import claims_humanity
from agent.playback import Playback
from agent.whispers import Whispers
from agent.wishes import angry, has_keyword, wants_human, wants_out
from configs.conduct import ConductSettings, UseSettings
from configs.language import Lang
from knowledge.ingest import read
from knowledge.parse import FileLimits
from knowledge.sample import sample_documents

DATA = Path(__file__).parents[1] / "data"
CASES: dict[str, list[str]] = yaml.safe_load((DATA / "wishes.yaml").read_text("utf-8"))


def neutral() -> Iterator[str]:
    """What visitors ask and what the sample documents say."""
    for file in sorted(DATA.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            row = json.loads(line)
            texts = [row.get(name) for name in ("question", "first", "answer")]
            yield from (text for text in [*texts, *row.get("same", []), *row.get("other", [])] if isinstance(text, str))
    for source, data in sample_documents():
        said = read(source, data, FileLimits()).text
        yield from (piece for piece in re.split(r"(?<=[。！？.!?])\s*|\n+", said) if piece.strip())


@pytest.mark.parametrize(
    ("rule", "yes", "no"),
    [(wants_human, "human", "no_human"), (wants_out, "out", "not_out"), (angry, "angry", "calm")],
    ids=["human", "out", "angry"],
)
def test_wishes_are_recognised_in_both_languages(rule, yes: str, no: str) -> None:  # type: ignore[no-untyped-def]
    assert [text for text in CASES[yes] if not rule(text)] == []
    assert [text for text in CASES[no] if rule(text)] == []


def test_no_neutral_sentence_is_taken_for_a_wish_or_an_insult_or_a_claim_to_be_human() -> None:
    texts = sorted(set(neutral()))
    assert len(texts) > 800 and sum(not text.isascii() for text in texts) > 300
    rules = (wants_human, wants_out, angry, lambda text: claims_humanity(text, "zh" if not text.isascii() else "en"))
    assert [text for text in texts for rule in rules if rule(text)] == []


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_claims_to_be_human_are_told_from_truths(lang: Lang) -> None:
    assert [text for text in CASES[f"claims_{lang}"] if not claims_humanity(text, lang)] == []
    assert [text for text in CASES[f"truths_{lang}"] if claims_humanity(text, lang)] == []


def test_keywords_are_words_in_english_and_parts_of_the_text_in_chinese() -> None:
    words = ("退款", "refund")
    assert has_keyword("我要退款！", words) and has_keyword("A REFUND, please", words)
    assert (
        not has_keyword("refundable tickets", words) and not has_keyword("多少钱", words) and not has_keyword("x", ())
    )


@given(st.text(max_size=300))
def test_no_text_is_too_strange_for_the_rules(text: str) -> None:
    for rule in (wants_human, wants_out, angry):
        rule(text)
    claims_humanity(text, "zh"), claims_humanity(text, "en")


def done(*, refused: bool = False) -> TurnEnded:
    return TurnEnded(1, "done", refused)


def noon() -> datetime:
    return datetime(2026, 11, 24, 12)


def test_refusals_in_a_row_call_a_human_and_an_answer_between_them_does_not() -> None:
    conduct = Conduct(ConductSettings())
    told = [conduct.answered(end, 0) for end in (done(refused=True), done(), done(refused=True), done(refused=True))]
    assert told == [None, None, None, HandOver("refused")]
    assert conduct.answered(TurnEnded(1, "interrupted"), 0) is None and conduct.refusals == 2
    assert Conduct(ConductSettings(refusals=0)).answered(done(refused=True), 0) is None


@pytest.mark.parametrize(
    ("text", "ruling"),
    [
        *(("转人工", HandOver("asked")), ("agent, please", HandOver("asked")), ("退出", Exit()), ("quit", Exit())),
        *(("你真是个白痴", HandOver("anger")), ("You are useless!", HandOver("anger"))),
        *(
            ("我要退款", HandOver("keyword")),
            ("I want a refund", HandOver("keyword")),
            ("几点开门？", None),
            ("Hi", None),
        ),
    ],
)
def test_the_users_words_are_ruled_on(text: str, ruling: object) -> None:
    assert Conduct(ConductSettings(keywords=("退款", "refund"))).asked(text, 0) == ruling


def test_anger_is_let_pass_where_the_operator_wishes() -> None:
    assert Conduct(ConductSettings(anger=False)).asked("stupid bot", 0) is None


def test_use_is_reminded_of_after_two_hours_and_then_every_hour_and_a_break_starts_it_anew() -> None:
    conduct = Conduct(ConductSettings())

    def reminded(minutes: range) -> list[int]:
        told = []
        for minute in minutes:
            conduct.asked("几点开门？", minute * 60)
            told += [minute] if conduct.answered(done(), minute * 60) == Remind() else []
        return told

    assert reminded(range(0, 301, 5)) == [120, 180, 240, 300]
    assert reminded(range(330, 600, 5)) == [450, 510, 570]


def test_a_child_is_reminded_earlier_and_the_conversation_ends_in_time() -> None:
    conduct = Conduct(ConductSettings(), minor=True, wall=noon)
    rulings: list[object] = []
    for minute in range(0, 46, 5):
        ruling = conduct.asked("恐龙有多大？", minute * 60)
        rulings += [(minute, ruling or conduct.answered(done(), minute * 60))]
    assert [(minute, ruling) for minute, ruling in rulings if ruling] == [(30, Remind()), (40, Over()), (45, Over())]  # type: ignore[misc]
    assert Conduct(ConductSettings(minors_only=True)).minor and not Conduct(ConductSettings()).minor


def test_who_comes_back_goes_on_where_they_were() -> None:
    assert used([], 600, 9000) == 0
    assert used([0, 5000, 5500, 6000], 600, 6100) == 1100, "a longer break began it anew"
    child = Conduct(ConductSettings(), minor=True, used=39 * 60, wall=noon)
    assert child.asked("恐龙有多大？", 1000) is None
    assert child.asked("How big is it?", 1060) == Over()
    adult = Conduct(ConductSettings(), used=119 * 60)
    adult.asked("Hello", 7)
    assert adult.answered(done(), 7) is None
    adult.asked("Hello", 70)
    assert adult.answered(done(), 70) == Remind()


@pytest.mark.parametrize(("hour", "over"), [(21, False), (22, True), (0, True), (5, True), (6, False), (12, False)])
def test_a_childs_night_is_kept(hour: int, over: bool) -> None:
    conduct = Conduct(ConductSettings(), minor=True, wall=lambda: datetime(2026, 11, 24, hour, 30))
    assert (conduct.asked("Hello", 0) == Over()) is over
    assert conduct.asked("quit", 0) == Exit()
    adult = Conduct(ConductSettings(), wall=lambda: datetime(2026, 11, 24, hour, 30))
    assert adult.asked("Hello", 0) is None


def test_hours_of_one_day_are_kept_too() -> None:
    use = UseSettings(night=time(1), morning=time(6))
    conduct = Conduct(ConductSettings(use=use), wall=lambda: datetime(2026, 11, 24, 0, 30))
    assert conduct.asked("Hello", 0) is None


def test_playback_ends_when_all_that_was_sent_was_played() -> None:
    playback = Playback()
    assert playback.remaining(0) == 0
    playback.sent(2.0, 10.0)
    playback.sent(3.0, 10.1)
    assert playback.remaining(12.0) == pytest.approx(3.0)
    playback.heard(1.0, 12.0)
    assert playback.remaining(12.0) == pytest.approx(4.0), "the client began late"
    playback.stop()
    assert playback.remaining(12.0) == 0


def test_whispers_hold_for_some_answers_are_few_and_can_be_withdrawn() -> None:
    whispers = Whispers(2)
    for number in range(7):
        whispers.add(f"note {number}")
    assert whispers.take() == tuple(f"note {number}" for number in range(2, 7)) == whispers.take()
    assert whispers.take() == ()
    whispers.add("a")
    whispers.add(" ")
    assert whispers.take() == () and len(whispers) == 0
