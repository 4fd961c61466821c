"""Tokens are estimated from above; the counts are those of Qwen2.5's own tokenizer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tokens import cut, estimate

COUNTED = {
    "科学馆上午九点半开门，下午五点停止入馆。": 14,
    "老码头的灯塔建于1921年，塔高27米，如今是海洋厅的一部分。": 25,
    "The museum opens at half past nine in the morning and the last entry is at five.": 18,
    "The lighthouse of the old pier was built in 1921; it is 27 metres high.": 24,
    "A guided tour costs 12.50 euros, call +86 571 5550 0123 to book (groups of 10 or more).": 41,
    "打开 Settings 页面，选择 Wi-Fi，再输入密码 abc123。": 16,
    "🎉🎉": 2,
}
"""Texts, and their tokens as the tokenizer of the packaged model counts them."""


@pytest.mark.parametrize("text", COUNTED)
def test_an_estimate_is_above_the_count_and_not_far(text: str) -> None:
    assert COUNTED[text] <= estimate(text) <= 1.8 * COUNTED[text] + 8


@given(st.text(), st.text())
def test_two_texts_together_take_what_they_take_apart(one: str, other: str) -> None:
    together, apart = estimate(one + other), estimate(one) + estimate(other)
    assert apart - 1 <= together <= apart
    assert together >= max(estimate(one), estimate(other))


@given(st.text(), st.integers(0, 40))
def test_a_cut_text_is_the_longest_beginning_that_fits(text: str, tokens: int) -> None:
    kept = cut(text, tokens)
    assert text.startswith(kept) and estimate(kept) <= tokens
    assert kept == text or estimate(text[: len(kept) + 1]) > tokens


def test_nothing_takes_nothing_and_broken_text_is_counted() -> None:
    assert estimate("") == 0
    assert estimate("\ud800") > 0
