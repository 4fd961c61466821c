from hypothesis import given
from hypothesis import strategies as st

from avatar.markup import EmotionTag, GestureTag, Markup, Piece
from avatar.motion import EMOTIONS, GESTURES


def fed(text: str, size: int) -> list[Piece]:
    markup = Markup()
    out = [piece for start in range(0, len(text), size) for piece in markup.feed(text[start : start + size])]
    return out + markup.flush()


def plain(pieces: list[Piece]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def tags(pieces: list[Piece]) -> list[Piece]:
    return [piece for piece in pieces if not isinstance(piece, str)]


def test_tags_leave_the_text_and_keep_their_order() -> None:
    for size in (1, 3, 100):
        pieces = fed("[emotion:happy]欢迎！[gesture: wave] Welcome.", size)
        assert plain(pieces) == "欢迎！ Welcome."
        assert tags(pieces) == [EmotionTag("happy"), GestureTag("wave")]


def test_a_name_outside_the_vocabulary_is_dropped_and_never_spoken() -> None:
    pieces = fed("[emotion:furious]好[gesture:format_disk]的", 1)
    assert plain(pieces) == "好的"
    assert tags(pieces) == []


def test_markdown_and_reference_marks_are_not_spoken() -> None:
    assert plain(fed("## 票价\n**成人** 60 元[1]，`学生` 30 元。", 2)) == "票价\n成人 60 元，学生 30 元。"
    assert plain(fed("Room #3 [see the map] is open.", 4)) == "Room #3 [see the map] is open."


def test_an_unfinished_tag_at_the_end_is_not_spoken() -> None:
    assert plain(fed("再见 [emotion:ha", 1)) == "再见 "


@given(st.text(alphabet="[]:emotionhappygesturewave 好1*#\n", max_size=60), st.integers(1, 8))
def test_only_known_cues_come_out_however_the_text_is_cut(text: str, size: int) -> None:
    pieces = fed(text, size)
    for tag in tags(pieces):
        match tag:
            case EmotionTag(name):
                assert name in EMOTIONS
            case GestureTag(name):
                assert name in GESTURES
    assert plain(pieces) == plain(fed(text, 1))
