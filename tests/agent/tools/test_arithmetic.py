"""Arithmetic: exact, on a grammar of its own, within limits, in figures and in words of both languages."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tools.arithmetic import Arithmetic
from agent.tools.expressions import ExpressionError, evaluated, parsed
from agent.tools.numerals import value
from agent.tools.tool import ToolError
from configs.language import Lang
from tests.agent.tools.specimens import context

EXACT = {
    "2 + 3 * 4": 14,
    "(2 + 3) * 4": 20,
    "2 ^ 3 ^ 2": 512,
    "-2 ^ 2": -4,
    "7 - -3": 10,
    "10 / 4": Fraction(5, 2),
    "0.1 + 0.2": Fraction(3, 10),
    "15% of 80": 12,
    "100 - 10%": Fraction(999, 10),
    "17 % 5": 2,
    "17 mod 5": 2,
    "2 ^ -2": Fraction(1, 4),
    "0 ^ 0": 1,
    "(-1) ^ 99999999": -1,
    "3 x 4": 12,
    "1,234,567 + 1": 1_234_568,
    "三乘以七": 21,
    "一百二十减三十五": 85,
    "三点五加一点五": 5,
    "80的15%": 12,
    "四分之三": Fraction(3, 4),
    "百分之二十": Fraction(1, 5),
    "2的10次方": 1024,
    "九的平方": 81,
    "3万加5千": 35_000,
    "一亿二千万除以二": 60_000_000,
    "twenty-five plus one hundred and seventeen": 142,
    "nine squared": 81,
    "two million divided by eight": 250_000,
    "fifteen percent of two hundred": 30,
    "two to the power of ten": 1024,
    "a hundred minus one": 99,
}


@pytest.mark.parametrize(("text", "expected"), EXACT.items())
def test_an_expression_has_its_exact_value(text: str, expected: int | Fraction) -> None:
    assert evaluated(parsed(text)) == expected


WRONG = {
    "": "syntax",
    "2 +": "syntax",
    "(2 + 3": "syntax",
    "2 3": "syntax",
    "twenty thirty": "syntax",
    "十百": "syntax",
    "__import__('os')": "syntax",
    "1e5": "syntax",
    "4 ^ 0.5": "syntax",
    "1 / 0": "zero",
    "0 ^ -1": "zero",
    "5 mod 0": "zero",
    "9 ^ 9 ^ 9": "large",
    "9 ^ 999999999999": "large",
    "0.5 ^ 99999": "large",
    "(" * 30 + "1" + ")" * 30: "large",
    "-" * 100 + "1": "large",
    "1+" * 150 + "1": "large",
    "1+" * 60 + "1": "large",
    "9" * 21: "syntax",
    "^".join("9" * 15): "large",
}


@pytest.mark.parametrize(("text", "code"), WRONG.items())
def test_what_cannot_be_worked_out_says_why(text: str, code: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluated(parsed(text))
    assert caught.value.code == code


@given(st.text("0123456789.,+-*/^%()x 一十百的分之乘除加减", max_size=60))
def test_any_text_is_worked_out_or_refused(text: str) -> None:
    try:
        assert evaluated(parsed(text)).denominator > 0
    except ExpressionError as error:
        assert error.code in ("syntax", "zero", "large")


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.sampled_from("+-*/"))
def test_two_whole_numbers(left: int, right: int, operator: str) -> None:
    one, other = Fraction(left), Fraction(right)
    expected = {"+": one + other, "-": one - other, "*": one * other, "/": one / other}[operator]
    assert evaluated(parsed(f"{left} {operator} {right}")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("一百二", 120), ("三千五", 3500), ("一百零五", 105), ("二〇二六", 2026), ("十五", 15), ("两万", 20_000)]
    + [("九千八百七十六万五千四百三十二", 98_765_432), ("1,000.5", Fraction(2001, 2)), ("nineteen", 19)]
    + [("three hundred and forty-two thousand and six", 342_006), ("五六百", None), ("hundred", None)],
)
def test_numbers_are_read(text: str, expected: int | Fraction | None) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("lang", "expression", "said"),
    [
        ("zh", "1/3", "结果约为0.333333。"),
        ("en", "1/3", "The answer is about 0.333333."),
        ("zh", "2/3000000", "结果约为0.000000666667。"),
        ("en", "1/8", "The answer is 0.125."),
        ("zh", "0 - 5/2", "结果是-2.5。"),
        ("en", "12 * 12 =", "The answer is 144."),
        ("zh", "100 / 10", "结果是10。"),
    ],
)
async def test_a_result_is_said_exactly_or_with_about(lang: Lang, expression: str, said: str) -> None:
    assert (await Arithmetic().call({"expression": expression}, context(lang))).text == said


@pytest.mark.parametrize(
    ("lang", "expression", "code", "said"),
    [
        ("zh", "5除以0", "zero", "零不能作除数。"),
        ("en", "5 / 0", "zero", "Dividing by zero isn't possible."),
        ("zh", "9^99", "large", "这个数太大了，我算不了。"),
        ("en", "what", "syntax", "I can't read that calculation."),
    ],
)
async def test_a_refusal_can_be_said(lang: Lang, expression: str, code: str, said: str) -> None:
    with pytest.raises(ToolError) as caught:
        await Arithmetic().call({"expression": expression}, context(lang))
    assert (caught.value.code, str(caught.value)) == (code, said)
