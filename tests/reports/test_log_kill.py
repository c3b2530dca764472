"""An ingest that is killed, and two at once: every letter counts once."""

import random
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.reports.child import Child
from tests.reports.lines import sent

ANNA, EMMA = "anna@myfamily.net", "emma@myfamily.net"
LETTERS = 2000
PREPARE = f"""
from accounts.wishes import wishes
from tests.reports.conftest import community, mailbox, person
with wishes("test", "test"):
    family = community("Fioretti family", "family", "myfamily.net")
    for address in ({ANNA!r}, {EMMA!r}):
        mailbox(address, person(address, guardian=family))
"""
COUNTS = """
SELECT COALESCE(address, ''), SUM(sent), SUM(sent_bytes), SUM(received), SUM(received_bytes)
FROM reports_hourlytally LEFT JOIN domains_mailbox ON printf('%016x', mailbox) = key GROUP BY 1
"""
DELIVERIES = "SELECT COUNT(*), COUNT(DISTINCT queue_id), COUNT(DISTINCT recipient_id) FROM reports_delivery"
INGEST = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from reports.ingest import follow
print("ready", flush=True)
while follow("primary", Path(sys.argv[1]), datetime(2026, 11, 22, 13, 30, tzinfo=UTC), zone=UTC, most=3000):
    pass
"""


@pytest.fixture
def child(tmp_path: Path) -> Child:
    made = Child(tmp_path)
    made.migrate()
    made.run(PREPARE)
    at = datetime(2026, 11, 22, 13, 10, tzinfo=UTC)
    made.log.write_bytes(b"".join(sent(at, f"{0x4ABC00 + n:X}", ANNA, EMMA) for n in range(LETTERS)))
    return made


@pytest.mark.timeout(120)
def test_killed_at_twenty_random_moments(child: Child) -> None:
    chance = random.Random(7)
    killed_at: list[int] = []
    for _kill in range(20):
        with child.start(INGEST) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            try:
                process.wait(timeout=chance.uniform(0, 0.06))
            except subprocess.TimeoutExpired:
                process.kill()
        killed_at.append(sum(sent for address, sent, *_more in child.ask(COUNTS) if not address))
    finish(child)
    assert len({letters for letters in killed_at if 0 < letters < LETTERS}) > 3, "the kills came too early or too late"


@pytest.mark.timeout(120)
def test_two_at_once(child: Child) -> None:
    with child.start(INGEST) as one, child.start(INGEST) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    finish(child)


def finish(child: Child) -> None:
    """Read to the end, and find every letter once."""
    child.run(INGEST)
    all_of_them = (LETTERS, LETTERS * 1000)
    assert sorted(child.ask(COUNTS)) == [
        ("", *all_of_them, *all_of_them),
        (ANNA, *all_of_them, 0, 0),
        (EMMA, 0, 0, *all_of_them),
    ]
    assert child.ask(DELIVERIES) == [(LETTERS, LETTERS, 1)]
