"""The worker's task: the host's own log, counted."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from deploy.host.layout import Layout
from deploy.services import room
from reports import room as rooms
from reports.logfile import machine_zone
from reports.models import HourlyTally
from reports.tasks import ingest, measure
from tests.reports.conftest import Household, count
from tests.reports.lines import sent
from tests.reports.test_report_community import sight


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


TABLE = """Username\tQuota name\tType\tValue\tLimit\t%
emma@myfamily.net\tUser quota\tSTORAGE\t951\t1000\t95
emma@myfamily.net\tUser quota\tMESSAGE\t7\t-\t0
luca@myfamily.net\tUser quota\tSTORAGE\t899\t1000\t89
anna@myfamily.net\tUser quota\tSTORAGE\t900\t1000\t90
marco@myfamily.net\tUser quota\tSTORAGE\t5\t-\t0
sara@mybusiness.com\tUser quota\tSTORAGE\t999\t1000\t99
gone@myfamily.net\tUser quota\tSTORAGE\t999\t1000\t99
"""


@pytest.fixture
def nearly_full(household: Household, monkeypatch: pytest.MonkeyPatch) -> Household:
    """The household, of whose mailboxes the host tells the table."""
    monkeypatch.setattr(room, "uses", lambda: list(room.parsed(TABLE)))
    measure("primary")
    return household


def test_nearly_full_mailboxes_are_known(nearly_full: Household) -> None:
    people = ("sara@mybusiness.com", "emma@myfamily.net", "anna@myfamily.net")
    found = rooms.nearly_full()
    assert {nearly_full.key(name) for name in people} == set(found)
    assert list(found.values()) == [99, 95, 90]
    rooms.follow(timezone.now() + timedelta(minutes=10))
    assert len(rooms.nearly_full()) == 3
    measure("another")  # a backup knows no mailbox
    rooms.forget(timezone.now() + timedelta(hours=23))
    assert len(rooms.nearly_full()) == 3
    rooms.forget(timezone.now() + timedelta(days=1, minutes=11))
    assert not rooms.nearly_full()


@pytest.mark.parametrize(
    ("viewer", "url", "seen"),
    [
        ("emma", "/reports/person/{emma}/", "95 % of the room of emma@myfamily.net is used"),
        ("anna", "/reports/person/{emma}/", "95 % of the room of emma@myfamily.net is used"),
        ("anna", "/reports/community/{family}/", "95 % of the room of Emma is used"),
        ("marco", "/reports/community/{family}/", "95 % of the room of Emma is used"),
        ("rita", "/reports/community/{business}/", ""),
        ("marco", "/reports/community/{business}/?mode=pseudonyms", "99 % of the room of Person "),
        ("ada", "/reports/host/", "sara@mybusiness.com</bdi>: 99 %"),
    ],
)
def test_who_may_know_reads_whose(client: Client, nearly_full: Household, viewer: str, url: str, seen: str) -> None:
    count(nearly_full.key("emma@myfamily.net"), "received", 1)
    count(nearly_full.key("sara@mybusiness.com"), "received", 1)
    places = {name: one.pk for name, one in {**nearly_full.people, **nearly_full.communities}.items()}
    client.force_login(nearly_full.people[viewer])
    text = client.get(url.format(**places)).text
    assert "Mailboxes that are nearly full now" in text
    assert seen in text
    assert ("% of the room" in text) == seen.startswith("9")
    assert "Sara" not in text


def test_a_level_that_hides_figures_hides_how_full_a_mailbox_is(client: Client, nearly_full: Household) -> None:
    sight(nearly_full, "emma", "trusted")
    for name in ("luca", "anna"):
        count(nearly_full.key(f"{name}@myfamily.net"), "received", 1)
    client.force_login(nearly_full.anna)
    text = client.get(f"/reports/community/{nearly_full.communities['family'].pk}/").text
    assert "90 % of the room of Anna is used" in text
    assert "Emma" not in text
    assert '<td role="cell" class="text-end" data-head="How many">1</td>' in text


def test_a_host_that_does_not_tell_is_one_line(
    household: Household, log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    measure("primary")
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "How full the mailboxes are is not known"
    ]
