"""A business of fifty people over a year, the same each time: what was counted of them by hour, day and month."""

import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from accounts.models import Community, User
from accounts.wishes import wishes
from domains.models import Mailbox
from reports.fields import NO_WEEK
from reports.hours import day_number, hour_of_week
from reports.models import DailyTally, DomainTally, HourlyTally, MonthlyTally, Tally, Word
from reports.periods import month
from tests.reports.conftest import community, mailbox, person

PEOPLE: Final = 50
DAYS: Final = 365
SEED: Final = 20_261_126
PARTNERS: Final = 120


def a_year(until: datetime, people: int = PEOPLE, days: int = DAYS) -> Community:
    """The business, its owner `chief@busy.example`, its people `p01@busy.example` and so on, and their figures."""
    with wishes("test", "test"):
        business = community("Busy & Sons", "business", "busy.example")
        boxes = [own(f"p{number:02}@busy.example", business) for number in range(1, people)]
        boxes.append(own("chief@busy.example", business, "owner"))
    figures([box.key for box in boxes], until, days, ZoneInfo(business.timezone))
    return business


def figures(keys: list[str], until: datetime, days: int, zone: tzinfo) -> None:
    """What was counted of these mailboxes in so many days until today."""
    chance = random.Random(SEED)
    begin = until.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    dates = [begin + timedelta(days=day) for day in range(days)]
    found = [hour(chance, at, key) for day in dates for key in keys for at in hours(chance, day)]
    HourlyTally.objects.bulk_create(found, batch_size=500)
    DailyTally.objects.bulk_create(days_of(found, zone), batch_size=500)
    MonthlyTally.objects.bulk_create(months_of(found, zone), batch_size=500)
    names = [f"partner-{number:03}.example" for number in range(PARTNERS)]
    Word.objects.bulk_create((Word(text=name, seen=until) for name in names), ignore_conflicts=True)
    words = list(Word.objects.filter(text__in=names).order_by("text"))
    months = sorted({day.year * 100 + day.month for day in dates})
    DomainTally.objects.bulk_create(
        (
            DomainTally(
                month=month, mailbox=key, domain=word, received=chance.randint(0, 30), sent=chance.randint(0, 9)
            )
            for month in months
            for key in keys
            for word in chance.sample(words, 8)
        ),
        batch_size=500,
    )


def days_of(rows: Iterable[HourlyTally], zone: tzinfo) -> list[DailyTally]:
    """The same by day."""
    found: dict[tuple[str, int], DailyTally] = {}
    for row in rows:
        name = row.mailbox, day_number(row.hour.astimezone(zone))
        grow(found.setdefault(name, DailyTally(mailbox=name[0], day=name[1])), row)
    return list(found.values())


def months_of(rows: Iterable[HourlyTally], zone: tzinfo) -> list[MonthlyTally]:
    """The same by month, with its days and its week."""
    found: dict[tuple[str, int], MonthlyTally] = {}
    weeks: dict[tuple[str, int], list[int]] = defaultdict(lambda: [*NO_WEEK])
    for row in rows:
        local = row.hour.astimezone(zone)
        name = row.mailbox, month(local)
        one = found.setdefault(name, MonthlyTally(mailbox=name[0], month=name[1], sending=0, week=()))
        grow(one, row)
        if row.sent:
            one.sending |= 1 << local.day - 1
            weeks[name][hour_of_week(local)] += row.sent
    for name, week in weeks.items():
        found[name].week = week
    return list(found.values())


def grow(tally: Tally, row: Tally) -> None:
    """Add what was counted."""
    for column in Tally.columns():
        setattr(tally, column, getattr(tally, column) + getattr(row, column))


def own(address: str, business: Community, role: str = "member") -> Mailbox:
    """A person's mailbox."""
    one: User = person(address, **{role: business})
    return mailbox(address, one)


def hours(chance: random.Random, day: datetime) -> list[datetime]:
    """The hours of a day in which something was counted: most of a working day, few on others."""
    working = day.weekday() < 5
    found = chance.sample(range(7, 19), 9) if working else chance.sample(range(24), 2)
    return [day + timedelta(hours=hour) for hour in sorted(found)]


def hour(chance: random.Random, at: datetime, key: str) -> HourlyTally:
    """What was counted of a mailbox in an hour."""
    received, sent = chance.randint(0, 9), chance.randint(0, 4)
    return HourlyTally(
        host="primary", hour=at, mailbox=key, received=received, sent=sent, received_bytes=received * 40_000,
        sent_bytes=sent * 90_000, home=received // 3, abroad=sent // 2, away=sent // 2, quick=received,
        deferred=chance.random() < 0.02, bounced=chance.random() < 0.02, held=chance.random() < 0.01,
        asked=chance.random() < 0.01, failed=chance.random() < 0.01, slow=chance.random() < 0.02,
    )  # fmt: skip
