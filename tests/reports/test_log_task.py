"""The worker's task: the host's own log, counted."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone

from deploy.host.layout import Layout
from reports.logfile import machine_zone
from reports.models import HourlyTally
from reports.tasks import ingest
from tests.reports.conftest import Household
from tests.reports.lines import sent


@pytest.fixture
def log(tmp_path: Path, settings: object) -> Path:
    """The mail log of a host whose `host.json` the settings name."""
    names = {name: str(tmp_path) for name in ("root", "mail", "etc", "helper", "auth", "controller")}
    words = dict.fromkeys(("agent", "mail_user", "map_type", "address"), "x")
    ports = dict.fromkeys(("smtp", "submission", "shadow_smtp", "shadow_submission", "post", "imap", "pop3"), 0)
    (tmp_path / "host.json").write_text(json.dumps({"name": "primary", **names, **words, **ports}))
    layout = Layout.read(tmp_path / "host.json")
    layout.mail_log.parent.mkdir()
    settings.MAILADMIN_HOST_CONFIG = tmp_path / "host.json"  # type: ignore[attr-defined]
    return layout.mail_log


def test_a_letter_of_just_now_counts_in_this_hour(household: Household, log: Path) -> None:
    now = timezone.now()
    log.write_bytes(sent(now.astimezone(machine_zone()), "4ABC00", "anna@myfamily.net", "emma@myfamily.net"))
    ingest("primary")
    ingest("primary")
    row = HourlyTally.objects.get(mailbox=household.key("emma@myfamily.net"))
    assert (row.host, row.received) == ("primary", 1)
    assert row.hour == datetime(now.year, now.month, now.day, now.hour, tzinfo=UTC)


def test_a_log_that_cannot_be_read_is_one_line(
    household: Household, log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log.mkdir()
    ingest("primary")
    assert [record.message.partition(":")[0] for record in caplog.records] == ["A log of primary cannot be read"]
