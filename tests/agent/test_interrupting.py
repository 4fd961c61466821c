"""Interruptions by voice at random instants: `tests.agent.interrupting` does more of them, and prints the figures."""

import random
from functools import cache

from agent.playback import Playback
from tests.agent.interrupting import Result, interrupted, percentile, results


@cache
def told() -> list[Result]:
    return [one for one in results(120) if one.decided]


def test_nothing_of_the_answer_is_sent_after_the_decision() -> None:
    assert len(told()) >= 90
    assert percentile([one.last for one in told()], 0.95) <= 0.025


def test_model_and_voice_are_let_go_within_200_ms() -> None:
    upstream = [one.upstream for one in told() if one.upstream is not None]
    assert len(upstream) >= 25 and max(upstream) <= 0.2


def test_the_memory_is_what_was_heard_at_any_instant() -> None:
    assert [(one.heard, one.remembered) for one in told() if one.heard != one.remembered] == []


def test_a_slow_line_adds_no_more_than_itself() -> None:
    slow = [interrupted("en", 0.7 + 0.61 * number, line=0.05) for number in range(6)]
    assert all(one.last <= 0.025 for one in slow if one.decided)


def test_nothing_is_heard_of_what_is_paused_as_it_begins() -> None:
    """Not even by an error of rounding, which would make its first word one that was heard."""
    chance = random.Random(1)
    for _ in range(300):
        playback, now = Playback(), chance.uniform(1, 9)
        playback.begin()
        playback.sent(chance.uniform(0.1, 1), now)
        playback.pause(now)
        assert playback.position(now) == 0.0
