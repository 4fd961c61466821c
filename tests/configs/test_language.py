"""Which of the two languages a text is in."""

import pytest

from configs.language import Lang, detect


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("打开 Settings 页面", "zh"),
        ("What does 你好 mean?", "en"),
        ("请看 https://www.kjg.cn/ticket/index.html?from=app&lang=en", "zh"),
        ("发到info.desk@science.org.cn吗", "zh"),
        ("What is on www.museum.org?", "en"),
        ("www.museum.org", "en"),
        ("", None),
        ("2026", None),
        ("ありがとう", None),
        ("привет", None),
    ],
)
def test_detected(text: str, lang: Lang | None) -> None:
    assert detect(text) == lang
