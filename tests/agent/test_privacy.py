"""Personal data: found where it is, checked by its check digits, and hidden the same way each time."""

import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.privacy import Masked, found, masked


def kinds(text: str) -> list[str]:
    return [one.kind for one in found(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("身份证11010519491231002X", ["identity"]), ("身份证 110105 1949 1231 002X", ["identity"])),
        *(("手机13812345678", ["phone"]), ("+86 138-1234-5678", ["phone"]), ("１３８１２３４５６７８", ["phone"])),
        *(("座机010-62345678", ["phone"]), ("(0755) 2345678", ["phone"]), ("call +1 (415) 555-2671", ["phone"])),
        *(
            ("415-555-2671 is mine", ["phone"]),
            ("卡号6222021001116245702", ["card"]),
            ("4111 1111 1111 1111", ["card"]),
        ),
        *(
            ("tom.li+x@mail.example.org", ["email"]),
            ("邮箱tom@example.cn。", ["email"]),
            ("护照E12345678", ["passport"]),
        ),
        *(("My passport number is 123456789", ["passport"]), ("车牌京A·12345", ["plate"]), ("粤BD12345", ["plate"])),
        *(("住在北京市海淀区中关村大街27号院3号楼502室", ["address"]), ("我家在阳光小区3栋2单元501", ["address"])),
        *(("I live at 221B Baker Street, London", ["address"]), ("12 Old Mill Rd, Springfield, IL 62704", ["address"])),
        *(("13812345678或tom@example.cn", ["phone", "email"]),),
    ],
)
def test_found(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("110105194912310021", "4111 1111 1111 1112", "票价60元，9:30到17:00", "2024年1月1日", "3.14159265358979"),
        *("订单202411241650", "12345", "The year 1999-2024", "room 101, floor 2", "@you"),
        *("1,381,234,567 people", "人口1400000000", "ISBN 9787302511625", "v1.2.3", "京津冀一体化", "5 Main courses"),
    ],
)
def test_figures_that_are_nobodys_are_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_the_same_data_gets_the_same_words() -> None:
    text = "打13812345678，不行就打13987654321，再不行打138 1234 5678。"
    assert masked(text, "zh") == "打（电话号码1），不行就打（电话号码2），再不行打（电话号码1）。"
    assert masked("Mail a@b.example or c@d.example") == "Mail (email address 1) or (email address 2)"


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_stands_around_it_nothing_of_it_is_left(before: str, after: str) -> None:
    text = f"{before} 11010519491231002X {after}"
    assert "11010519491231002X" not in masked(text)
    assert masked(masked(text)) == masked(text)


@pytest.mark.parametrize("failing", [False, True])
def test_logs_are_masked_tracebacks_too(failing: bool, caplog: pytest.LogCaptureFixture) -> None:
    log = logging.getLogger("tests.privacy")
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Lines()
    handler.addFilter(Masked())
    log.addHandler(handler)
    try:
        if failing:
            raise ValueError("no such user: 13812345678")
        log.warning("call %s, turn %d", "13812345678", 7)
    except ValueError:
        log.exception("failed for %s", "tom@example.cn")
    finally:
        log.removeHandler(handler)
    (line,) = lines
    assert "13812345678" not in line and "tom@example.cn" not in line
    assert "(phone number 1)" in line
    assert failing or "turn 7" in line


@pytest.mark.parametrize(
    "text", ["市" * 1999 + "1", "区路" * 999 + "12", "a@" * 1000, "1 Aa " * 400, "12 " * 660, "0" * 2000]
)
def test_no_text_is_made_to_be_slow(text: str) -> None:
    began = time.process_time()
    found(text)
    assert time.process_time() - began < 0.2
