import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.sentences import SentenceSplitter

TEXT = st.text(alphabet="你好，。！？、：abc 3.14,1\n“”’Dr", max_size=80)


def pieces(text: str, size: int = 1) -> list[str]:
    splitter = SentenceSplitter()
    out = [piece for start in range(0, len(text), size) for piece in splitter.feed(text[start : start + size])]
    return out + splitter.flush()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("您好！圆周率约为3.14，人口1,000人。", ["您好！", "圆周率约为3.14，人口1,000人。"]),
        (
            "Hello there. Pi is 3.14 and it is 12:30 now. Bye!",
            ["Hello there.", " Pi is 3.14 and it is 12:30 now.", " Bye!"],
        ),
        ("Dr. Chen is here. He came in 2019. It rained.", ["Dr. Chen is here.", " He came in 2019.", " It rained."]),
        ("她说：“请进。”然后离开了。", ["她说：“请进。", "”然后离开了。"]),
        ("他笑了。“请进。”然后离开了。", ["他笑了。", "“请进。”", "然后离开了。"]),
        ("It opens at 10 a.m. on Monday. Yes.", ["It opens at 10 a.m. on Monday.", " Yes."]),
        (
            "Closed from Sept. 3. See https://museum.org/a.php?lang=en for more. Bye.",
            ["Closed from Sept. 3.", " See https://museum.org/a.php?lang=en for more.", " Bye."],
        ),
        ("真的吗?Yes!详见https://kjg.cn/a?b=1。", ["真的吗?", "Yes!", "详见https://kjg.cn/a?b=1。"]),
        ("……？！", []),
    ],
)
def test_cuts_where_a_speaker_would_pause(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_the_first_clause_is_spoken_early_and_later_pieces_grow() -> None:
    text = "欢迎来到科学馆，今天我来为您介绍一下，这里有三个展厅，分别是时间、空间和生命，每一个都值得一看。"
    lengths = [len(piece) for piece in pieces(text)]
    assert pieces(text)[0] == "欢迎来到科学馆，"
    assert lengths[0] < lengths[-1]


def test_a_full_stop_ends_the_first_piece_without_waiting_for_more() -> None:
    splitter = SentenceSplitter()
    assert splitter.feed("The museum opens at ten today.") == ["The museum opens at ten today."]
    assert SentenceSplitter().feed("馆长是陈岚。") == ["馆长是陈岚。"]
    assert SentenceSplitter().feed("Ask Dr.") == []


@given(TEXT)
def test_nothing_that_can_be_spoken_is_lost(text: str) -> None:
    joined = "".join(pieces(text))
    assert text.startswith(joined) or joined in text
    assert [c for c in joined if c.isalnum()] == [c for c in text if c.isalnum()]


@given(TEXT, st.integers(1, 9))
def test_after_the_first_piece_how_the_text_arrives_changes_nothing(text: str, size: int) -> None:
    opening = "好的。"
    assert pieces(opening + "嗯" + text, size)[-1:] == pieces(opening + "嗯" + text, 1)[-1:]
    splitter = SentenceSplitter()
    splitter.feed(opening)
    whole = splitter.feed("嗯" + text) + splitter.flush()
    assert whole == pieces(opening + "嗯" + text, 1)[1:]


@pytest.mark.parametrize("unit", ["a", "啊", "word ", "。", "，", "1,", "Mr. ", "“", "x. "])
def test_text_that_never_pauses_is_cut_and_takes_no_endless_time(unit: str) -> None:
    """A quadratic splitter would take minutes."""
    began = time.process_time()
    cut = pieces(unit * (200_000 // len(unit)), 7)
    assert time.process_time() - began < 10
    assert all(0 < len(piece) <= 301 for piece in cut)
    assert cut or unit in "。，“"
    assert unit != "word " or all(piece.endswith("word ") for piece in cut)
