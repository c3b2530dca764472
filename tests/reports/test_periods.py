"""The days of a report, pure."""

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from reports.periods import (
    A_DAY,
    MOST_DAYS,
    RANGES,
    Period,
    Step,
    begin,
    change,
    last_whole,
    over_next,
    preset,
)

DAYS = st.dates(date(2000, 1, 1), date(2060, 1, 1))


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("7d", date(2026, 2, 24), date(2026, 3, 2)),
        ("30d", date(2026, 2, 1), date(2026, 3, 2)),
        ("month", date(2026, 3, 1), date(2026, 3, 2)),
        ("last-month", date(2026, 2, 1), date(2026, 2, 28)),
        ("year", date(2025, 3, 3), date(2026, 3, 2)),
    ],
)
def test_a_range_has_these_days(name: str, first: date, last: date) -> None:
    assert preset(name, date(2026, 3, 2)) == Period(first, last)


def test_what_is_no_range_is_refused() -> None:
    with pytest.raises(ValueError, match="no range is called x"):
        preset("x", date(2026, 3, 2))
    for first, last in ((date(2026, 1, 2), date(2026, 1, 1)), (date(2024, 1, 1), date(2026, 1, 1))):
        with pytest.raises(ValueError, match="are no period"):
            Period(first, last)


@given(DAYS, st.sampled_from(RANGES))
def test_before_are_as_many_days_right_before(today: date, name: str) -> None:
    period = preset(name, today)
    assert period.before.days == period.days
    assert period.before.last + timedelta(days=1) == period.first


@given(DAYS, st.integers(1, MOST_DAYS))
def test_each_day_has_its_bar(last: date, days: int) -> None:
    period = Period(last - timedelta(days=days - 1), last)
    bars = list(period.steps())
    assert bars == sorted(set(bars))
    assert {begin(period.first + timedelta(days=n), period.step) for n in range(days)} == set(bars)
    assert len(bars) <= 45


@pytest.mark.parametrize(("now", "before", "percent"), [(112, 100, 12), (50, 100, -50), (5, 0, None), (0, 5, -100)])
def test_a_change_is_in_percent(now: int, before: int, percent: int | None) -> None:
    assert change(now, before) == percent


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(["week", "month"]))
def test_weeks_and_months_follow_each_other_without_a_gap(today: date, every: Step) -> None:
    one = last_whole(every, today)
    assert one.last < today <= one.last + timedelta(days=31)
    assert one.first.weekday() == 0 if every == "week" else one.first.day == 1
    over = over_next(every, one.last)
    assert over > today - A_DAY
    following = last_whole(every, over)
    assert following.first == one.last + A_DAY
    assert last_whole(every, over - A_DAY) == one
