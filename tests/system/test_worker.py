"""From saves to releases: few, quickly, and through every accident of worker and queue."""

import itertools
import random
import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.host import release
from tests.host.machine import wait_for
from tests.system.panel import Panel
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]

SOON = 20  # seconds, on a machine that is busy with other tests; `script/bench apply` measures

# Save N times, each in a transaction of its own, as N clicks would; print when the last one was stored.
SAVES = """
import json, sys, time
from accounts.wishes import wishes
from domains.models import Mailbox
from django.utils import timezone
box = Mailbox.objects.get(address="bo@rossi.example")
for quota in range({first}, {first} + {count}):
    box.quota = (100 + quota) << 20
    with wishes("a test", "test"):
        box.save()
    time.sleep({pause})
print(json.dumps(timezone.now().isoformat()))
"""


def live_quota(server: Server) -> str:
    """The quota of Bo's line in the live passwd file, in MB beyond 100."""
    for line in (server.layout.root / "current" / "dovecot" / "passwd").read_text().splitlines():
        if line.startswith("bo@rossi.example:"):
            return str((int(line.rsplit("userdb_quota_storage_size=", 1)[1].split()[0].rstrip("B")) >> 20) - 100)
    return ""


def caught_up(server: Server) -> dict[str, Any]:
    """Wait until the newest wishes are live; the state then."""

    def newest() -> dict[str, Any] | None:
        state = server.state()
        return state if state["wished"] == state["applied"] else None

    found: dict[str, Any] = wait_for(newest, "the newest wishes", 60)
    return found


def moments(state: dict[str, Any]) -> list[tuple[datetime, datetime]]:
    """When each release began and ended."""
    return [(datetime.fromisoformat(row[2]), datetime.fromisoformat(row[3])) for row in state["releases"]]


def test_two_hundred_saves_while_the_worker_is_busy_give_one_more_release(server: Server):
    before = len(server.state()["releases"])
    server.kill("worker", signal.SIGSTOP)  # as busy as can be
    try:
        last = datetime.fromisoformat(server.ask(SAVES.format(first=1, count=200, pause=0)))
    finally:
        woken = time.time()
        server.kill("worker", signal.SIGCONT)
    state = caught_up(server)
    assert len(state["releases"]) - before == 1
    assert live_quota(server) == "200"
    assert moments(state)[-1][1] > last
    assert moments(state)[-1][1].timestamp() - woken < SOON


def test_saves_in_a_stream_give_at_most_one_release_a_second_and_the_last_is_live_soon(server: Server):
    before = len(server.state()["releases"])
    last = datetime.fromisoformat(server.ask(SAVES.format(first=300, count=60, pause=0.05)))
    state = caught_up(server)
    made = moments(state)[before:]
    assert len(made) >= 2
    for (before_, _ended), (began, _ended_too) in itertools.pairwise(made):
        assert began - before_ >= timedelta(seconds=0.95)
    assert live_quota(server) == "359"
    assert (made[-1][1] - last).total_seconds() < SOON


def gone(pid: int) -> Callable[[], bool]:
    """Whether a process has ended."""
    return lambda: not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("seed", [1])
def test_a_worker_killed_at_twenty_moments_leaves_a_complete_release_and_converges(server: Server, seed: int):
    rng = random.Random(seed)
    for moment in range(20):
        server.ask(SAVES.format(first=1000 + moment, count=1, pause=0))
        time.sleep(rng.uniform(0, 0.6))  # the moment is the test's subject, not something it waits for
        if "worker" in server.running():
            killed = server.kill("worker")
            wait_for(gone(killed), "the end of the worker")
        live = release.live(server.layout)
        assert live is not None
        assert release.verify(live.path) == []
        wait_for(lambda: "worker" in server.running(), "a new worker", 60)
    caught_up(server)
    assert live_quota(server) == "1019"
    assert [path.name for path in server.layout.root.glob("releases/.*")] == []
    server.send("zia@outside.example", "ada@rossi.example", f"after {seed}")
    server.arrives("ada@rossi.example", f"after {seed}")


@pytest.mark.parametrize("accident", ["refused", "frozen"])
def test_a_queue_that_does_not_answer_holds_no_save_and_loses_nothing(server: Server, accident: str):
    visitor = Panel(server).sign_in()
    time.sleep(2)  # what was loaded may be looked at once more, with what is saved meanwhile
    find = "from domains.models import Mailbox\nprint(Mailbox.objects.get(address='bo@rossi.example')"
    mailbox, person = server.ask(f"{find}.pk)"), server.ask(f"{find}.people.get().pk)")
    if accident == "refused":
        server.control("stop", "redis")
    else:
        server.kill("redis", signal.SIGSTOP)
    try:
        quota = 2000 + len(accident)
        saved = visitor.post(f"/mailboxes/{mailbox}/", quota=f"{100 + quota}M", people=str(person))
        assert saved.status == 200
        assert saved.seconds < 1.2
        assert visitor.get("/").seconds < 1.2
        assert live_quota(server) != str(quota)
    finally:
        if accident == "refused":
            server.control("start", "redis")
        else:
            server.kill("redis", signal.SIGCONT)
    wait_for(lambda: live_quota(server) == str(quota), "the change, once the queue is back", 30)
