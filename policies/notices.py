"""Whom to tell what, and when: decided here, sent elsewhere. Pure: rows and a moment in, a letter or none out.

At once: an outgoing ask, and a letter from somebody who looks like a listed one; at most four such letters a day. All
else, and what comes on a day that has had its four, is for the one digest a day, at the hour of the community whose
letter waits; so nobody gets more than five a day.
A day is that of the person's own time zone, and one digest belongs to it, the first that is due: an hour that is
changed, or a clock that is put forward or back, brings no second one and leaves none out. A digest that comes late,
since the mail host was down, is that of the day it comes on. Without news there is no letter.

A question is told once. So is a contact: who writes again while the first question is open, or before it is answered,
makes no news, since whoever answers sees all of his letters.

What was told is known by the numbers of questions alone, which grow: a digest told all up to its newest, a letter at
once told all the urgent ones up to its newest.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Final

MOST_AT_ONCE: Final = 4  # letters a day to one person, beside the digest
BACK: Final = (timedelta(), timedelta(days=1), timedelta(days=2))


@dataclass(frozen=True, slots=True)
class Daily:
    """The hour of a community's digest, in its time zone."""

    hour: int
    zone: tzinfo

    def latest(self, now: datetime) -> datetime:
        """When it was due last. An hour that the clock leaves out comes when it would have been; of two, the first."""
        today = now.astimezone(self.zone).date()
        hours = (datetime.combine(today - back, time(self.hour), self.zone).astimezone(UTC) for back in BACK)
        return max(hour for hour in hours if hour <= now)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that somebody may answer. `letter` and `number` of the rows, `key` of the mailbox, `whose` names.

    `answered`: when, for a question that is no longer open.
    """

    number: int
    letter: int
    key: str
    whose: tuple[str, ...]
    direction: str
    address: str
    like: str
    called: str
    arrived: datetime
    daily: Daily
    answered: datetime | None = None

    @property
    def urgent(self) -> bool:
        """Told at once."""
        return self.direction == "out" or bool(self.like)

    @property
    def contact(self) -> tuple[str, str, str]:
        """Who wants to write with whom."""
        return self.key, self.direction, self.address


@dataclass(frozen=True, slots=True)
class Told:
    """A letter that was sent: when, whether a digest, and the newest question that it told."""

    when: datetime
    digest: bool
    newest: int


@dataclass(frozen=True, slots=True)
class Letter:
    """What one person is told now. `known`: how many other letters wait that she was told of before."""

    digest: bool
    news: tuple[Asked, ...]
    known: int
    newest: int


def due(now: datetime, zone: tzinfo, asked: Sequence[Asked], told: Sequence[Told]) -> Letter | None:
    """The letter that a person gets now. `now` knows its zone; `asked` is in the order of numbers."""
    news = untold(asked, told)
    still = [one for one in asked if one.answered is None]
    known = len({one.letter for one in still} - {one.letter for one in news})
    newest = max((one.number for one in still), default=0)
    if digest_is_due(now, zone, news, told):
        return Letter(True, tuple(news), known, newest)
    urgent = [one for one in news if one.urgent]
    at_once = Counter(day(one.when, zone) for one in told if not one.digest)
    room = at_once[day(now, zone)] < MOST_AT_ONCE
    in_time = any(at_once[day(one.arrived, zone)] < MOST_AT_ONCE for one in urgent)
    return Letter(False, tuple(urgent), known, newest) if room and in_time else None


def untold(asked: Iterable[Asked], told: Sequence[Told]) -> list[Asked]:
    """The open questions that are news."""
    in_digest = max((one.newest for one in told if one.digest), default=0)
    at_once = max((one.newest for one in told), default=0)
    of_contact: dict[tuple[str, str, str], list[Asked]] = defaultdict(list)
    for one in asked:
        if one.number <= (at_once if one.urgent else in_digest):
            of_contact[one.contact].append(one)
    return [
        one
        for one in asked
        if one.answered is None
        and not any(known.answered is None or known.answered >= one.arrived for known in of_contact[one.contact])
    ]


def digest_is_due(now: datetime, zone: tzinfo, news: Iterable[Asked], told: Iterable[Told]) -> bool:
    """True when news waited at their hour, and the day of that hour has had no digest."""
    last = max((day(one.when, zone) for one in told if one.digest), default=None)
    hours = (one.daily.latest(now) for one in news if one.arrived <= one.daily.latest(now))
    return any(last is None or day(hour, zone) > last for hour in hours)


def day(moment: datetime, zone: tzinfo) -> int:
    """The day that a moment falls on, as a number."""
    return moment.astimezone(zone).toordinal()
