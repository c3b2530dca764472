"""Whom to tell what, and when: any week of questions, answers and changed hours, also when clocks are changed."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings, strategies as st

from policies.notices import MOST_AT_ONCE, Asked, Daily, Letter, Told, due

ROME = ZoneInfo("Europe/Rome")
TICK = timedelta(minutes=20)
LENGTH = timedelta(days=5)
# A zone, and a day on which its clocks change; Apia left out a whole day.
CLOCKS = [
    ("Europe/Rome", date(2026, 3, 29)),
    ("Europe/Rome", date(2026, 10, 25)),
    ("America/New_York", date(2026, 11, 1)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("UTC", date(2026, 6, 1)),
]
minutes = st.integers(0, int(LENGTH / timedelta(minutes=1)))
questions = st.tuples(minutes, st.sampled_from(["in", "in", "out", "like"]), st.integers(1, 4), st.none() | minutes)
weeks = st.tuples(st.sampled_from(CLOCKS), st.lists(questions, max_size=14), st.integers(0, 23))
# Fourteen different contacts, so that nobody is known before.
strangers = st.lists(st.tuples(minutes, st.sampled_from(["in", "out", "like"])), max_size=14)


@dataclass
class Sent:
    """A letter and the moment it was sent."""

    at: datetime
    letter: Letter


def ask(number: int, arrived: datetime, kind: str = "in", contact: int = 0, daily: Daily | None = None) -> Asked:
    """A question about Emma's letters."""
    return Asked(
        number=number,
        letter=number,
        key="e" * 16,
        whose=("Emma",),
        direction="out" if kind == "out" else "in",
        address=f"c{contact or number}@outside.example",
        like="nonna@gmail.com" if kind == "like" else "",
        called="",
        arrived=arrived,
        daily=daily or Daily(18, ROME),
    )


def week(zone: tzinfo, day: date, asked: Iterable[Asked], hours: Iterable[tuple[datetime, int]]) -> list[Sent]:
    """What somebody is sent in a week: it is looked at every 20 minutes; a question is numbered as it comes."""
    start = datetime.combine(day, time(), UTC) - timedelta(days=2)
    every, sent = sorted(asked, key=lambda one: one.arrived), list[Sent]()
    numbered = [replace(one, number=number, letter=number) for number, one in enumerate(every, 1)]
    now = start
    while now < start + LENGTH + timedelta(days=3):
        hour = [hour for since, hour in hours if since <= now][-1]
        here = [
            replace(
                one, daily=Daily(hour, zone), answered=one.answered if one.answered and one.answered <= now else None
            )
            for one in numbered
            if one.arrived <= now
        ]
        told = [Told(one.at, one.letter.digest, one.letter.newest) for one in sent]
        if letter := due(now, zone, here, told):
            sent.append(Sent(now, letter))
        now += TICK
    return sent


def drawn(clock: tuple[str, date], rows: Iterable[tuple[int, str, int, int | None]]) -> list[Asked]:
    """Questions at their minutes, some answered later."""
    start = datetime.combine(clock[1], time(), UTC) - timedelta(days=2)
    found = []
    for minute, kind, contact, answered in rows:
        arrived = start + timedelta(minutes=minute)
        when = arrived + timedelta(minutes=answered) if answered is not None else None
        found.append(replace(ask(0, arrived, kind, contact), answered=when))
    return found


@settings(max_examples=40)
@given(weeks, st.lists(st.tuples(minutes, st.integers(0, 23)), max_size=4))
def test_never_too_many_never_twice_never_without_news(drawn_week, changes):
    clock, rows, hour = drawn_week
    zone, start = ZoneInfo(clock[0]), datetime.combine(clock[1], time(), UTC) - timedelta(days=2)
    hours = sorted([(start, hour), *((start + timedelta(minutes=at), to) for at, to in changes)])
    sent = week(zone, clock[1], drawn(clock, rows), hours)
    days = Counter((one.at.astimezone(zone).date(), one.letter.digest) for one in sent)
    assert all(count <= (1 if digest else MOST_AT_ONCE) for (_day, digest), count in days.items())
    told = [one.number for letter in sent for one in letter.letter.news]
    assert len(told) == len(set(told))
    for one in sent:
        assert one.letter.news
        assert all(asked.answered is None and asked.arrived <= one.at for asked in one.letter.news)
        assert one.letter.digest or all(asked.urgent for asked in one.letter.news)


@settings(max_examples=40)
@given(
    st.sampled_from(CLOCKS), strangers, st.integers(0, 23), st.lists(st.tuples(minutes, st.integers(0, 23)), max_size=4)
)
def test_whatever_the_clock_and_the_hour_everybody_is_told_of_by_the_next_day(clock, rows, hour, changes):
    zone, start = ZoneInfo(clock[0]), datetime.combine(clock[1], time(), UTC) - timedelta(days=2)
    hours = sorted([(start, hour), *((start + timedelta(minutes=at), to) for at, to in changes)])
    asked = [ask(0, start + timedelta(minutes=at), kind, number) for number, (at, kind) in enumerate(rows, 1)]
    sent = week(zone, clock[1], asked, hours)
    told = {one.address: letter.at for letter in sent for one in letter.letter.news}
    skipped = timedelta(days=1) if clock[0] == "Pacific/Apia" else timedelta()
    for one in asked:
        late = told[one.address].astimezone(zone).date() - one.arrived.astimezone(zone).date()
        assert late <= timedelta(days=1) + skipped, one


@settings(max_examples=40)
@given(st.sampled_from(CLOCKS[:-2]), strangers, st.integers(0, 23))
@example(CLOCKS[0], [(2 * 1440 - 100, "in")], 2)  # the hour that is left out
@example(CLOCKS[1], [(2 * 1440 - 100, "in"), (2 * 1440 + 30, "in")], 2)  # the hour that comes twice
def test_a_stranger_is_told_of_at_the_next_hour_and_no_other(clock, rows, hour):
    zone, start = ZoneInfo(clock[0]), datetime.combine(clock[1], time(), UTC) - timedelta(days=2)
    asked = [ask(0, start + timedelta(minutes=at), "in", number) for number, (at, _kind) in enumerate(rows, 1)]
    sent = week(zone, clock[1], asked, [(start, hour)])
    told = {one.address: letter.at for letter in sent for one in letter.letter.news}
    days = [clock[1] + timedelta(days=number) for number in range(-3, 10)]
    slots = [datetime.combine(day, time(hour), zone).astimezone(UTC) for day in days]
    assert all(timedelta(hours=22) < later - earlier < timedelta(hours=26) for earlier, later in pairwise(slots))
    for one in asked:
        slot = next(slot for slot in slots if slot >= one.arrived)
        assert slot <= told[one.address] < slot + TICK


@settings(max_examples=40)
@given(st.sampled_from(CLOCKS), strangers)
def test_an_ask_is_told_at_once_while_there_is_room(clock, rows):
    zone, start = ZoneInfo(clock[0]), datetime.combine(clock[1], time(), UTC) - timedelta(days=2)
    asked = [ask(0, start + timedelta(minutes=at), "out", number) for number, (at, _kind) in enumerate(rows, 1)]
    sent = week(zone, clock[1], asked, [(start, 18)])
    told = {one.address: letter for letter in sent for one in letter.letter.news}
    for one in asked:
        letter, day = told[one.address], one.arrived.astimezone(zone).date()
        at_once = [x for x in sent if not x.letter.digest and x.at.astimezone(zone).date() == day]
        assert letter.at - one.arrived < TICK or letter.letter.digest or len(at_once) >= MOST_AT_ONCE
        if letter.at - one.arrived >= TICK:
            assert len(at_once) == MOST_AT_ONCE


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hours: float) -> datetime:
    return NOON + hours * HOUR


def test_a_stranger_waits_for_the_hour_and_a_look_alike_does_not():
    asked = [ask(1, at(0)), ask(2, at(1), "like")]
    first = due(at(1), ROME, asked, [])
    assert first == Letter(digest=False, news=(asked[1],), known=0, newest=2)
    told = [Told(at(1), digest=False, newest=2)]
    assert due(at(4.9), ROME, asked, told) is None  # 17:54 in Rome
    assert due(at(5), ROME, asked, told) == Letter(digest=True, news=(asked[0],), known=1, newest=2)


def test_without_news_there_is_no_letter():
    asked = [ask(1, at(0)), ask(2, at(0), "out")]
    told = [Told(at(5), digest=True, newest=2)]
    assert all(due(at(hours), ROME, asked, told) is None for hours in range(5, 100))


def test_what_comes_after_the_hour_waits_for_the_next_day():
    asked = [ask(1, at(6))]
    assert all(due(at(hours), ROME, asked, []) is None for hours in range(6, 29))
    assert due(at(29), ROME, asked, [])


def test_who_writes_again_makes_no_news_until_he_was_answered():
    first, again = ask(1, at(0), "out", 7), ask(2, at(1), "out", 7)
    told = [Told(at(0), digest=False, newest=1)]
    assert due(at(1), ROME, [first, again], told) is None
    answered = replace(first, answered=at(2))
    assert due(at(3), ROME, [answered, again], told) is None  # whoever answered saw both
    later = ask(3, at(4), "out", 7)
    letter = due(at(4), ROME, [answered, again, later], told)
    assert letter
    assert letter.news == (later,)


def test_the_sixth_of_a_day_waits_for_the_digest_and_not_for_midnight():
    asked = [ask(number, at(number / 10), "out") for number in range(1, 7)]
    told = [Told(at(number / 10), digest=False, newest=number) for number in range(1, 5)]
    assert all(due(at(hours), ROME, asked, told) is None for hours in (1, 2, 4.9))
    letter = due(at(5), ROME, asked, told)
    assert letter
    assert (letter.digest, letter.news) == (True, tuple(asked[4:]))
    late = [replace(one, arrived=at(6 + number / 10)) for number, one in enumerate(asked)]  # after the digest
    told = [Told(at(-19), digest=True, newest=0), *(Told(one.when + 6 * HOUR, False, one.newest) for one in told)]
    assert all(due(at(hours), ROME, late, told) is None for hours in (7, 12, 20, 28.9))
    assert due(at(29), ROME, late, told)


def test_what_was_late_yesterday_counts_for_today():
    yesterday = ask(9, at(-14), "out")  # at eleven in Rome; then the mail host was down
    told = [Told(at(-12 + number), digest=False, newest=number) for number in range(1, 5)]
    assert due(at(0), ROME, [yesterday], told) is None
    assert due(at(0), ROME, [yesterday], told[1:])


def test_two_of_a_persons_communities_make_one_digest_a_day():
    morning = Daily(9, ROME)
    asked = [ask(1, at(0)), ask(2, at(0), daily=morning)]
    letter = due(at(20), ROME, asked, [Told(at(5), digest=True, newest=1)])
    assert letter
    assert letter.news == (asked[1],)  # at nine the next day
    more = [*asked, ask(3, at(21))]
    assert due(at(29), ROME, more, [Told(at(20), digest=True, newest=2)]) is None
    assert due(at(53), ROME, more, [Told(at(20), digest=True, newest=2)])


@pytest.mark.parametrize(("old", "new"), [(18, 20), (18, 23), (18, 9), (9, 18), (0, 23), (23, 0)])
def test_an_hour_that_is_changed_after_the_digest_brings_none_that_day(old: int, new: int):
    sent = datetime.combine(date(2026, 11, 23), time(old), ROME).astimezone(UTC)
    asked = [ask(1, sent - HOUR), ask(2, sent + timedelta(minutes=1), daily=Daily(new, ROME))]
    told = [Told(sent, digest=True, newest=1)]
    next_day = datetime.combine(date(2026, 11, 24), time(new), ROME).astimezone(UTC)
    moment = sent + timedelta(minutes=1)
    while moment < next_day:
        assert due(moment, ROME, asked, told) is None, moment
        moment += timedelta(minutes=30)
    assert due(next_day, ROME, asked, told)
