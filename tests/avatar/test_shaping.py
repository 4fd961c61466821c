"""What is only for the eye is not spoken, whichever voice speaks; what is written stays for the captions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.spoken import groups, shaped
from configs.language import Lang


@pytest.mark.parametrize(
    ("lang", "written", "said"),
    [
        ("zh", "## 开放时间\n- **平日**：9:00\n- 周末：10:00", "开放时间，平日：9:00，周末：10:00"),
        ("zh", "展厅（二层）在左边，出口（A）。", "展厅，二层，在左边，出口，A。"),
        ("zh", "欢迎😊！请看🏛️展厅👨‍👩‍👧。", "欢迎！请看展厅。"),
        ("zh", "详见 https://www.kjg.cn/a/b.html?x=1#y 的说明", "详见 kjg点cn 的说明"),
        ("zh", "请稍等……马上就好", "请稍等…马上就好"),
        ("zh", "北京→上海，价格是3*4", "北京到上海，价格是3×4"),
        ("en", "# Hours\n\n* `Weekdays`: 9:00\n* Weekends", "Hours, Weekdays: 9:00, Weekends"),
        ("en", "The hall (2nd floor) is open (free).", "The hall, 2nd floor, is open, free."),
        ("en", "Bring your ticket(s) ✅ now!", "Bring your tickets now!"),
        ("en", "Go to http://museum.org:8080/visit?x=1.", "Go to museum dot org."),
        ("en", "| Adult | 60 |", "Adult, 60"),
        ("en", "well-known e-mail and/or snake_case a_b", "well-known e-mail and/or snake_case a_b"),
    ],
)
def test_shaped(lang: Lang, written: str, said: str) -> None:
    assert shaped(written, lang) == said
    assert "".join(group.written for group in groups(written, lang)) == written


@given(st.text(st.sampled_from("你好ab.,:/@-_*#[]()（）|\n 😊→1。…~`>"), max_size=60), st.sampled_from(["zh", "en"]))
def test_shaping_loses_no_word_and_nothing_written(text: str, lang: Lang) -> None:
    assert "".join(group.written for group in groups(text, lang)) == text
    assert [char for char in shaped(text, lang) if char in "你好"] == [char for char in text if char in "你好"]
    assert not set(shaped(text, lang)) & set("😊`|\n")
