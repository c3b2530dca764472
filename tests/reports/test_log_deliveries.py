"""What became of each letter at each recipient is kept for a while: the last attempt, however the log was read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reports import ingest
from reports.fields import digest
from reports.hours import words
from reports.ingest import follow, forget
from reports.models import Delivery, DomainTally, HourlyTally, Letter, Word
from tests.reports.conftest import NOW, Household
from tests.reports.lines import line, sent

AT = NOW - timedelta(minutes=20)
ID, EMMA, LUCA, ANNA = "4jXVLL50s7zJbjm", "emma@myfamily.net", "luca@myfamily.net", "anna@myfamily.net"
OUTSIDE = "relay=mx.y.example[192.0.2.1]:25, delay=70.5, delays=0/0/0/1, dsn="
HERE = "relay=procmail, delay=0.2, delays=0/0/0/0.1, dsn="


def letter(at: datetime = AT, name: str = ID) -> bytes:
    """From Anna to kids@ and to somebody outside, who takes it at the second attempt."""
    later = at + timedelta(minutes=5)
    return b"".join(
        [
            line(at, "submission/smtpd", f"{name}: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={ANNA}"),
            line(at, "cleanup", f"{name}: message-id=<one@myfamily.net>"),
            line(at, "qmgr", f"{name}: from=<{ANNA}>, size=2048, nrcpt=3 (queue active)"),
            line(at, "pipe", f"{name}: to=<{EMMA}>, orig_to=<kids@myfamily.net>, {HERE}2.0.0, status=sent (x)"),
            line(at, "smtp", f"{name}: to=<x@y.example>, {OUTSIDE}4.2.0, status=deferred (said: 450 later)"),
            line(at, "pipe", f"{name}: to=<emma+a@myfamily.net>, {HERE}2.0.0, status=sent (delivered)"),
            line(later, "qmgr", f"{name}: from=<{ANNA}>, size=2048, nrcpt=3 (queue active)"),
            line(later, "smtp", f"{name}: to=<x@y.example>, {OUTSIDE}2.0.0, status=sent (250 Ok: queued as ABC)"),
            line(later, "qmgr", f"{name}: removed"),
        ]
    )


def rows() -> list[tuple[object, ...]]:
    """Every delivery, in an order that is no database's own."""
    names = ("queue_id", "recipient__text", "original__text", "mailbox", "status", "dsn", "reply", "when")
    found = Delivery.objects.values_list("opened", *names)
    return [row[1:] for row in sorted(found, key=lambda row: (row[0], row[2], row[3] or ""))]


def read(path: Path, most: int = 1 << 20) -> None:
    while follow("primary", path, NOW, zone=UTC, most=most):
        pass


@pytest.mark.parametrize("most", [300, 500, 1 << 20])
def test_the_last_attempt_for_each_recipient_is_kept(household: Household, tmp_path: Path, most: int) -> None:
    path, later = tmp_path / "mail.log", AT + timedelta(minutes=5)
    path.write_bytes(letter())
    read(path, most)
    key = household.key(EMMA)
    assert rows() == [
        (ID, "emma+a@myfamily.net", None, key, "sent", "", "", AT),
        (ID, EMMA, "kids@myfamily.net", key, "sent", "", "", AT),
        (ID, "x@y.example", None, "", "sent", "", "", later),
    ]
    for row in Delivery.objects.select_related():
        assert (str(row.login), str(row.sender), row.message) == (ANNA, ANNA, digest("one@myfamily.net"))
        assert (row.size, row.opened) == (2048, AT)
    assert not Letter.objects.exists()
    assert DomainTally.objects.values_list("month", "mailbox", "domain__text", "received", "sent").get() == (
        202611, household.key(ANNA), "y.example", 0, 1
    )  # fmt: skip


@pytest.mark.parametrize("most", [300, 1 << 20])
def test_a_letter_that_asks_is_remembered_until_it_may_go(household: Household, tmp_path: Path, most: int) -> None:
    path, held = tmp_path / "mail.log", b"NOQUEUE: hold: RCPT from a[127.0.0.1]: <x@y.example>: stranger; x"
    lines = letter().splitlines(keepends=True)
    first = line(AT, "submission/smtpd", held.decode())
    path.write_bytes(first + b"".join(lines[:2]))
    read(path, most)
    assert Letter.objects.values_list("queue_id", "login", "late", "queued").get() == (ID, ANNA, True, False)
    ingest.forget_unfinished("primary", AT + timedelta(days=40))
    with path.open("ab") as file:
        file.write(b"".join(lines[2:]))
    read(path, most)
    assert {str(row.login) for row in Delivery.objects.all()} == {ANNA}
    tally = HourlyTally.objects.get(mailbox=household.key(ANNA))
    assert (tally.asked, tally.sent) == (1, 1)


def test_what_is_under_way_says_why(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(b"".join(letter().splitlines(keepends=True)[:6]))
    read(path)
    waiting = Delivery.objects.get(status="deferred")
    assert (str(waiting.recipient), waiting.dsn, waiting.reply, waiting.milliseconds) == (
        "x@y.example", "4.2.0", "said: 450 later", 70_500
    )  # fmt: skip
    assert Letter.objects.get().queue_id == waiting.queue_id


def test_a_queue_id_that_is_given_anew_is_another_letter(household: Household, tmp_path: Path) -> None:
    """Short ids are, and an old host may have them."""
    path = tmp_path / "mail.log"
    path.write_bytes(letter() + sent(AT + timedelta(minutes=6), ID, LUCA, ANNA))
    read(path)
    assert [row[1] for row in rows()] == ["emma+a@myfamily.net", EMMA, "x@y.example", ANNA]
    with path.open("ab") as file:
        file.write(letter(AT + timedelta(minutes=7)))
    read(path)
    assert [row[1] for row in rows()][4:] == ["emma+a@myfamily.net", EMMA, "x@y.example"]
    assert [str(row.login) for row in Delivery.objects.order_by("pk")] == [ANNA] * 3 + [LUCA] + [ANNA] * 3


def test_after_three_weeks_it_is_forgotten(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(letter())
    read(path)
    forget("primary", AT + timedelta(days=21))
    assert Delivery.objects.count() == 3
    forget("primary", AT + timedelta(days=21, seconds=1))
    assert [str(one.recipient) for one in Delivery.objects.all()] == ["x@y.example"]
    forget("primary", AT + timedelta(days=22))
    assert not Delivery.objects.exists()
    assert Word.objects.count() == 8
    forget("primary", NOW + timedelta(days=67))
    assert [one.text for one in Word.objects.all()] == ["y.example"]  # its letters stay counted


def test_a_text_that_is_seen_again_stays(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(letter())
    read(path)
    before = {word.text: word.pk for word in Word.objects.all()}
    assert words([ANNA, "new"], NOW + timedelta(days=60))[ANNA] == before[ANNA]
    forget("primary", NOW + timedelta(days=67))
    assert {word.text for word in Word.objects.all()} == {ANNA, "new", "y.example"}


def test_a_letter_whose_beginning_was_never_seen_is_nobodys(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(b"".join(letter().splitlines(keepends=True)[3:4]))
    read(path)
    assert [(row.login, row.sender) for row in Letter.objects.all()] == [("", "")]
    row = Delivery.objects.get()
    assert (row.login, row.sender, row.mailbox) == (None, None, household.key(EMMA))


def test_bytes_that_are_no_text_are_kept_as_they_can_be_seen(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    lines = letter().replace(b"said: 450 later", b"\x00\xff\x1b[2J<script>").splitlines(keepends=True)[:5]
    path.write_bytes(b"".join(lines))
    read(path)
    assert Delivery.objects.get(status="deferred").reply == "?\ufffd?[2J<script>"
