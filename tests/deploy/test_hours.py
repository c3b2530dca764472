"""When mail sleeps: against a clock that is looked at minute by minute, in zones that put it forward and back."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from deploy.render import Unwritable, next_change, render
from deploy.render.hours import ALWAYS, WEEK, asleep, opening, sleeping
from deploy.render.reading import read_map, read_passwd
from deploy.snapshot import Hours, Snapshot, SnapshotError
from tests.deploy.household import HOUSEHOLD

EMMA, MARCO = "emma@myfamily.net", "marco@myfamily.net"
FAMILY, ROME = "Fioretti family", "Europe/Rome"
STARTER = Hours(FAMILY, (EMMA,), ROME, (("", "07:00-20:00"),))
SCHOOL = WEEK[:5]
EXPLORER = Hours(FAMILY, (EMMA,), ROME, (("", "07:00-22:30"),), True, SCHOOL, (("2026-12-23", "2027-01-06"),))
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# The days on which clocks are put forward or back, and one on which they are not.
CHANGES = {
    ROME: [date(2026, 3, 29), date(2026, 10, 25)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],
    "Asia/Kolkata": [date(2026, 5, 5)],
    "Pacific/Apia": [date(2011, 12, 30)],  # a day that was left out
}
TIMES = st.one_of(st.times(), st.sampled_from([time(2), time(2, 15), time(2, 30), time(3), time(0), time(23, 59)]))
SPANS = st.builds(lambda begins, ends: f"{begins:%H:%M}-{ends:%H:%M}", TIMES, TIMES)


def local(text: str, zone: str = ROME) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def walls(zone: str, day: date) -> list[tuple[datetime, datetime]]:
    """Every minute of some days with what the clock on the wall shows."""
    begins = datetime.combine(day - 2 * DAY, time(), UTC)
    moments = [begins + MINUTE * count for count in range(6 * 24 * 60)]
    return [(one, one.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for one in moments]


def nights_seen(row: Hours, minutes: list[tuple[datetime, datetime]]) -> set[datetime]:
    """Each minute of the nights that count: from the first that shows an end of hours to the first of a beginning."""
    begins, ends = (time.fromisoformat(part) for part in row.steps[-1][1].split("-"))
    seen: set[datetime] = set()
    for count in range(-1, 8):
        day = minutes[0][1].date() + DAY * count  # also one that no clock ever showed
        morning = day + DAY
        bed, wake = datetime.combine(day if ends > begins else morning, ends), datetime.combine(morning, begins)
        if row.before_school and row.school_days and WEEK[morning.weekday()] not in row.school_days:
            continue
        shows = [(next((one for one, wall in minutes if wall >= edge), None)) for edge in (bed, wake)]
        first, last = shows[0] or datetime.max.replace(tzinfo=UTC), shows[1] or datetime.max.replace(tzinfo=UTC)
        seen |= {one for one, _wall in minutes if first <= one < last}
    return seen


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from([(zone, day) for zone, days in CHANGES.items() for day in days]),
    SPANS,
    st.booleans(),
    st.sets(st.sampled_from(WEEK), min_size=1),
)
def test_it_is_what_a_clock_on_the_wall_shows(
    where: tuple[str, date], hours: str, before_school: bool, school: set[str]
) -> None:
    zone, day = where
    row = Hours("c", (EMMA,), zone, (("", hours),), before_school, tuple(sorted(school)))
    minutes = walls(zone, day)
    seen = nights_seen(row, minutes)
    inner = [one for one, _wall in minutes[2 * 24 * 60 : 4 * 24 * 60]]  # the rest is there to see whole nights
    edges = [one for one in inner if (one in seen) != (one - MINUTE in seen)]
    looked = sorted({*inner[::13], *edges, *(one - MINUTE for one in edges)})
    found = {one for one in looked if asleep(row, one)}
    assert found == seen & set(looked)
    for one in looked[::40]:
        opens = asleep(row, one)
        if opens:
            assert opens > one
            assert not asleep(row, opens)
            assert all(asleep(row, later) for later in (one + (opens - one) / 2, opens - timedelta(seconds=1)))
        edge = next_change(Snapshot(1, "h", "primary", (), (), (), hours=(row,)), one)
        assert edge is not None
        assert len({later in found for later in looked if one <= later < edge}) == 1


@pytest.mark.parametrize(
    ("at", "hour"),
    [
        ("2026-11-24T06:59:59", "07:00"),
        ("2026-11-24T07:00", ""),
        ("2026-11-24T19:59:59", ""),
        ("2026-11-24T20:00", "07:00"),
        ("2026-03-29T01:59", "07:00"),  # the night in which clocks are put forward
        ("2026-10-25T02:30", "07:00"),  # and back
        ("2026-10-25T07:00", ""),
    ],
)
def test_a_starter_sleeps_from_eight_to_seven(at: str, hour: str) -> None:
    assert opening((STARTER,), local(at)) == hour


@pytest.mark.parametrize(
    ("at", "closed"),
    [
        ("2026-11-26T23:00", True),  # Thursday
        ("2026-11-27T06:59", True),
        ("2026-11-27T23:00", False),  # Friday
        ("2026-11-29T23:00", True),  # Sunday
        ("2026-11-30T03:00", True),
        ("2026-12-22T23:00", False),  # before the holidays
        ("2027-01-06T23:00", True),  # after their last day
        ("2027-01-06T03:00", False),
    ],
)
def test_an_explorer_sleeps_before_a_school_day(at: str, closed: bool) -> None:
    assert bool(asleep(EXPLORER, local(at))) is closed


def test_without_a_calendar_each_night_counts() -> None:
    assert asleep(replace(EXPLORER, school_days=(), holidays=()), local("2026-11-27T23:00"))


def test_hours_may_go_over_midnight_and_never_close() -> None:
    late = replace(STARTER, steps=(("", "10:00-01:00"),))
    hours = ("00:59", "01:00", "09:59", "10:00", "23:59")
    assert [opening((late,), local(f"2026-11-24T{hour}")) for hour in hours] == ["", "10:00", "10:00", "", ""]
    assert not asleep(replace(STARTER, steps=(("", "07:00-07:00"),)), local("2026-11-24T07:00"))
    assert not asleep(replace(STARTER, steps=(("", ALWAYS),)), local("2026-11-24T03:00"))


def test_a_time_that_is_left_out_or_comes_twice_is_the_first_that_the_clock_shows() -> None:
    early = replace(STARTER, steps=(("", "02:30-20:00"),))
    assert asleep(early, local("2026-03-29T01:00")) == local("2026-03-29T03:00")
    assert asleep(early, local("2026-10-25T01:00")) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert not asleep(early, datetime(2026, 10, 25, 1, 15, tzinfo=UTC))  # 02:15 once more


def test_an_exception_ends_in_the_night() -> None:
    row = replace(STARTER, steps=((local("2027-01-01T00:00").isoformat(), ALWAYS), ("", "07:00-20:00")))
    assert not asleep(row, local("2026-12-31T23:59"))
    assert opening((row,), local("2027-01-01T00:00")) == "07:00"
    other = replace(STARTER, steps=((local("2027-01-01T00:00").isoformat(), "07:00-20:00"), ("", ALWAYS)))
    assert asleep(other, local("2026-12-31T22:00")) == local("2027-01-01T00:00")
    assert next_change(Snapshot(1, "h", "primary", (), (), (), hours=(row,)), local("2026-12-31T23:00")) == local(
        "2027-01-01T00:00"
    )


def test_of_two_communities_each_closes() -> None:
    work = replace(STARTER, circle="Work", zone="America/New_York", steps=(("", "02:00-22:00"),))
    both = (STARTER, work)
    assert opening(both, local("2026-11-24T06:00")) == "02:00"  # 07:00 in Rome is 01:00 in New York
    assert opening(both, local("2026-11-24T09:00")) == ""
    assert sleeping([replace(one, mailboxes=(EMMA, MARCO)) for one in both], local("2026-11-24T06:00")) == {
        EMMA: "02:00", MARCO: "02:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        *(replace(STARTER, zone=zone) for zone in ("Nowhere/At_All", "../passwd", "")),
        *(replace(STARTER, steps=(("", span),)) for span in ("7-20", "07:00-20:00\n", "07:00-20:60", "never")),
        *(replace(STARTER, steps=steps) for steps in ((), (("soon", "always"),))),
    ],
)
def test_what_nobody_can_read_is_refused(wrong: Hours) -> None:
    with pytest.raises(Unwritable):
        asleep(wrong, local("2026-11-24T06:00"))


def test_who_sleeps_is_rendered_asleep_and_nobody_else() -> None:
    house = replace(HOUSEHOLD, hours=(STARTER,))
    night, day = (render(house, local(f"2026-07-03T{hour}"), "/srv/mail") for hour in ("22:00", "12:00"))
    assert day == render(HOUSEHOLD, local("2026-07-03T12:00"), "/srv/mail")
    fields = {login: extra for login, (_hash, _home, extra) in read_passwd(night["dovecot/passwd"].decode()).items()}
    assert fields[EMMA][-2:] == ("nologin=y", "reason=Asleep.Opens.at.07:00")
    assert not any("nologin=y" in extra for login, extra in fields.items() if login != EMMA)
    assert b"ASLEEP='yes'" in night["procmail/myfamily.net/emma.rc"]
    classes, sentences = (read_map(night[f"postfix/{name}"].decode()) for name in ("sasl_class", "sentences"))
    assert classes[EMMA].endswith("say_no")
    assert "until 07:00" in sentences[EMMA]
    open_to = read_map(night["rspamd/asleep"].decode())[EMMA].split(" ")
    assert open_to[0] == "07:00"
    assert {"anna@myfamily.net", "marco@myfamily.net", "anna+@old-domain.example"} <= set(open_to)
    assert "nonna.rosa@gmail.com" not in open_to
    assert night.keys() == day.keys() - {one for one in day if one.startswith("procmail/lists/")} | {
        one for one in night if one.startswith("procmail/lists/")
    }


def test_who_may_write_to_anybody_by_day_is_bound_at_night() -> None:
    house = replace(HOUSEHOLD, hours=(replace(STARTER, mailboxes=("sara@mybusiness.com",), circle="My Business"),))
    for hour, word in (("12:00", "permit"), ("22:00", "say_no")):
        rendered = render(house, local(f"2026-07-03T{hour}"), "/srv/mail")
        assert read_map(rendered["postfix/sasl_class"].decode())["sara@mybusiness.com"].endswith(word)


def test_the_next_change_is_of_whatever_comes_first() -> None:
    nothing = replace(HOUSEHOLD, aliases=(), senders=(), screens=(), filters=())
    assert next_change(nothing, local("2026-07-03T12:00")) is None
    assert next_change(HOUSEHOLD, local("2026-06-30T12:00")) == local("2026-07-01T00:00")
    assert next_change(replace(HOUSEHOLD, hours=(STARTER,)), local("2026-06-30T12:00")) == local("2026-06-30T20:00")
    assert next_change(HOUSEHOLD, local("2026-07-01T12:00")) == local("2026-07-03T00:00")  # back from a journey
    assert next_change(HOUSEHOLD, local("2026-07-03T12:00")) is None


def test_hours_come_back_from_json_and_older_text_has_none() -> None:
    house = replace(HOUSEHOLD, hours=(EXPLORER, STARTER))
    assert Snapshot.from_json(house.to_json()) == house
    older = json.loads(HOUSEHOLD.to_json())
    assert older.pop("hours") == []
    assert Snapshot.from_json(json.dumps(older)) == HOUSEHOLD
    with pytest.raises(SnapshotError):
        Snapshot.from_json(house.to_json().replace('"zone"', '"place"'))
