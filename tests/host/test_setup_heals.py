"""Whatever process of the mail host is killed: soon the whole is there again, and nothing of the old."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.host.letters import ANNA, HOUSE, answer, stranger
from tests.host.machine import MailHost, started_host, wait_for

pytestmark = pytest.mark.daemons


@pytest.fixture(scope="module")
def host() -> Iterator[MailHost]:
    """A mail host of one's own, for it is treated badly."""
    with started_host() as found:
        found.apply(HOUSE)
        yield found


def pids(host: MailHost, words: str) -> set[int]:
    """The processes of this host whose command line holds these words."""
    listed = subprocess.run(["ps", "-wweo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 1) for line in listed.splitlines()]
    return {int(pid) for pid, args in lines if f"{host.var}/" in args and words in args}


def takes_letters(host: MailHost) -> bool:
    """Whether a stranger is let in just now."""
    try:
        with stranger(host.layout) as dialogue:
            return answer(dialogue, "y@other.example", ANNA).startswith("250")
    except OSError:
        return False


@pytest.mark.parametrize("victim", ["deploy.setup.foreground", "sbin/master"])
def test_postfix_comes_back_whoever_of_it_is_killed(host: MailHost, victim: str) -> None:
    before = pids(host, "deploy.setup.foreground") | pids(host, "sbin/master")
    (killed,) = pids(host, victim)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: not before & pids(host, ""), "the end of the old ones", 30)
    wait_for(lambda: pids(host, "sbin/master") and takes_letters(host), "a new one", 30)
    assert len(pids(host, "sbin/master")) == 1
