"""Who could not sign in is counted, and kept where it was one of ours; no name of a stranger's choosing is believed."""

from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from reports import ingest, signins
from reports.models import FailedSignIn, HourlyTally
from reports.parse import Failed
from tests.reports.conftest import NOW, Household
from tests.reports.lines import line

AT = NOW - timedelta(minutes=20)
EMMA = "emma@myfamily.net"


def ended(name: str, attempts: int = 1, door: str = "imap", how: str = "Disconnected: Connection closed") -> bytes:
    """A line of Dovecot 2.3; `how` and what follows differ in 2.4."""
    failed = f"(auth failed, {attempts} attempts in 2 secs)"
    more = " (auth_failed)" if how.startswith("Login") else ""
    return (
        f"{AT:%Y-%m-%dT%H:%M:%S} {door}-login: Info: {how} {failed}{more}: user=<{name}>, method=PLAIN, "
        "rip=192.0.2.7, lip=192.0.2.1, TLS: Connection closed, session=<EdDW8iVhaIp/AAAB>\n"
    ).encode()


def sums() -> dict[str, int]:
    """Refused attempts by mailbox's key."""
    return dict(HourlyTally.objects.filter(failed__gt=0).values_list("mailbox", "failed"))


@pytest.mark.parametrize(
    ("door", "how"),
    [
        ("imap", "Disconnected: Connection closed"),
        ("pop3", "Disconnected: Inactivity"),
        ("imap", "Login aborted: Connection closed"),
        ("pop3", "Aborted login"),
    ],
)
def test_a_session_in_which_nobody_signed_in(household: Household, tmp_path: Path, door: str, how: str) -> None:
    path = tmp_path / "dovecot.log"
    path.write_bytes(ended(EMMA.title(), 3, door, how) + ended("nobody@myfamily.net", 2) + ended("root"))
    while signins.follow("primary", path, NOW, zone=UTC, most=400):
        pass
    assert sums() == {household.key(EMMA): 3, "": 6}
    row = FailedSignIn.objects.get()
    assert (row.mailbox, row.door, row.attempts, row.when, str(row.client)) == (
        household.key(EMMA), door, 3, AT, "192.0.2.7"
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        f'a"b\\c <x>, user=<{EMMA}>',
        f"x>, method=PLAIN, rip=1.2.3.4, user=<{EMMA}",
        f"{EMMA}>, method=PLAIN, rip=1.2.3.4, lip=1.2.3.4, TLS, session=<x>, user=<x",
        f"{EMMA}\x00",
        f" {EMMA}",
        f"\u202e{EMMA}",
        f'"{EMMA}"',
        f"{EMMA}@{EMMA}",
        "x" * 300 + EMMA,
    ],
)
def test_a_name_of_a_strangers_choosing_is_nobodys(household: Household, tmp_path: Path, name: str) -> None:
    path = tmp_path / "dovecot.log"
    path.write_bytes(ended(name) + ended("root"))
    signins.follow("primary", path, NOW, zone=UTC)
    assert set(sums()) == {""}
    assert not FailedSignIn.objects.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace(b"Info: Disconnected", b"Info: x=1 Disconnected"),
        lambda text: text.replace(b"imap-login", b"lmtp-login"),
        lambda text: text.replace(b"2026-", b"2026 "),
        lambda text: text.replace(b"-22T", b"-99T"),
        lambda text: text.replace(b"(auth failed, 1 attempts", b"(no auth attempts"),
    ],
)
def test_what_is_no_such_line_is_none(damage: Callable[[bytes], bytes]) -> None:
    assert len(list(signins.failures(ended(EMMA), UTC))) == 1
    assert list(signins.failures(damage(ended(EMMA)), UTC)) == []


def test_the_log_has_the_machines_time() -> None:
    (one,) = signins.failures(ended(EMMA), ZoneInfo("Europe/Rome"))
    assert one == Failed(AT - timedelta(hours=1), "imap", EMMA, "192.0.2.7")


def test_who_could_not_hand_a_letter_over_is_in_postfixs_log(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    said = "warning: mx.example[2001:db8::7]: SASL PLAIN authentication failed: (reason unavailable), sasl_username="
    path.write_bytes(b"".join(line(AT, "submission/smtpd", said + name) for name in (EMMA, "root", f"x, to=<{EMMA}>")))
    ingest.follow("primary", path, NOW, zone=UTC)
    assert sums() == {household.key(EMMA): 1, "": 3}
    assert FailedSignIn.objects.values_list("door", "client__text").get() == ("smtp", "2001:db8::7")


def test_they_are_forgotten(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signins, "MOST_ROWS", 2)
    days = (30, 3, 2, 1)
    signins.keep("primary", [Failed(NOW - timedelta(days=ago), "imap", EMMA, "192.0.2.7") for ago in days], NOW)
    signins.forget("primary", NOW)
    assert {row.when for row in FailedSignIn.objects.all()} == {NOW - timedelta(days=ago) for ago in (2, 1)}
