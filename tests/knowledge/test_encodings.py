"""Text files in every encoding that Chinese and English documents come in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents import DocumentError
from knowledge.encodings import decode

SIMPLIFIED = "海港科学馆周二至周日开放，9:30 开门，17:30 闭馆。\n成人票六十元，学生票三十元。\n"
TRADITIONAL = "海港科學館週二至週日開放，9:30 開門，17:30 閉館。\n成人票六十元，學生票三十元。\n"
ENGLISH = "The café — “Anchorage” — opens at 9:30.\nSet meals cost 38 yuan.\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16-le", "utf-16-be", "utf-16"])
@pytest.mark.parametrize("text", [SIMPLIFIED, TRADITIONAL])
def test_chinese_survives_its_encoding(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16-le", "utf-16-be", "utf-16"])
def test_english_survives_its_encoding(encoding: str) -> None:
    assert decode(ENGLISH.encode(encoding)).text == ENGLISH


def test_big5_is_not_taken_for_gb18030() -> None:
    decoded = decode(TRADITIONAL.encode("big5"))
    assert (decoded.text, decoded.encoding) == (TRADITIONAL, "big5")


@pytest.mark.parametrize("text", ["周一闭馆", "门票多少钱？", "停车免费", "请出示学生证。", "WC 在一楼"])
def test_a_few_words_of_gbk_are_enough(text: str) -> None:
    assert decode(text.encode("gbk")).text == text


@given(st.text(alphabet="海港科学馆开放时间门票价格学生免费停车场展厅机器人航天，。0123456789 ", min_size=8))
def test_ordinary_gb18030_is_always_right(text: str) -> None:
    assert decode(text.encode("gb18030")).text == text


@given(st.text().filter(lambda text: "\0" not in text and not text.startswith("\ufeff")))
def test_utf8_is_never_read_as_anything_else(text: str) -> None:
    assert decode(text.encode("utf-8", "ignore")).text == text.encode("utf-8", "ignore").decode()


def test_lines_in_different_encodings_are_each_read_in_their_own() -> None:
    first, second = "海港科学馆欢迎您。\n", "地下停车场有二百四十个车位。\n"
    decoded = decode(first.encode("utf-8") + second.encode("gb18030") + b"Welcome.\n")
    assert decoded.text == first + second + "Welcome.\n"
    assert any("mixes encodings" in warning for warning in decoded.warnings)


def test_a_damaged_byte_costs_only_itself() -> None:
    decoded = decode("成人票六十元。\n学生票".encode() + b"\xff" + "三十元。\n".encode())
    assert decoded.text == "成人票六十元。\n学生票\ufffd三十元。\n"
    assert decoded.warnings == ("1 characters could not be read and were replaced",)


def test_noise_is_refused() -> None:
    with pytest.raises(DocumentError) as caught:
        decode(bytes(range(128, 256)) * 40)
    assert caught.value.code == "encoding"
