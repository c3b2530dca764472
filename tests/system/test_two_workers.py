"""Two workers of one host at once: one after the other makes a release, and the newest wishes are live in the end."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.host import release
from deploy.setup.people import person
from tests.host.machine import wait_for
from tests.system.server import Server
from tests.system.test_worker import SAVES, caught_up, live_quota

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(400)]


@contextmanager
def second_worker(server: Server, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """One more, started as the first: as the same user, with the same words, and ready."""
    first = Path("/proc", str(server.pid("worker")))
    words = (first / "cmdline").read_text().rstrip("\0").split("\0")
    told = dict(line.split("=", 1) for line in (first / "environ").read_text().rstrip("\0").split("\0"))
    agent = person(server.layout.agent)
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*words, "--hostname=second@%h"],
            cwd=(first / "cwd").readlink(), env=told, stdout=said, stderr=said, umask=0o007,
            user=agent.uid, group=agent.gid, extra_groups=agent.groups,
        )  # fmt: skip
    try:
        wait_for(lambda: b" ready." in log.read_bytes(), "the second worker", 90)
        yield process
    finally:
        process.terminate()
        process.wait(30)


def test_each_release_is_whole_and_the_newest_is_last(server: Server, tmp_path: Path):
    before = len(server.state()["releases"])
    with second_worker(server, tmp_path / "log") as process:
        server.ask(SAVES.format(first=3000, count=40, pause=0.1))
        state = caught_up(server)
        assert process.poll() is None
    assert state["error"] == ""
    made = state["releases"][before:]
    assert [row[0] for row in made] == sorted({row[0] for row in made})  # never an older generation after a newer one
    assert {row[1] for row in made} == {"live"}
    assert live_quota(server) == "3039"
    for one in release.releases(server.layout):
        assert release.verify(one.path) == []
        assert not one.failed
    assert not list(server.layout.root.glob("releases/.*"))
    assert "Task deploy.reconcile" in (tmp_path / "log").read_text()  # it had its share
