"""The clock and the calendar: in the presenter's time zone, over midnights and leap years, in both languages."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tools.calendar import Calendar
from agent.tools.clock import Clock
from agent.tools.dates import counted, in_week
from agent.tools.tool import Arguments, ToolError
from configs.language import LANGUAGES, Lang
from tests.agent.tools.specimens import context

ZONE = "Asia/Shanghai"
EVE = datetime(2027, 12, 31, 16, 5, tzinfo=UTC)
"""Five past midnight of New Year's Day in Shanghai."""


@pytest.mark.parametrize(
    ("lang", "zone", "said"),
    [
        ("zh", None, "现在是星期六凌晨0点5分。"),
        ("en", None, "It's 12:05 AM on Saturday."),
        ("zh", "Europe/London", "伦敦现在是星期五下午4点5分。"),
        ("en", "london", "In London it's 4:05 PM on Friday."),
        ("en", "America/Argentina/Buenos_Aires", "In Buenos Aires it's 1:05 PM on Friday."),
        ("zh", "东京", "东京现在是星期六凌晨1点5分。"),
    ],
)
async def test_the_clock_tells_the_time_of_its_zone(lang: Lang, zone: str | None, said: str) -> None:
    arguments = {"zone": zone} if zone else {}
    assert (await Clock(ZONE).call(arguments, context(lang, EVE))).text == said


@pytest.mark.parametrize("zone", ["Atlantis", "../../etc/passwd", "\0", "/etc/localtime", "America"])
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_place_that_is_not_known_is_refused(lang: Lang, zone: str) -> None:
    with pytest.raises(ToolError) as caught:
        await Clock(ZONE).call({"zone": zone}, context(lang))
    assert caught.value.code == "unknown_zone"


@pytest.mark.parametrize(
    ("arguments", "zh", "en"),
    [
        ({}, "今天是2028年1月1日，星期六。", "Today is Saturday, 1 January 2028."),
        ({"days": -1}, "昨天是2027年12月31日，星期五。", "Yesterday was Friday, 31 December 2027."),
        ({"days": 59}, "2028年2月29日是星期二。", "29 February 2028 is a Tuesday."),
        ({"day": "02-29"}, "2028年2月29日是星期二。", "29 February 2028 is a Tuesday."),
        ({"day": "2027-10-01"}, "2027年10月1日是星期五。", "1 October 2027 was a Friday."),
        ({"day": "2028-02-28", "days": 2}, "2028年3月1日是星期三。", "1 March 2028 is a Wednesday."),
        ({"week": 2, "weekday": 1}, "2028年1月10日是星期一。", "10 January 2028 is a Monday."),
        ({"until": "01-01"}, "今天就是2028年1月1日。", "Today is 1 January 2028."),
        ({"until": "01-02"}, "离2028年1月2日还有1天。", "It's 1 day until 2 January 2028."),
        ({"until": "12-31"}, "离2028年12月31日还有365天。", "It's 365 days until 31 December 2028."),
        ({"until": "2027-12-25"}, "2027年12月25日已经过去7天了。", "25 December 2027 was 7 days ago."),
    ],
)
async def test_the_calendar_counts(arguments: Arguments, zh: str, en: str) -> None:
    said = [(await Calendar(ZONE).call(arguments, context(lang, EVE))).text for lang in LANGUAGES]
    assert said == [zh, en]


@pytest.mark.parametrize("arguments", [{"day": "2027-02-30"}, {"until": "13-01"}, {"day": "9999-12-31", "days": 1}])
@pytest.mark.parametrize("lang", LANGUAGES)
async def test_a_date_that_is_none_is_refused(lang: Lang, arguments: Arguments) -> None:
    with pytest.raises(ToolError) as caught:
        await Calendar(ZONE).call(arguments, context(lang))
    assert caught.value.code == "no_such_day"


@given(st.dates(date(1600, 1, 1), date(2400, 1, 1)), st.integers(-500, 500), st.integers(1, 7))
def test_a_weekday_lies_in_its_week(today: date, week: int, weekday: int) -> None:
    found = in_week(today, week, weekday)
    assert found.isoweekday() == weekday
    monday = today - timedelta(days=today.isoweekday() - 1)
    assert (found - monday).days // 7 == week


@given(st.dates(date(1600, 1, 1), date(2400, 1, 1)), st.dates(date(2024, 1, 1), date(2024, 12, 31)))
def test_the_next_of_a_day_comes_within_eight_years(today: date, day: date) -> None:
    found = counted(f"{day:%m-%d}", today, ahead=True)
    assert found >= today and (found.month, found.day) == (day.month, day.day)
    assert (found - today).days <= (366 if (day.month, day.day) != (2, 29) else 8 * 366)
