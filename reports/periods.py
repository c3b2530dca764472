"""The days that a report is about, the same number of days before them, and where they begin in a time zone. Pure.

In: names of ranges, today, a time zone. Out: `Period`s, moments, steps. Nothing is touched; ValueError for a range that
has no name here, and for days that are no period.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Literal

MOST_DAYS: Final = 400
RANGES: Final = ("7d", "30d", "month", "last-month", "year")
USUAL: Final = "30d"
DAILY: Final = 45  # days that a chart still shows one by one
WEEKLY: Final = 200  # and that it shows as weeks
A_DAY: Final = timedelta(days=1)
AN_HOUR: Final = timedelta(hours=1)
Step = Literal["day", "week", "month"]
Spans = tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, slots=True)
class Period:
    """From a day to another, both of them in it."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MOST_DAYS:
            raise ValueError(f"{self.days} days are no period")

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """As many days, right before."""
        return Period(self.first - timedelta(days=self.days), self.first - A_DAY)

    @property
    def months(self) -> tuple[int, int]:
        """The months of the first and the last day, as 202611."""
        return month(self.first), month(self.last)

    def whole_months(self, today: date) -> "Period | None":
        """The days of it that are months from their first to their last day, which may be still to come."""
        first = self.first if self.first.day == 1 else next_month(self.first)
        after = next_month(self.last) if self.last >= today else (self.last + A_DAY).replace(day=1)
        return Period(first, after - A_DAY) if first < after else None

    @property
    def step(self) -> Step:
        """What one bar of a chart stands for."""
        return "day" if self.days <= DAILY else "week" if self.days <= WEEKLY else "month"

    def bounds(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """The moment at which it begins, and the one at which it is over."""
        midnight = time(tzinfo=zone)
        return datetime.combine(self.first, midnight), datetime.combine(self.last + A_DAY, midnight)

    def steps(self) -> Iterator[date]:
        """The first day of each bar."""
        day = self.first
        while day <= self.last:
            if day == self.first or day == begin(day, self.step):
                yield begin(day, self.step)
            day += A_DAY

    def bar(self, day: date) -> "Period":
        """Those of its days that the bar stands for that begins with a day."""
        days = {"day": 1, "week": 7, "month": 31}[self.step]
        after = begin(day + timedelta(days=days), self.step)
        return Period(max(day, self.first), min(after - A_DAY, self.last))


def spans(period: Period, zone: tzinfo, weekday: int | None = None, hour: int | None = None) -> Spans:
    """From where to where (the end left out) what was counted by hour belongs to these days; or of them to an hour.

    An hour (UTC) belongs to the day and hour in which it begins by the clock of the zone.
    """
    since, until = (whole_hour(moment) for moment in period.bounds(zone))
    if weekday is None or hour is None:
        return ((since, until),)
    hours = (since + AN_HOUR * n for n in range(int((until - since) / AN_HOUR)))
    local = ((at, at.astimezone(zone)) for at in hours)
    return tuple((at, at + AN_HOUR) for at, here in local if (here.weekday(), here.hour) == (weekday, hour))


def whole_hour(moment: datetime) -> datetime:
    """The first hour (UTC) that does not begin before a moment."""
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if hour == moment else hour + AN_HOUR


def month_spans(period: Period) -> Spans:
    """The months of these days, as what goes by month is counted (UTC)."""
    first, last = period.first.replace(day=1), period.last.replace(day=1)
    after = next_month(last)
    return ((datetime.combine(first, time(), UTC), datetime.combine(after, time(), UTC)),)


def preset(name: str, today: date) -> Period:
    """The days of a range by its name."""
    if name == "month":
        return Period(today.replace(day=1), today)
    if name == "last-month":
        last = today.replace(day=1) - A_DAY
        return Period(last.replace(day=1), last)
    days = {"7d": 7, "30d": 30, "year": 365}
    if name not in days:
        raise ValueError(f"no range is called {name}")
    return Period(today - timedelta(days=days[name] - 1), today)


def last_whole(step: Step, today: date) -> Period:
    """The last week (from a Monday) or month that is over, or yesterday."""
    last = begin(today, step) - A_DAY
    return Period(begin(last, step), last)


def over_next(step: Step, last: date) -> date:
    """The day on which the week or month after one that ends with `last` is over."""
    first = last + A_DAY
    return first + timedelta(days=7) if step == "week" else begin(first + timedelta(days=31), "month")


def begin(day: date, step: Step) -> date:
    """The first day of the week or month that a day is in, or itself."""
    if step == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if step == "week" else day


def month(day: date) -> int:
    """A month as it is stored: 202611."""
    return day.year * 100 + day.month


def next_month(day: date) -> date:
    """The first day of the month after the one that a day is in."""
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)


def change(now: int, before: int) -> int | None:
    """How many percent more (or less) than before; None where there was nothing."""
    return None if before == 0 else round((now - before) * 100 / before)
