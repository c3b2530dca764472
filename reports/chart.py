"""Letters counted by hour -> thirty days as sums and as bars of a drawing.

In: hours with their counts (UTC), today and a time zone. Out: `Day`s, and a `Chart` with coordinates that a template
writes as SVG. Nothing is touched, nothing is raised.

What came in stands above the line, filled; what went out hangs below it, hatched: no colour has to be told apart.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, Literal

DAYS: Final = 30
STEP: Final = 12  # units of the drawing for each day, so it is 360 wide
BAR: Final = 8
TALLEST: Final = 56
LEAST: Final = 2  # a single letter beside a busy day can still be seen
LINE: Final = 84  # where the line stands, from the top
LABEL: Final = 12  # the height of a label


@dataclass(frozen=True, slots=True)
class Day:
    """A day in the community's time zone."""

    date: date
    received: int
    sent: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the drawing, and what it stands for."""

    x: int
    y: int
    height: int
    letters: int
    width: int = BAR


@dataclass(frozen=True, slots=True)
class Label:
    """A number beside the tallest bar."""

    x: int
    y: int
    anchor: Literal["start", "middle", "end"]
    letters: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Thirty days. `busiest`: the day with most letters, None when there are none."""

    days: tuple[Day, ...]

    @property
    def received(self) -> int:
        """All that came in."""
        return sum(day.received for day in self.days)

    @property
    def sent(self) -> int:
        """All that went out."""
        return sum(day.sent for day in self.days)

    @property
    def busiest(self) -> Day | None:
        """The day with most letters; the later of two."""
        days = [day for day in self.days if day.received or day.sent]
        return max(days, key=lambda day: (day.received + day.sent, day.date)) if days else None

    @property
    def newest_first(self) -> tuple[Day, ...]:
        """The days as a table shows them."""
        return self.days[::-1]

    @property
    def received_bars(self) -> list[Bar]:
        """Above the line."""
        bars = [(column, day.received, self._height(day.received)) for column, day in enumerate(self.days)]
        return [Bar(left(column), LINE - 1 - height, height, letters) for column, letters, height in bars if letters]

    @property
    def sent_bars(self) -> list[Bar]:
        """Below the line."""
        bars = [(column, day.sent, self._height(day.sent)) for column, day in enumerate(self.days)]
        return [Bar(left(column), LINE + 1, height, letters) for column, letters, height in bars if letters]

    @property
    def labels(self) -> list[Label]:
        """The tallest bar on either side says its number."""
        return [
            *[label(bar, bar.y - 3) for bar in tallest(self.received_bars)],
            *[label(bar, bar.y + bar.height + LABEL - 1) for bar in tallest(self.sent_bars)],
        ]

    def _height(self, letters: int) -> int:
        most = max(max(day.received, day.sent) for day in self.days)
        return max(LEAST, round(letters * TALLEST / most)) if letters else 0


def chart(hours: Iterable[tuple[datetime, int, int]], today: date, zone: tzinfo) -> Chart:
    """The thirty days up to today. Hours that a time zone cuts in two belong to the day in which they begin."""
    received: Counter[date] = Counter()
    sent: Counter[date] = Counter()
    for hour, came, went in hours:
        day = hour.astimezone(zone).date()
        received[day] += came
        sent[day] += went
    dates = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    return Chart(tuple(Day(one, received[one], sent[one]) for one in dates))


def beginning(today: date, zone: tzinfo) -> datetime:
    """The moment at which the first of the thirty days begins."""
    return datetime.combine(today - timedelta(days=DAYS - 1), time(), tzinfo=zone)


def left(column: int) -> int:
    """Where the bar of a day begins."""
    return column * STEP + (STEP - BAR) // 2


def tallest(bars: list[Bar]) -> list[Bar]:
    """The one that says its number: the last of the tallest."""
    return [max(bars, key=lambda bar: (bar.letters, bar.x))] if bars else []


def label(bar: Bar, y: int) -> Label:
    """The number of a bar, kept inside the drawing."""
    middle, width = bar.x + bar.width // 2, DAYS * STEP
    if middle < 2 * STEP:
        return Label(0, y, "start", bar.letters)
    if middle > width - 2 * STEP:
        return Label(width, y, "end", bar.letters)
    return Label(middle, y, "middle", bar.letters)
