"""Killed at any moment, a whole release is live, and the next run finishes what was begun."""

import random
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.host import release
from deploy.host.apply import apply
from deploy.host.commands import run
from deploy.render import render
from deploy.snapshot import Domain, Snapshot
from tests.deploy.household import HOUSEHOLD, mailbox
from tests.deploy.standin import Standin

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(600)]
CHECKOUT = Path(__file__).parents[2]
EMMA = "emma@myfamily.net"
SUSPENDED = replace(
    HOUSEHOLD,
    generation=8,
    mailboxes=(
        *(replace(box, active=box.active and box.address != EMMA) for box in HOUSEHOLD.mailboxes),
        mailbox("zoe@myfamily.net", 42),
    ),
    domains=(*HOUSEHOLD.domains, Domain("new.example", "mail")),
)
AFTERWARDS = replace(SUSPENDED, generation=9, aliases=())


def go(doors: Standin, snapshot: Snapshot) -> None:
    """Apply here, to the end."""
    at = datetime.now(UTC)
    apply(doors.layout, snapshot, render(snapshot, at, str(doors.layout.mail)), at=at, log=lambda _line: None)


def killed_at(doors: Standin, moment: int) -> int:
    """Apply in a process that dies at this moment; 0, or the number of moments when it lived on."""
    host, wishes = doors.layout.etc / "host.json", doors.layout.etc / "snapshot.json"
    host.write_text(doors.layout.to_json())
    wishes.write_text(SUSPENDED.to_json())
    patience = ["0.1"] if doors.deaf else []
    words = [sys.executable, "-m", "tests.deploy.killed", str(host), str(wishes), str(moment), *patience]
    done = run(words, timeout=60, cwd=CHECKOUT, expect=(0, -9))
    return int(done.out) if done.code == 0 else 0


def check(doors: Standin, moment: int) -> bool:
    """Kill one apply, look, and go on with the next wishes. False when it had ended before."""
    go(doors, HOUSEHOLD)
    doors.asked.clear()
    killed = killed_at(doors, moment) == 0
    current = release.live(doors.layout)
    assert current
    assert release.verify(current.path) == []
    assert current.snapshot in (HOUSEHOLD, SUSPENDED)
    went_live = current.snapshot == SUSPENDED
    go(doors, AFTERWARDS)
    assert f"kick {EMMA}" in doors.asked
    assert "reload postfix" in doors.asked
    assert (doors.layout.mail / f"{42:016x}").is_dir()
    after = release.live(doors.layout)
    assert after
    assert after.snapshot == AFTERWARDS
    assert {path.name for path in doors.layout.root.iterdir()} == {".lock", ".mould", "current", "releases"}
    assert not list(doors.layout.root.glob("*/.*")) + list(doors.layout.root.glob(".mould/*/*"))
    for one in release.releases(doors.layout):
        assert release.verify(one.path) == []
        assert not one.failed
    assert (len(release.releases(doors.layout)) == 3) == went_live
    return killed


def moments(doors: Standin) -> int:
    """How many moments there are to die in."""
    go(doors, HOUSEHOLD)
    return killed_at(doors, -1)


def fresh(doors: Standin) -> None:
    """Start over."""
    for one in release.releases(doors.layout):
        run(["rm", "-r", str(one.path)], timeout=10)
    (doors.layout.root / "current").unlink(missing_ok=True)


def test_an_apply_killed_at_twenty_moments(doors: Standin) -> None:
    count = moments(doors)
    killed = 0
    for moment in sorted(random.sample(range(1, count + 1), 20)):
        fresh(doors)
        killed += check(doors, moment)
    assert killed > 15


def check_deaf(doors: Standin, moment: int) -> bool:
    """The same with a release that does not answer; the daemons answer again afterwards."""
    go(doors, HOUSEHOLD)
    doors.asked.clear()
    doors.deaf = True
    killed = killed_at(doors, moment) == 0
    current = release.live(doors.layout)
    assert current
    assert release.verify(current.path) == []
    doors.deaf = False
    go(doors, AFTERWARDS)
    after = release.live(doors.layout)
    assert after
    assert after.snapshot == AFTERWARDS
    assert f"kick {EMMA}" in doors.asked
    assert {path.name for path in doors.layout.root.iterdir()} == {".lock", ".mould", "current", "releases"}
    for one in release.releases(doors.layout):
        assert release.verify(one.path) == []
    return killed


def test_a_way_back_killed_at_twenty_moments(doors: Standin) -> None:
    start = moments(doors)
    fresh(doors)
    go(doors, HOUSEHOLD)
    doors.deaf = True
    count = killed_at(doors, -1)
    assert count > start
    killed = 0
    for moment in sorted(random.sample(range(start * 2 // 3, count + 1), 20)):
        doors.deaf = False
        fresh(doors)
        killed += check_deaf(doors, moment)
    assert killed > 10


@pytest.mark.nightly(4)
@pytest.mark.timeout(900)
def test_an_apply_killed_at_a_hundred_moments(doors: Standin) -> None:
    count = moments(doors)
    for moment in range(1, count + 1, max(1, count // 100)):
        fresh(doors)
        check(doors, moment)
