"""Which kind of answer a question wants, and texts that have one."""

import pytest

from agent.questions import kind_of
from configs.language import Lang

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
]
ONES += ["sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDS = [*ONES, *(f"{ten}{rest}" for ten in TENS for rest in ("", *(f"-{one}" for one in ONES[1:10])))]
HAN = "零一二三四五六七八九"
NUMERALS = [
    *HAN,
    *(
        ("" if tens == 1 else HAN[tens]) + "十" + ("" if ones == 0 else HAN[ones])
        for tens in range(1, 10)
        for ones in range(10)
    ),
]


@pytest.mark.parametrize(
    ("question", "lang", "text", "numbers"),
    [
        ("How much is a ticket?", "en", "A ticket costs {} yuan.", WORDS),
        ("How many seats are there?", "en", "The hall has {} seats.", WORDS[2:]),
        ("门票多少钱？", "zh", "门票{}元。", NUMERALS),
        ("有多少个座位？", "zh", "影院有{}个座位。", NUMERALS),
    ],
    ids=["price", "count", "价钱", "数目"],
)
def test_every_number_to_a_hundred_answers_in_words(question: str, lang: Lang, text: str, numbers: list[str]) -> None:
    kind, _ = kind_of(question, lang)
    assert len(numbers) >= 98
    assert [number for number in numbers if not kind.found_in(text.format(number))] == []
    assert not kind.found_in(text.format("").replace("元", "").replace(" yuan", ""))
