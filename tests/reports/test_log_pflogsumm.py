"""A long log counts as pflogsumm counts it, where both count the same; docs/measurements.md says where not and why."""

import re
import subprocess
from datetime import UTC
from pathlib import Path

import pytest
from django.utils import timezone

from reports.ingest import follow
from reports.models import Delivery, HourlyTally, Letter
from tests.reports.biglog import big_log
from tests.reports.conftest import Household

REAL_LOG = Path(__file__).with_name("postfix-3.7.log")
LINES = 200_000


@pytest.fixture(scope="module")
def log() -> bytes:
    """Seventy lines that Postfix wrote, and the rest generated."""
    return REAL_LOG.read_bytes() + big_log(LINES)


def grand_totals(path: Path) -> dict[str, int]:
    """What pflogsumm says: letters by name, deferrals apart."""
    command = ["pflogsumm", "--syslog-name=postfix-private", "-h", "0", "-u", "0", "--detail", "0", str(path)]
    text = subprocess.run(command, capture_output=True, check=True, timeout=120).stdout.decode()
    found = re.findall(r"^ +(\d+) +(received|delivered|deferred|bounced|rejected|held)\b", text, re.MULTILINE)
    return {name: int(letters) for letters, name in found}


def read(path: Path) -> None:
    while follow("primary", path, timezone.now(), zone=UTC):
        pass


def test_the_totals_are_those_of_pflogsumm(household: Household, tmp_path: Path, log: bytes) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(log)
    read(path)
    ours, theirs = HourlyTally.objects.of_host().sums(), grand_totals(path)
    later = ours["full"] + 1  # told at the door to come later, which is a refusal to them; one by Postfix's own log
    assert theirs["delivered"] == ours["received"] + ours["away"] == Delivery.objects.filter(status="sent").count()
    assert theirs["bounced"] == ours["bounced"] == Delivery.objects.filter(status="bounced").count()
    assert theirs["deferred"] == ours["deferred"] - later
    assert theirs["rejected"] == ours["rejected"] + later
    assert theirs["held"] == ours["asked"]
    assert theirs["received"] == log.count(b": client=")
    assert min(theirs.values()) > 500


def test_rotated_in_the_middle_and_given_twice_it_counts_the_same(
    household: Household, tmp_path: Path, log: bytes
) -> None:
    path, other, half = tmp_path / "mail.log", tmp_path / "other.log", len(log) // 2
    end = log.index(b"\n", half + 5_000_000) + 1  # who writes changes the file between two lines
    path.write_bytes(log[:half])
    read(path)
    path.rename(tmp_path / "mail.log.1")
    with (tmp_path / "mail.log.1").open("ab") as old:
        old.write(log[half:end])
    path.write_bytes(log[end:])
    read(path)
    rotated, rows, under_way = HourlyTally.objects.of_host().sums(), Delivery.objects.count(), Letter.objects.count()
    again = tmp_path / "copy"
    again.write_bytes(path.read_bytes())
    again.replace(path)
    read(path)
    assert (HourlyTally.objects.of_host().sums(), Delivery.objects.count()) == (rotated, rows)
    other.write_bytes(log)
    while follow("second", other, timezone.now(), zone=UTC):
        pass
    assert HourlyTally.objects.of_host().filter(host="second").sums() == rotated
    assert Delivery.objects.filter(host="second").count() == rows
    assert Letter.objects.filter(host="second").count() == under_way
