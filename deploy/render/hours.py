"""When people's mail sleeps: the hours of a snapshot at a moment. Pure, but for the time zones that Python knows.

In: `Hours`, a moment. Out: the moment of opening, or None while mail is open; for a host who sleeps, and when anything
changes next. Nothing is touched. Raises `Unwritable` for a zone, a step or hours that nobody can read.

A *night* is what lies between the end of one day's hours and the beginning of the next day's. Hours whose end does not
come after their beginning end on the day after: `22:00-06:00` is closed by day, `07:00-07:00` never. Where only nights
before a school day count, it is the day of the morning that is asked. Of several hours that are said of one person each
closes; when she wakes, all are open.

Clocks are those on the wall. A time comes with the first moment at which the clock shows it or a later one: one that is
left out when clocks are put forward at that very moment, one that comes twice the first time.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deploy.render.quoting import Unwritable, spoken
from deploy.snapshot import Hours, Snapshot

ALWAYS: Final = "always"
SPAN: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])\Z", re.ASCII)
WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY: Final = timedelta(days=1)
Night = tuple[datetime, datetime]


def sleeping(rows: Iterable[Hours], at: datetime) -> dict[str, str]:
    """The mailboxes that sleep at this moment, each with the hour of opening where its person lives, `07:00`."""
    by_box: dict[str, list[Hours]] = defaultdict(list)
    for row in rows:
        for mailbox in row.mailboxes:
            by_box[mailbox].append(replace(row, mailboxes=()))
    known = {said: opening(said, at) for said in {tuple(said) for said in by_box.values()}}
    found = ((mailbox, known[tuple(said)]) for mailbox, said in by_box.items())
    return {mailbox: hour for mailbox, hour in found if hour}


def opening(rows: tuple[Hours, ...], at: datetime) -> str:
    """The hour at which somebody of whom all this is said wakes; nothing while she is awake."""
    moment, hour = at.astimezone(UTC), ""
    while closed := next(((row, until) for row in rows if (until := asleep(row, moment))), None):
        moment, hour = closed[1], closed[1].astimezone(zone_of(closed[0])).strftime("%H:%M")
    return hour


def asleep(row: Hours, at: datetime) -> datetime | None:
    """When mail opens, in UTC; None while it is open."""
    begun = moment = at.astimezone(UTC)  # two moments of one zone would be compared by their clocks alone
    while until := night_until(row, moment):
        moment = until
    return moment if moment != begun else None


def night_until(row: Hours, at: datetime) -> datetime | None:
    """The end of the night, or of the step, in which a moment lies."""
    end, setting = step(row, at)
    here = (ends for begins, ends in nights(row, setting, at) if begins <= at < ends)
    ends = max(here, default=None)
    return min(ends, end) if ends and end else ends


def step(row: Hours, at: datetime) -> tuple[datetime | None, str]:
    """The hours that are in force, and their end."""
    try:
        steps = [(datetime.fromisoformat(end) if end else None, setting) for end, setting in row.steps]
        return next((end, setting) for end, setting in steps if not end or at < end)
    except (TypeError, ValueError, StopIteration):
        raise Unwritable(f"“{spoken(row.steps)}” does not say when mail is open.") from None


def nights(row: Hours, setting: str, at: datetime, *, all_days: bool = False) -> Iterator[Night]:
    """The nights around a moment that count; `all_days`: whether or not they do."""
    if setting == ALWAYS:
        return
    zone, (begins, ends) = zone_of(row), span(setting)
    today = at.astimezone(zone).date()
    for evening in (today + DAY * count for count in range(-2, 3)):
        morning = evening + DAY
        if all_days or not row.before_school or is_school_day(row, morning):
            bed = evening if ends > begins else morning
            yield moment(bed, ends, zone), moment(morning, begins, zone)


def is_school_day(row: Hours, day: date) -> bool:
    """Whether there is school on a day; where nobody said on which days of the week, on each."""
    free = any(first <= day.isoformat() <= last for first, last in row.holidays)
    return not free and (not row.school_days or WEEK[day.weekday()] in row.school_days)


def span(setting: str) -> tuple[time, time]:
    """When hours begin and end."""
    found = SPAN.match(setting) if isinstance(setting, str) else None
    if not found:
        raise Unwritable(f"“{spoken(setting)}” does not say when mail is open.")
    first, second, third, fourth = map(int, found.groups())
    return time(first, second), time(third, fourth)


def zone_of(row: Hours) -> ZoneInfo:
    """The time zone of hours."""
    try:
        return ZoneInfo(row.zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise Unwritable(f"“{spoken(row.zone)}” is no time zone.") from None


def moment(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The first moment at which the clock shows this time, or a later one."""
    wall = datetime.combine(day, hour)
    found = wall.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == wall:
        return found
    early = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return jump(early, found, zone)


def jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Between two moments, when the clock was put forward: to the second."""
    new = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == new:
            after = middle
        else:
            before = middle
    return after


def next_change(snapshot: Snapshot, at: datetime) -> datetime | None:
    """The next moment from which the files of a snapshot may differ, in UTC, if there is one."""
    at = at.astimezone(UTC)
    named = (datetime.fromisoformat(text) for text in moments(snapshot) if text)
    edges = (edge for row in {replace(row, mailboxes=()) for row in snapshot.hours} for edge in edges_of(row, at))
    return min((one.astimezone(UTC) for one in (*named, *edges) if one > at), default=None)


def moments(snapshot: Snapshot) -> set[str]:
    """Every moment that a snapshot names."""
    found = {alias.expires for alias in snapshot.aliases}
    bonds = [bond.strangers for sender in snapshot.senders for bond in sender.bonds]
    gates = [gate.strangers for screen in snapshot.screens for gate in screen.gates]
    found |= {end for steps in (*bonds, *gates) for end, _what in steps}
    found |= {end for row in snapshot.hours for end, _setting in row.steps}
    return found | {edge for row in snapshot.filters for pair in row.away for edge in pair}


def edges_of(row: Hours, at: datetime) -> Iterator[datetime]:
    """When nights around a moment begin and end, also those that do not count: nothing but a look is lost by it."""
    for night in nights(row, step(row, at)[1], at, all_days=True):
        yield from night
