"""Whole months of a long report are summed up, the days around them are read by the day and by the hour."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from accounts.wishes import wishes
from reports.figures import by_day, by_mailbox, by_weekday, in_all
from reports.hours import add_by_key
from reports.models import HourlyTally
from reports.periods import Period
from reports.tally import Count
from tests.reports.conftest import community, mailbox, person

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 26)


@pytest.mark.parametrize("name", ["Europe/Rome", "Australia/Lord_Howe", "America/New_York"])
def test_they_are_the_sums_of_the_hours(name: str) -> None:
    chance, zone = random.Random(7), ZoneInfo(name)
    with wishes("test", "test"):
        house = community("House", "business", "house.example", name)
        key, other = (mailbox(who, person(who, member=house)).key for who in ("ada@house.example", "bo@house.example"))
    begin = datetime(2025, 10, 1, tzinfo=UTC)
    hours = [begin + timedelta(hours=hour) for hour in chance.sample(range(24 * 421), 2000)]  # none after today
    for some in (hours[:1500], hours[1000:]):  # what comes later adds to what is there
        add_by_key("primary", {(who, hour, "sent"): Count(n, 0) for n, who in ((3, key), (5, other)) for hour in some})
    for last, days in product((TODAY, TODAY - timedelta(days=9)), (1, 26, 27, 40, 100, 365, 400)):
        period = Period(last - timedelta(days=days - 1), last)
        expected: Counter[tuple[int, int]] = Counter()
        active: set[date] = set()
        for row in HourlyTally.objects.of_mailboxes([key]):
            local = row.hour.astimezone(zone)
            if period.first <= local.date() <= period.last:
                expected[local.weekday(), local.hour] += row.sent
                active.add(local.date())
        assert by_weekday({key}, period, zone, TODAY) == expected
        assert sum(sums["sent"] for sums in by_day({key}, period, TODAY).values()) == expected.total()
        assert in_all({key}, period, TODAY)["sent"] == expected.total()
        boxes = by_mailbox({key}, period, TODAY)
        assert (boxes[key]["sent"], boxes[key]["days"]) == (expected.total(), len(active)) if active else not boxes


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2026-10-01", "2026-10-31", ("2026-10-01", "2026-10-31")),
        ("2025-10-02", "2025-11-29", None),
        ("2025-12-31", "2026-03-01", ("2026-01-01", "2026-02-28")),
        ("2024-02-01", "2024-02-29", ("2024-02-01", "2024-02-29")),
        ("2026-11-01", "2026-11-25", None),
        ("2026-11-01", "2026-11-26", ("2026-11-01", "2026-11-30")),
        ("2026-11-02", "2026-11-26", None),
        ("2025-11-27", "2026-11-26", ("2025-12-01", "2026-11-30")),
    ],
)
def test_months_that_are_whole(first: str, last: str, months: tuple[str, str] | None) -> None:
    found = Period(date.fromisoformat(first), date.fromisoformat(last)).whole_months(TODAY)
    assert (found and (str(found.first), str(found.last))) == months
