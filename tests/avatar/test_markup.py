import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.markup import EmotionTag, GestureTag, Markup, Piece, stripped
from avatar.motion import EMOTIONS, GESTURES, Vocabulary


def fed(text: str, size: int = 1000, vocabulary: Vocabulary | None = None) -> list[Piece]:
    markup = Markup(vocabulary) if vocabulary else Markup()
    out = [piece for start in range(0, len(text), size) for piece in markup.feed(text[start : start + size])]
    return out + markup.flush()


def plain(pieces: list[Piece]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def tags(pieces: list[Piece]) -> list[Piece]:
    return [piece for piece in pieces if not isinstance(piece, str)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    "text",
    [
        "[emotion:happy 0.6]欢迎！[gesture: wave] Welcome.",
        "【emotion：happy 0.6】欢迎！【gesture：wave】 Welcome.",
        "［Emotion: HAPPY, .6］欢迎！[[gesture:wave]] Welcome.",
    ],
)
def test_tags_leave_the_text_and_keep_their_order(text: str, size: int) -> None:
    assert "".join(piece if isinstance(piece, str) else "|" for piece in fed(text, size)) == "|欢迎！| Welcome."
    assert tags(fed(text, size)) == [EmotionTag("happy", 0.6), GestureTag("wave")]


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[emotion:furious]好[gesture:format_disk]的", "好的"),
        ("[emotion:开心]好【表情：微笑】的[动作:挥手]", "好的"),
        ("[happy]好[wave]的[thumbs_up]", "好的"),
        ("好的 [emotion:ha", "好的"),
        ("好的 [gesture", "好的"),
        ("好的 [emo", "好的"),
        ("好的[", "好的"),
        ("[emotion:happy\n好的", "\n好的"),
        ("[emotion:happy 好的。[gesture:wa", "好的。"),
        ("[emotion:[gesture:wave]happy]好的", "好的"),
        ("[emotion:[gesture:wave]]好的", "好的"),
        ("<think>用户想要票价</think>好的", "好的"),
        ("好<think>[gesture:wave]</thinking>的</think>", "好的"),
        ("好的<think>没有说完", "好的"),
        ("好<|im_start|>的<|im_end|>", "好的"),
    ],
)
def test_what_is_no_whole_and_known_tag_is_dropped_and_never_spoken(text: str, said: str, size: int) -> None:
    assert plain(fed(text, size)).strip() == said.strip()
    assert tags(fed(text, size)) == []


def test_a_tag_inside_half_a_tag_is_a_tag_again_where_words_follow() -> None:
    pieces = fed("[emotion:[gesture:wave] 欢迎光临海港科学馆" + "，请进" * 60, 5)
    assert tags(pieces) == [GestureTag("wave")]
    assert plain(pieces).startswith("欢迎光临")


def test_only_the_personas_own_vocabulary_is_heard() -> None:
    shy = Vocabulary(emotions=("shy",), gestures=("think",))
    pieces = fed("[emotion:happy][emotion:shy]好[gesture:wave][gesture:think]的", 4, shy)
    assert tags(pieces) == [EmotionTag("shy"), GestureTag("think")]
    assert plain(pieces) == "好的"


def test_intensity_is_never_more_than_one() -> None:
    assert tags(fed("[emotion:sad 7][emotion:sad 0]")) == [EmotionTag("sad", 1.0), EmotionTag("sad", 0.0)]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("## 票价\n**成人** 60 元[1]，`学生` 30 元【4:0†source】。", "票价\n成人 60 元，学生 30 元。"),
        ("Room #3 [see the map] is __open__ ~~now~~[^2].", "Room #3 [see the map] is open now."),
        ("- 成人票\n* 学生票\n+ 团体票\n• 年票", "成人票\n学生票\n团体票\n年票"),
        ("> Quoted\n\n---\n1. One\n2. Two", "Quoted\n1. One\n2. Two"),
        ('详见[官网](https://kjg.cn/a?b=c_d "票")，欢迎。', "详见官网，欢迎。"),
        ("See https://museum.org/x. Or www.museum.org, (https://a.b/c) please.", "See. Or, please."),
        ("![map](m.png) See ![图](x)", "map See !图"),
        ("| 票 | 价 |\n|---|:-:|\n| 成人 | 60 |\n| Student | 30 |\n", "票，价\n成人，60\nStudent, 30\n"),
        ("用法：\n```python\nprint('[gesture:wave]')\n```\n就这样。", "用法：\n就这样。"),
        ("3*4=12，-5℃，3~5天，a_b，1 < 2 > 0，5 * 6", "3*4=12，-5℃，3~5天，a_b，1 < 2 > 0，5 * 6"),
        ("-5 to 5, #1, *very* _good_\\!", "-5 to 5, #1, very good!"),
        ("换行<br>和<b>重点</b>", "换行和重点"),
    ],
)
def test_markdown_is_read_for_its_words(text: str, said: str, size: int) -> None:
    assert plain(fed(text, size)) == said


MARKS = st.lists(
    st.sampled_from(
        [
            *"[]【】()<>|*_`~#-\n 好a1!.",
            "emotion",
            "gesture",
            ":",
            "happy",
            "wave",
            "think",
            "https://",
            "](",
            "```",
            "</",
        ]
    ),
    max_size=40,
).map("".join)


@given(MARKS, st.integers(1, 9))
def test_however_the_text_is_cut_the_same_comes_out_and_no_tag_is_left(text: str, size: int) -> None:
    pieces = fed(text, size)
    for tag in tags(pieces):
        match tag:
            case EmotionTag(name):
                assert name in EMOTIONS
            case GestureTag(name):
                assert name in GESTURES
    assert plain(pieces) == plain(fed(text))
    assert tags(pieces) == tags(fed(text))


@given(MARKS)
def test_what_is_stripped_gives_no_tags_and_loses_none_of_its_other_words(text: str) -> None:
    assert tags(fed(stripped(text))) == []
    assert stripped("票价60元，见[1]。") == "票价60元，见[1]。"


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("周一[gesture:wave]闭馆。", "周一闭馆。"),
        ("Closed【emotion：angry 0.9】 on Monday.", "Closed on Monday."),
        ("[emo[gesture:wave]tion:happy]闭馆", "]闭馆"),
        ("[emo[gesture:1tion:happy闭馆", "emotion:happy闭馆"),
        ("闭馆</think>[emotion:happy", "闭馆"),
    ],
)
def test_quoted_words_carry_no_tags(text: str, bare: str) -> None:
    assert stripped(text) == bare


@pytest.mark.parametrize(
    "unit", ["[", "[emotion:", "【", "<", "<think>", "](", "[a", "`", "*", "https://", "|", "(", "\n"]
)
@pytest.mark.parametrize("size", [3, 1_000_000])
def test_endless_marks_do_not_take_endless_time(unit: str, size: int) -> None:
    """A quadratic reading of so many would take minutes."""
    count = 1_000_000 if unit == "[" else 100_000
    began = time.process_time()
    fed(unit * (count // len(unit)), size)
    assert time.process_time() - began < 10
