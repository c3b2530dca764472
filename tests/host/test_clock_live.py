"""The clock of a real mail host: an alias ends at its moment, with nothing there but the mail host itself."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from deploy.host import clock, journal, release
from deploy.snapshot import Alias, Snapshot
from tests.host.letters import HOUSE, answer, stranger
from tests.host.machine import MailHost, started_host, wait_for

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def host() -> Iterator[MailHost]:
    """A mail host with its clock, and without panel, queue and database."""
    with started_host(clock=True) as running:
        yield running


def ending(address: str, seconds: float, generation: int) -> Snapshot:
    """The house with an alias that ends soon."""
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    alias = Alias(address, (HOUSE.mailboxes[0].address,), expires=ends.isoformat())
    return replace(HOUSE, generation=generation, aliases=(*HOUSE.aliases, alias))


def said(host: MailHost, recipient: str) -> str:
    """What a stranger is told at RCPT, in a new dialogue."""
    with stranger(host.layout) as dialogue:
        return answer(dialogue, "someone@elsewhere.example", recipient)


def pid(host: MailHost) -> int:
    """The clock's process."""
    found = host.running.control("pid", "clock").out.decode().strip()
    return int(found) if found.isdigit() else 0


def test_an_alias_ends_by_the_clock_alone(host: MailHost) -> None:
    host.apply(ending("soon@house.test", 8, 100))
    before = release.live(host.layout)
    assert before
    assert said(host, "soon@house.test").startswith("250")
    wait_for(lambda: said(host, "soon@house.test").startswith("550"), "the end of the alias", 60)
    after = release.live(host.layout)
    assert after
    assert after.number > before.number
    assert after.manifest.generation == 100
    assert release.verify(after.path) == []
    beat = host.layout.root / clock.NAME
    assert beat.read_text() == ""
    assert beat.stat().st_mode & 0o777 == 0o644


def test_a_clock_that_is_killed_at_its_work_goes_on_with_it(host: MailHost) -> None:
    for number in range(4):
        address = f"killed{number}@house.test"
        host.apply(ending(address, 4, 200 + number))
        here = release.live(host.layout)
        assert here
        wait_for(lambda before=here: at_work(host, before), "the clock at its work", 60)  # type: ignore[misc]
        os.kill(wait_for(lambda: pid(host), "the clock"), signal.SIGKILL if number % 2 else signal.SIGTERM)
        live = release.live(host.layout)
        assert live
        assert release.verify(live.path) == []
        wait_for(lambda name=address: said(host, name).startswith("550"), "the end of the alias", 60)  # type: ignore[misc]
        wait_for(lambda: journal.announced(host.layout) is None, "the end of the switch")
    assert [one.failed for one in release.releases(host.layout) if one.failed] == []


def at_work(host: MailHost, before: release.Release) -> bool:
    """Whether the clock has begun to replace a release, or done so."""
    begun = journal.announced(host.layout) or list(host.layout.root.glob("releases/.new-*"))
    return bool(begun) or release.live(host.layout) != before


def test_while_postfix_is_down_nothing_is_given_up(host: MailHost) -> None:
    host.apply(ending("down@house.test", 30, 300))
    host.running.control("stop", "postfix")
    beat = host.layout.root / clock.NAME
    wait_for(lambda: "Postfix is not there yet" in beat.read_text(), "the clock's sentence", 60)
    host.running.control("start", "postfix")
    wait_for(lambda: said_or_nothing(host, "down@house.test").startswith("550"), "the end of the alias", 120)
    wait_for(lambda: beat.read_text() == "", "nothing wrong any more")
    assert [one.failed for one in release.releases(host.layout) if one.failed] == []


def said_or_nothing(host: MailHost, recipient: str) -> str:
    """What a stranger is told, once somebody answers."""
    try:
        return said(host, recipient)
    except OSError:
        return ""
