"""Sentence boundaries in both languages."""

from hypothesis import given
from hypothesis import strategies as st

from knowledge.sentences import clause_spans, sentence_spans, sentences


def test_chinese_sentences_keep_their_closing_quotes() -> None:
    assert sentences("周一闭馆。“节假日照常吗？”“照常！”他说……好。") == [
        "周一闭馆。",
        "“节假日照常吗？”",
        "“照常！”",
        "他说……",
        "好。",
    ]


def test_abbreviations_numbers_and_times_do_not_end_a_sentence() -> None:
    text = "Dr. Xu opens at 9 a.m. every day. The U.S. team paid 3.5 yuan, e.g. for tea. "
    text += "It closes at 5 p.m. Then it is dark."
    assert sentences(text) == [
        "Dr. Xu opens at 9 a.m. every day.",
        "The U.S. team paid 3.5 yuan, e.g. for tea.",
        "It closes at 5 p.m.",
        "Then it is dark.",
    ]


def test_a_list_number_is_not_a_sentence() -> None:
    assert sentences("1. 打开小程序\n2. Choose a date") == ["1. 打开小程序", "2. Choose a date"]


TEXT = st.text(alphabet="海港馆。！？，；“”…a.B 9:,\n'\"!? ")


@given(TEXT)
def test_spans_are_ordered_and_lose_only_space(text: str) -> None:
    spans = sentence_spans(text)
    assert all(left[1] <= right[0] for left, right in zip(spans, spans[1:], strict=False))
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())


@given(TEXT, st.integers(1, 30))
def test_clauses_are_short_and_complete(text: str, longest: int) -> None:
    spans = clause_spans(text, longest)
    assert all(b - a <= longest for a, b in spans)
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
