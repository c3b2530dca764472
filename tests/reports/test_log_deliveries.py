"""What became of each letter at each recipient is kept for a while: the last attempt, however the log was read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reports.ingest import follow, forget
from reports.models import Delivery, Letter
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
    """Every delivery."""
    names = ("letter__queue_id", "recipient", "original", "mailbox", "status", "dsn", "reply", "when")
    return list(Delivery.objects.order_by("recipient", "original").values_list(*names))


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
        (ID, "emma+a@myfamily.net", "", key, "sent", "2.0.0", "delivered", AT),
        (ID, EMMA, "kids@myfamily.net", key, "sent", "2.0.0", "x", AT),
        (ID, "x@y.example", "", "", "sent", "2.0.0", "250 Ok: queued as ABC", later),
    ]
    row = Letter.objects.get()
    assert (row.login, row.sender, row.message_id, row.size, row.opened) == (ANNA, ANNA, "one@myfamily.net", 2048, AT)
    assert (row.queued, row.late, row.over) == (True, True, True)


def test_what_is_under_way_says_why(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(b"".join(letter().splitlines(keepends=True)[:6]))
    read(path)
    waiting = Delivery.objects.get(status="deferred")
    assert (waiting.recipient, waiting.reply, waiting.delay) == ("x@y.example", "said: 450 later", 70.5)
    assert not waiting.letter.over


def test_a_queue_id_that_is_given_anew_is_another_letter(household: Household, tmp_path: Path) -> None:
    """Short ids are, and an old host may have them."""
    path = tmp_path / "mail.log"
    path.write_bytes(letter() + sent(AT + timedelta(minutes=6), ID, LUCA, ANNA))
    read(path)
    assert [row[:2] for row in rows()] == [(ID, ANNA)]
    with path.open("ab") as file:
        file.write(letter(AT + timedelta(minutes=7)))
    read(path)
    assert [row[1] for row in rows()] == ["emma+a@myfamily.net", EMMA, "x@y.example"]
    assert Letter.objects.get().login == ANNA


def test_after_three_weeks_a_letter_that_is_over_is_forgotten(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(letter() + b"".join(letter(name="4jXVLL50s7zJbjn").splitlines(keepends=True)[:5]))
    read(path)
    forget("primary", AT + timedelta(days=21))
    assert Letter.objects.count() == 2
    forget("primary", AT + timedelta(days=21, seconds=1))
    assert [one.queue_id for one in Letter.objects.all()] == ["4jXVLL50s7zJbjn"]
    assert Delivery.objects.filter(status="deferred").count() == 1
    forget("primary", AT + timedelta(days=46))
    assert not Letter.objects.exists()
    assert not Delivery.objects.exists()


def test_a_letter_whose_beginning_was_never_seen_is_nobodys(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(b"".join(letter().splitlines(keepends=True)[3:4]))
    read(path)
    assert [(row.login, row.sender, row.over) for row in Letter.objects.all()] == [("", "", False)]
    assert Delivery.objects.get().mailbox == household.key(EMMA)


def test_bytes_that_are_no_text_are_kept_as_they_can_be_seen(household: Household, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(
        letter().replace(b"said: 450 later", b"\x00\xff\x1b[2J<script>").replace(b"Ok: queued", b"\x00\x00")
    )
    read(path)
    assert Delivery.objects.get(recipient="x@y.example").reply == "250 ?? as ABC"
