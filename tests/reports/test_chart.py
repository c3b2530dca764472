"""Thirty days as sums and bars."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from reports.chart import Chart, Day, beginning, chart

TODAY = date(2026, 11, 22)
ROME = ZoneInfo("Europe/Rome")


def test_days_are_those_of_the_community() -> None:
    late = datetime(2026, 11, 20, 23, tzinfo=UTC)  # the 21st in Rome
    found = chart([(late, 3, 1), (late - timedelta(hours=1), 4, 0)], TODAY, ROME)
    assert found.days[-2] == Day(date(2026, 11, 21), 3, 1)
    assert found.days[-3] == Day(date(2026, 11, 20), 4, 0)
    assert (found.received, found.sent) == (7, 1)


def test_the_first_day_begins_at_its_midnight() -> None:
    assert beginning(TODAY, ROME) == datetime(2026, 10, 23, 22, tzinfo=UTC)  # summer time then
    assert chart([], TODAY, ROME).days[0].date == date(2026, 10, 24)


def test_hours_of_other_days_are_not_in_it() -> None:
    hours = [(datetime(2026, 10, 23, 12, tzinfo=UTC), 5, 5)]
    found = chart(hours, TODAY, ROME)
    assert (found.received, found.sent, found.busiest) == (0, 0, None)
    assert not found.received_bars + found.sent_bars
    assert not found.labels


def test_the_busiest_day_is_the_later_of_two() -> None:
    hours = [(datetime(2026, 11, day, 12, tzinfo=UTC), 5, 0) for day in (10, 12)]
    assert chart(hours, TODAY, ROME).busiest == Day(date(2026, 11, 12), 5, 0)


def test_one_letter_beside_a_busy_day_is_seen() -> None:
    hours = [(datetime(2026, 11, 10, 12, tzinfo=UTC), 9999, 0), (datetime(2026, 11, 12, 12, tzinfo=UTC), 0, 1)]
    found = chart(hours, TODAY, ROME)
    assert [bar.height for bar in found.received_bars + found.sent_bars] == [56, 2]
    assert [label.letters for label in found.labels] == [9999, 1]


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=30, max_size=30))
def test_everything_stays_inside_the_drawing(numbers: list[tuple[int, int]]) -> None:
    days = tuple(Day(TODAY - timedelta(days=29 - n), *pair) for n, pair in enumerate(numbers))
    drawing = Chart(days)
    for bar in drawing.received_bars:
        assert (0 <= bar.x <= 352, bar.y >= 27, bar.y + bar.height) == (True, True, 83)
    for bar in drawing.sent_bars:
        assert (0 <= bar.x <= 352, bar.y, bar.y + bar.height <= 141) == (True, 85, True)
    assert all(0 <= label.x <= 360 and 12 < label.y < 160 for label in drawing.labels)
