"""The host's own clock: what ends, ends at its moment, by the live release alone, and never twice at once."""

import json
import logging
import os
import random
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.host import clock, files, journal, release
from deploy.host.apply import apply
from deploy.host.clock import Seen
from deploy.host.commands import run
from deploy.host.journal import Switch
from deploy.render import next_change, render
from deploy.services import doctor
from deploy.snapshot import Bond, Filter, Sender, Snapshot
from tests.deploy.household import HOUSEHOLD
from tests.deploy.standin import Standin

pytestmark = pytest.mark.daemons
CHECKOUT = Path(__file__).parents[2]
ENDS = datetime(2026, 6, 30, 22, 0, tzinfo=UTC)  # oldfriends@myfamily.net
BEFORE, AFTER = ENDS - timedelta(hours=1), ENDS + timedelta(seconds=1)
ALIAS = "oldfriends@myfamily.net"
STANDS = "It stands still: start script/server. Until then nothing changes by itself, such as bedtime."


def go(doors: Standin, snapshot: Snapshot = HOUSEHOLD, at: datetime = BEFORE) -> None:
    """Apply what a snapshot renders to, as a worker does."""
    layout = doors.layout
    apply(layout, snapshot, render(snapshot, at, str(layout.mail)), at=at, log=lambda _line: None)


def live(doors: Standin) -> release.Release:
    """The live release."""
    found = release.live(doors.layout)
    assert found
    return found


def leads(doors: Standin, alias: str = ALIAS) -> bool:
    """Whether an alias leads anywhere in the live release."""
    return f"\n{alias} " in (live(doors).path / "postfix" / "aliases").read_text()


def test_an_alias_ends_at_its_moment_and_the_generation_stays(doors: Standin) -> None:
    go(doors)
    before = live(doors)
    assert leads(doors)
    seen = clock.step(doors.layout, None, BEFORE)
    assert (live(doors).number, seen.due) == (before.number, BEFORE + clock.LONGEST)
    seen = clock.step(doors.layout, seen, AFTER)
    assert not leads(doors)
    now = live(doors)
    assert (now.number, now.manifest.generation) == (before.number + 1, before.manifest.generation)
    assert now.manifest.snapshot == before.manifest.snapshot
    assert now.snapshot == HOUSEHOLD
    assert release.verify(now.path) == []


def test_between_two_changes_a_round_reads_a_link_and_nothing_else(
    doors: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(doors)
    seen = clock.step(doors.layout, None, BEFORE)
    monkeypatch.setattr(clock, "look", lambda *_: pytest.fail("it looked"))
    for second in range(1, 600):
        assert clock.step(doors.layout, seen, BEFORE + timedelta(seconds=second)) is seen


def test_what_waits_is_looked_at_after_each_look_and_every_minute(
    doors: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(doors)
    woken: list[datetime] = []
    monkeypatch.setattr(clock, "wake", lambda _layout, at: woken.append(at))
    seen = None
    for second in range(150):
        seen = clock.go_round(doors.layout, seen, BEFORE + timedelta(seconds=second))
    seen = clock.go_round(doors.layout, seen, AFTER)
    clock.go_round(doors.layout, seen, BEFORE)  # set back
    assert woken == [*(BEFORE + timedelta(seconds=second) for second in (0, 60, 120)), AFTER, BEFORE]


def test_what_a_worker_makes_live_is_looked_at(doors: Standin) -> None:
    go(doors)
    seen = clock.step(doors.layout, None, AFTER)
    assert not leads(doors)
    go(doors, replace(HOUSEHOLD, generation=8, domains=HOUSEHOLD.domains[:-1]), BEFORE)  # a worker that was held up
    assert leads(doors)
    clock.step(doors.layout, seen, AFTER + timedelta(seconds=1))
    assert not leads(doors)
    assert live(doors).manifest.generation == 8


def test_a_clock_that_is_set_back_or_forward_or_slept_is_right_at_once(doors: Standin) -> None:
    go(doors)
    seen = clock.step(doors.layout, None, AFTER + timedelta(days=900))
    assert not leads(doors)
    seen = clock.step(doors.layout, seen, BEFORE)
    assert leads(doors)
    seen = clock.step(doors.layout, seen, BEFORE + timedelta(days=2))
    assert not leads(doors)
    numbers = [one.number for one in release.releases(doors.layout)]
    assert numbers == sorted(set(numbers)) == list(range(4))


def test_a_daemon_that_is_down_is_named_and_the_clock_tries_again(
    doors: Standin, caplog: pytest.LogCaptureFixture
) -> None:
    go(doors)
    down = replace(doors.layout, auth=doors.layout.auth.with_name("gone.sock"))
    seen = None
    for second in range(4):
        seen = clock.step(down, seen, AFTER + timedelta(seconds=second))
    assert seen
    clock.beat(down, seen)
    assert "Dovecot is not there yet" in seen.error
    assert (down.root / clock.NAME).read_text() == seen.error + "\n"
    assert [one.message for one in caplog.records if one.levelno == logging.ERROR] == [seen.error]
    assert [one.number for one in release.releases(down)] == [0]  # nothing was given up
    assert seen.failed == 2
    seen = clock.step(doors.layout, seen, AFTER + timedelta(minutes=2))
    clock.beat(doors.layout, seen)
    assert not leads(doors)
    assert (down.root / clock.NAME).read_text() == ""


def test_a_release_that_cannot_be_read_is_named_and_left_alone(doors: Standin) -> None:
    go(doors)
    path = live(doors).path / "MANIFEST.json"
    whole = path.read_text()
    for text, why in ((whole.replace('"format": 1', '"format": 2'), "of format 2"), ("{", "MANIFEST.json")):
        path.write_text(text)
        seen = clock.step(doors.layout, None, AFTER)
        assert why in seen.error
        assert seen.error.endswith(".")
        assert leads(doors)
    path.write_text(whole)
    snapshot = json.loads((live(doors).path / "snapshot.json").read_text())
    (live(doors).path / "snapshot.json").write_text(json.dumps({**snapshot, "format": 99}))
    seen = clock.step(doors.layout, None, AFTER)
    assert "snapshot.json cannot be read" in seen.error
    assert leads(doors)


def test_before_the_first_release_there_is_nothing_to_do(doors: Standin) -> None:
    seen = clock.step(doors.layout, None, BEFORE)
    assert (seen.target, seen.error) == ("", "")


def test_it_waits_for_who_writes_and_then_takes_the_newest_wishes(doors: Standin) -> None:
    go(doors)
    newest = replace(HOUSEHOLD, generation=8, aliases=HOUSEHOLD.aliases[1:])
    found: list[Seen] = []
    ticking = threading.Thread(target=lambda: found.append(clock.step(doors.layout, None, AFTER)))

    def start(_request: str) -> None:  # while the worker holds the lock
        if not ticking.is_alive() and not found:
            ticking.start()

    doors.on_ask = start
    go(doors, replace(newest, domains=newest.domains[:-1]))
    ticking.join(60)
    assert found
    assert not found[0].error
    assert live(doors).manifest.generation == 8
    assert not leads(doors)


def test_what_a_killed_worker_left_is_finished(doors: Standin) -> None:
    go(doors)
    go(doors, replace(HOUSEHOLD, generation=8, aliases=()))
    journal.announce(doors.layout, Switch(0, 1))  # as if it had died before it told the daemons
    doors.asked.clear()
    down = replace(doors.layout, auth=doors.layout.auth.with_name("gone.sock"))
    assert "Dovecot is not there yet" in clock.step(down, None, BEFORE).error  # the whole machine was off
    assert not any(one.failed for one in release.releases(doors.layout))
    clock.step(doors.layout, None, BEFORE)
    assert journal.announced(doors.layout) is None
    assert live(doors).manifest.generation == 8


def test_another_version_of_the_program_keeps_the_name_of_the_wishes(doors: Standin) -> None:
    go(doors)
    path = live(doors).path / "MANIFEST.json"
    path.write_text(path.read_text().replace(live(doors).manifest.snapshot, "5" * 64))
    clock.step(doors.layout, None, AFTER)
    assert not leads(doors)
    assert live(doors).manifest.snapshot == "5" * 64
    number = live(doors).number
    go(doors, HOUSEHOLD, AFTER)
    assert live(doors).number == number  # the worker has nothing to add


def test_a_tick_killed_at_ten_moments_leaves_a_whole_release_and_is_made_up_for(doors: Standin) -> None:
    host = doors.layout.etc / "host.json"
    host.write_text(doors.layout.to_json())
    words = [sys.executable, "-m", "tests.deploy.killed_tick", str(host), AFTER.isoformat()]
    go(doors)
    count = int(run([*words, "-1"], timeout=60, cwd=CHECKOUT).out)
    killed = 0
    for moment in sorted(random.sample(range(1, count + 1), 10)):
        clock.look(doors.layout, BEFORE)
        assert leads(doors)
        killed += run([*words, str(moment)], timeout=60, cwd=CHECKOUT, expect=(0, -9)).code == -9
        assert release.verify(live(doors).path) == []
        assert live(doors).snapshot == HOUSEHOLD
        clock.look(doors.layout, AFTER)
        assert not leads(doors)
        assert journal.announced(doors.layout) is None
        assert not list(doors.layout.root.glob("*/.*")) + list(doors.layout.root.glob(".mould/*/*"))
    assert killed > 5


def with_every_moment() -> Snapshot:
    """The household with an override that ends and a journey."""
    sara, anna = "sara@mybusiness.com", "anna@myfamily.net"
    bonds = (Bond("My Business", (("2026-07-03T22:00:00+00:00", "anyone"), ("", "refuse"))),)
    away = Filter(anna, (), (("2026-07-05T22:00:00+00:00", "2026-07-08T22:00:00+00:00"),))
    senders = (*(one for one in HOUSEHOLD.senders if sara not in one.logins), Sender((sara,), bonds))
    filters = (*(one for one in HOUSEHOLD.filters if one.mailbox != anna), away)
    return replace(HOUSEHOLD, senders=tuple(sorted(senders)), filters=tuple(sorted(filters)), hours=())


def test_the_next_change_is_the_next_moment_at_which_a_file_differs() -> None:
    snapshot, at = with_every_moment(), BEFORE
    changes = []
    while then := next_change(snapshot, at):
        last, first = (render(snapshot, moment, "/var/mail") for moment in (then - timedelta(seconds=1), then))
        assert last == render(snapshot, at, "/var/mail")
        changes += [then] if last != first else []
        at = then
    assert {f"{one:%m-%d}" for one in changes} >= {"06-30", "07-03", "07-05", "07-08"}
    assert render(snapshot, at, "/var/mail") == render(snapshot, at + timedelta(days=4000), "/var/mail")


def test_a_lock_that_is_not_let_go_is_said(doors: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    go(doors)

    def busy(*_: object) -> None:
        raise files.Busy("Another process has been holding it for a minute; try again later.")

    monkeypatch.setattr(clock, "recover", busy)
    assert "Another process" in clock.step(doors.layout, None, AFTER).error


def test_the_doctor_says_when_it_stands_still_and_what_keeps_it(doors: Standin) -> None:
    assert doctor.clock(doors.layout) == (False, STANDS)
    clock.beat(doors.layout, Seen("", AFTER, AFTER))
    assert doctor.clock(doors.layout)[0]
    clock.beat(doors.layout, Seen("", AFTER, AFTER, 1, "Postfix is not there yet: start it."))
    assert doctor.clock(doors.layout) == (False, "Postfix is not there yet: start it.")
    old = (doors.layout.root / clock.NAME).stat().st_mtime - 600
    os.utime(doors.layout.root / clock.NAME, (old, old))
    assert doctor.clock(doors.layout) == (False, STANDS)


def test_a_disk_that_takes_no_sign_of_life_stops_nothing(doors: Standin) -> None:
    clock.beat(replace(doors.layout, root=doors.layout.root / "gone"), Seen("", AFTER, AFTER))
    (doors.layout.root / clock.NAME).write_bytes(b"\xff")
    clock.beat(doors.layout, Seen("", AFTER, AFTER))
