"""Text as it is read aloud, in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar.spoken import groups, spoken
from configs.language import LANGUAGES, Lang
from tests.taking import seconds

CHINESE = {
    "上午10:00-17:30开放": "上午十点到十七点三十分开放",
    "8:05:30，８：３０，2点": "八点零五分三十秒，八点三十分，两点",
    "票价60元，¥60.5，$3，￥1,200": "票价六十元，六十点五元，三美元，一千二百元",
    "60元/人": "六十元每人",
    "20%，10%-20%，５０％": "百分之二十，百分之十到百分之二十，百分之五十",
    "电话010-65551234": "电话零幺零，六五五五幺二三四",
    "手机13800138000，拨打119，400-123-4567": "手机幺三八零零幺三八零零零，拨打幺幺九，四零零，幺二三，四五六七",
    "3.5公里，3000m²，5 kg": "三点五公里，三千平方米，五公斤",
    "2026年7月15日，2026-07-15，2010-2020年": "二零二六年七月十五日，二零二六年七月十五日，二零一零到二零二零年",
    "2000年历史，1,200件，100500": "两千年历史，一千二百件，十万零五百",
    "12，112，1010，20000，3亿": "十二，一百一十二，一千零一十，两万，三亿",
    "3-5岁儿童，1~3层": "三到五岁儿童，一到三层",
    "第2展厅，2个小时，2位": "第二展厅，两个小时，两位",
    "-5℃，零下5度": "零下五摄氏度，零下五度",
    "B2层，5G，A380，GPT-4，Qwen2.5，USB 3.0": "B二层，五G，A三八零，GPT四，Qwen二点五，USB 三点零",
    "1/3的人，16:9，1.2.3版，302室": "三分之一的人，十六比九，一点二点三版，三零二室",
    "3×4=12，①": "三乘四等于十二，一",
}
ENGLISH = {
    "Open 10:00-17:30, 9:05 am, 5pm": "Open ten o'clock to five thirty P M, nine oh five A M, five P M",
    "$60, $2.50, €1, £3.5 million, ¥60": "sixty dollars, two dollars and fifty cents, one euro, "
    "three point five million pounds, sixty yuan",
    "20%, 10%-20%": "twenty percent, ten percent to twenty percent",
    "call 010-65551234, dial 911": "call zero one zero, six five five five one two three four, dial nine one one",
    "3.5 km, 1 kg, 5GB, 60 km/h, 2 m²": "three point five kilometers, one kilogram, five gigabytes, "
    "sixty kilometers per hour, two square meters",
    "July 15, 2026 and 2026-07-15": "July fifteenth, twenty twenty-six and July fifteenth, twenty twenty-six",
    "1,200 exhibits, ages 3-5": "one thousand two hundred exhibits, ages three to five",
    "1st 2nd 3rd 12th 20th 21st": "first second third twelfth twentieth twenty-first",
    "the 1990s, 2005, 1900, 1998": "the nineteen nineties, two thousand five, nineteen hundred, nineteen ninety-eight",
    "-5°C": "minus five degrees Celsius",
    "B2, 5G, A380, GPT-4": "B two, five G, A three eight zero, GPT four",
    "1/2, 3/4, 24/7, 2/3": "one half, three quarters, twenty-four seven, two thirds",
    "v1.2.3, 16:9, #5": "v one point two point three, sixteen to nine, number five",
    "1000000, 1005, 115": "one million, one thousand five, one hundred fifteen",
}


@pytest.mark.parametrize(("written", "said"), CHINESE.items())
def test_mandarin(written: str, said: str) -> None:
    assert spoken(written, "zh") == said


@pytest.mark.parametrize(("written", "said"), ENGLISH.items())
def test_english(written: str, said: str) -> None:
    assert spoken(written, "en") == said


NUMBERS = st.text(st.sampled_from("0123456789.,:/-–%¥$€ ~+年月日点元kmA年²½①９٣⁸()（）>#*\n[]IVX.pms后"), max_size=24)


@given(st.one_of(NUMBERS, st.text(max_size=40)), st.sampled_from(["zh", "en"]))
def test_no_digit_survives_and_nothing_written_is_lost(text: str, lang: Lang) -> None:
    found = list(groups(text, lang))
    assert "".join(group.written for group in found) == text
    assert not any(char.isdigit() for char in spoken(text, lang))


def test_text_without_numbers_stands_as_it_is() -> None:
    for lang, text in (("zh", "你好，欢迎来到科学馆！"), ("en", "Hello - welcome to the museum's well-known hall!")):
        assert spoken(text, "zh" if lang == "zh" else "en") == text


@pytest.mark.parametrize("unit", ["1 or ", "1，", "a.", "(", " ", "\n", "*", "Mon-", "1:20、", "$1-", "😀"])
def test_a_long_text_costs_no_more_than_its_length(unit: str) -> None:
    def both(length: int) -> None:
        for lang in LANGUAGES:
            spoken((unit * length)[:length], lang)

    assert seconds(lambda: both(8000)) < 20 * max(0.01, seconds(lambda: both(1000)))
