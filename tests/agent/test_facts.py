"""Figures, ages and names in one spelling, in both languages."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.facts import age, ages, figures, names, spellings, written


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("上午10点半", "10:30 开放"),
        ("下午五点半关门", "17:30 闭馆"),
        ("half past five in the afternoon", "closes at 17:30"),
        ("5:30 p.m.", "闭馆时间 17:30"),
        ("at 9 a.m.", "9:00 to 18:00"),
        ("ten", "10:00"),
        ("一百二十个座位", "120 个座位"),
        ("两百元", "200 yuan"),
        ("二〇一八年", "in 2018"),
        ("1280元", "1,280 yuan"),
        ("twenty-five euros", "25 euros"),
        ("3.50 元", "3.5 元"),
        ("6.4亿", "6.4 亿元"),
    ],
)
def test_a_figure_is_found_in_another_spelling(said: str, source: str) -> None:
    known = spellings(source)
    assert figures(said) and all(figure & known for figure in figures(said))


@pytest.mark.parametrize(
    ("said", "source"),
    [("60元", "16 元"), ("10:30", "10:00"), ("三十元", "13 元"), ("0.5 kg", "5 kg"), ("2018年", "2108 年")],
)
def test_another_figure_is_not_found(said: str, source: str) -> None:
    assert not figures(said)[0] & spellings(source)


def test_words_that_only_look_like_figures_are_none() -> None:
    assert figures("一起去看一看") == []
    assert figures("no one knows") == [frozenset({"1"})] or figures("nobody knows") == []


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    assert all(figure & spellings(text) for figure in figures(text))
    names(text), age(text), ages(text)


@given(st.integers(0, 99_999))
def test_a_number_is_found_in_itself(number: int) -> None:
    assert figures(f"共 {number:,} 件")[0] & spellings(f"{number} pieces")


@pytest.mark.parametrize(
    ("text", "years"),
    [("我爸爸72岁", 72), ("两岁的孩子", 2), ("my two-year-old", 2), ("My son is 7", 7), ("票价 72 元", None)],
)
def test_the_age_of_somebody_is_read(text: str, years: int | None) -> None:
    assert age(text) == years


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60 至 69 岁", [(60, 69)]),
        ("ages 6 to 17", [(6, 17)]),
        ("4 岁以下儿童", [(0, 3)]),
        ("Children under 6", [(0, 5)]),
        ("70 岁及以上老人", [(70, 150)]),
        ("people aged 70 and over", [(70, 150)]),
        ("120 个座位", []),
    ],
)
def test_ranges_of_ages_are_read(text: str, expected: list[tuple[int, int]]) -> None:
    assert ages(text) == expected


def test_names_are_latin_words_in_chinese_and_capitals_in_english() -> None:
    assert names("用 Kokoro 合成") == ["kokoro"]
    assert names("The museum was founded by Lin Ruohai") == ["lin", "ruohai"]


def test_a_spoken_time_is_written() -> None:
    assert written("at half past one") == "at 1:30"
    assert written("Quarter to ten") == "9:45"
    assert written("half past midnight oil") != ""


def test_a_long_run_of_spaces_costs_no_more_than_it_is_long() -> None:
    began = time.process_time()
    assert list(figures(" " * 10_000 + "10:30")) == [frozenset({"10:30"})]
    assert time.process_time() - began < 0.3
