"""The log is followed through rotation, cuts and restarts, and nothing in it counts twice."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from accounts.wishes import wishes
from reports import ingest, logfile, position
from reports.ingest import follow
from reports.logfile import Place, machine_zone, read_on
from reports.models import HourlyTally, Letter, LogPosition
from tests.reports.conftest import NOW, Household, mailbox
from tests.reports.lines import active, delivered, line, sent

AT = NOW - timedelta(minutes=20)
EMMA, ANNA = "emma@myfamily.net", "anna@myfamily.net"


class Log:
    """A mail log on disk, and the host that reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0

    def letters(self, count: int) -> bytes:
        """So many whole letters from Anna to Emma, each with an id of its own."""
        self.number += count
        return b"".join(sent(AT, f"{0x4ABC00 + n:X}", ANNA, EMMA) for n in range(self.number - count, self.number))

    def write(self, data: bytes) -> None:
        """What postlogd does."""
        with self.path.open("ab") as file:
            file.write(data)

    def rotate(self) -> None:
        """What logrotate does without copytruncate."""
        for number in range(8, 0, -1):
            older = self.path.with_name(f"mail.log.{number}")
            if older.exists():
                older.rename(self.path.with_name(f"mail.log.{number + 1}"))
        self.path.rename(self.path.with_name("mail.log.1"))

    def copy_and_cut(self) -> None:
        """What logrotate does with copytruncate."""
        shutil.copyfile(self.path, self.path.with_name("mail.log.1"))
        os.truncate(self.path, 0)

    def follow(self, most: int = 1 << 20) -> int:
        """What the worker does every two seconds."""
        return follow("primary", self.path, NOW, zone=UTC, most=most)


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "mail.log")


def counts(household: Household) -> tuple[int, int]:
    """Anna's letters sent and Emma's letters received."""
    rows = HourlyTally.objects.filter(mailbox__in=[household.key(ANNA), household.key(EMMA)])
    found = {row.mailbox: row for row in rows}
    anna, emma = found.get(household.key(ANNA)), found.get(household.key(EMMA))
    return anna.sent if anna else 0, emma.received if emma else 0


def test_a_log_that_grows_counts_once(household: Household, log: Log) -> None:
    for total in range(1, 4):
        log.write(log.letters(1))
        log.follow()
        log.follow()
        assert counts(household) == (total, total)
    assert log.follow() == 0


def test_the_host_has_the_sums_and_every_row_its_bytes(household: Household, log: Log) -> None:
    log.write(log.letters(3) + line(AT, "smtpd", "NOQUEUE: reject: RCPT from x[192.0.2.7]: 550 5.1.1 <x@y>: no"))
    log.follow()
    host = {name: letters for name, letters in HourlyTally.objects.of_host().sums().items() if letters}
    assert host == {
        "received": 3, "received_bytes": 3000, "sent": 3, "sent_bytes": 3000, "home": 3, "quick": 3, "rejected": 1
    }  # fmt: skip
    assert HourlyTally.objects.get(mailbox=household.key(EMMA)).received_bytes == 3000


def test_no_log_is_nothing(household: Household, log: Log) -> None:
    assert log.follow() == 0
    log.write(b"")
    assert log.follow() == 0
    assert counts(household) == (0, 0)


def test_half_a_line_waits_for_its_end(household: Household, log: Log) -> None:
    data = log.letters(1)
    for start in range(0, len(data), 7):
        log.write(data[start : start + 7])
        log.follow()
    assert counts(household) == (1, 1)
    assert not Letter.objects.exists()


def test_small_pieces_give_the_same(household: Household, log: Log) -> None:
    log.write(log.letters(40))
    while log.follow(most=300):
        pass
    assert counts(household) == (40, 40)


def test_renamed_in_the_middle(household: Household, log: Log) -> None:
    log.write(log.letters(5))
    log.follow()
    log.write(log.letters(5))
    log.rotate()
    log.follow()
    log.path.touch()
    log.follow()
    with log.path.with_name("mail.log.1").open("ab") as old:  # postlogd has not opened the new one yet
        old.write(log.letters(5))
    log.follow()
    log.write(log.letters(5))
    log.follow()
    log.follow()
    assert counts(household) == (20, 20)


def test_the_new_file_begins_while_the_end_of_the_old_one_is_read(
    household: Household, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write(log.letters(2))
    log.follow()
    log.rotate()
    log.path.touch()
    real = logfile.piece

    def piece(file: logfile.Opened, start: int, most: int) -> logfile.Piece | None:
        found = real(file, start, most)
        if found is None and not log.path.stat().st_size:
            with log.path.with_name("mail.log.1").open("ab") as old:
                old.write(log.letters(2))
            log.write(log.letters(2))
        return found

    monkeypatch.setattr(logfile, "piece", piece)
    log.follow()
    log.follow()
    assert counts(household) == (6, 6)


def test_renamed_three_times_since_the_last_look(household: Household, log: Log) -> None:
    log.write(log.letters(2))
    log.follow()
    for _night in range(3):
        log.write(log.letters(2))
        log.rotate()
    log.write(log.letters(2))
    log.follow()
    assert counts(household) == (10, 10)


def test_copied_and_cut_in_the_middle(household: Household, log: Log) -> None:
    log.write(log.letters(5))
    log.follow()
    log.write(log.letters(5))
    log.copy_and_cut()
    log.write(log.letters(30))
    log.follow()
    log.follow()
    assert counts(household) == (40, 40)


def test_copied_and_not_cut_yet(household: Household, log: Log) -> None:
    log.write(log.letters(5))
    log.follow()
    shutil.copyfile(log.path, log.path.with_name("mail.log.1"))
    log.write(log.letters(5))
    log.follow()
    assert counts(household) == (10, 10)


def test_cut_without_a_copy_begins_again(household: Household, log: Log) -> None:
    log.write(log.letters(5))
    log.follow()
    os.truncate(log.path, 0)
    log.follow()
    log.write(log.letters(2))
    log.follow()
    assert counts(household) == (7, 7)


def test_gone_and_back(household: Household, log: Log) -> None:
    log.write(log.letters(5))
    log.follow()
    log.path.unlink()
    assert log.follow() == 0
    log.write(log.letters(1))
    log.follow()
    assert counts(household) == (6, 6)


def test_the_same_file_twice(household: Household, log: Log) -> None:
    log.write(log.letters(5))
    log.follow()
    copy = log.path.with_name("copy")
    shutil.copyfile(log.path, copy)
    copy.replace(log.path)
    assert log.follow() == 0
    assert counts(household) == (5, 5)


def test_a_letter_under_way_survives_a_restart(household: Household, log: Log) -> None:
    start = line(AT, "submission/smtpd", f"4ABC00: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={ANNA}")
    log.write(start)
    log.follow()
    log.write(active(AT, "4ABC00"))
    log.follow()
    log.rotate()
    log.write(active(AT, "4ABC00") + delivered(AT, "4ABC00", EMMA) + line(AT, "qmgr", "4ABC00: removed"))
    log.follow()
    assert counts(household) == (1, 1)
    assert HourlyTally.objects.get(mailbox=household.key(EMMA)).received_bytes == 1000
    assert not Letter.objects.exists()


def test_of_two_that_read_the_same_piece_one_counts(
    household: Household, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write(log.letters(5))
    other: list[int] = []

    def slow(path: Path, place: Place, most: int) -> object:
        found = read_on(path, place, most)
        if not other:
            other.append(1)
            log.follow()
        return found

    monkeypatch.setattr(position, "read_on", slow)
    log.follow()
    assert counts(household) == (5, 5)


def test_an_address_given_anew_begins_with_nothing(household: Household, log: Log) -> None:
    log.write(log.letters(5))
    log.follow()
    old = household.mailboxes[EMMA]
    with wishes("test", "test"):
        for link in old.mailboxperson_set.all():
            link.delete()
        old.delete()
        household.mailboxes[EMMA] = mailbox(EMMA, household.emma)
    assert counts(household) == (5, 0)
    log.write(log.letters(1))
    log.follow()
    assert counts(household) == (6, 1)


def test_what_is_no_mailbox_counts_for_the_host_alone(household: Household, log: Log) -> None:
    log.write(sent(AT, "4ABC00", "gone@myfamily.net", "lost@myfamily.net"))
    log.follow()
    assert set(HourlyTally.objects.values_list("mailbox", flat=True)) == {""}


@pytest.mark.parametrize("junk", [b"\x00" * 5000, b"\xff\xfe\n" * 100, b"x" * 3_000_000 + b"\n", b"\n" * 5000])
def test_junk_between_the_letters(household: Household, log: Log, junk: bytes) -> None:
    log.write(log.letters(1) + junk + b"\n")
    log.follow()
    log.write(log.letters(1))
    log.follow()
    assert counts(household) == (2, 2)


def test_the_end_of_a_line_that_is_too_long_is_no_line(household: Household, log: Log) -> None:
    log.write(b"x" * (1 << 20) + delivered(AT, "4ABC00", EMMA)[:-1])
    log.follow()
    log.write(b"\n" + log.letters(1))
    log.follow()
    assert counts(household) == (1, 1)


def test_two_hosts_are_apart(household: Household, log: Log) -> None:
    log.write(log.letters(2))
    log.follow()
    follow("second", log.path, NOW, zone=UTC)
    assert set(HourlyTally.objects.of_host().values_list("host", "received", "sent")) == {
        (host, 2, 2) for host in ("primary", "second")
    }


def test_the_turn_of_the_year_and_of_summer_time(household: Household, log: Log) -> None:
    zone = ZoneInfo("Europe/Rome")
    for local in (datetime(2026, 12, 31, 23, 59, 59), datetime(2027, 1, 1, 0, 0, 1), datetime(2026, 7, 1, 12, 0)):  # noqa: DTZ001
        log.write(delivered(local, "4ABC00", EMMA))
    follow("primary", log.path, datetime(2027, 1, 1, 0, 0, 30, tzinfo=zone), zone=zone)
    hours = HourlyTally.objects.filter(mailbox=household.key(EMMA)).values_list("hour", flat=True)
    assert {f"{hour:%Y-%m-%dT%H}" for hour in hours} == {"2026-12-31T22", "2026-12-31T23", "2026-07-01T10"}


def test_letters_nobody_hears_of_are_forgotten(household: Household, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MOST_LETTERS", 4)
    for days in (46, 44, 16, 14, 1):
        at = AT - timedelta(days=days)
        log.write(line(at, "smtpd", f"4ABC{days:02}: client=x[192.0.2.7]"))
        log.write(active(at, f"4ABC{days:02}") if days != 14 else line(at, "smtpd", "4ABC14: hold: RCPT from x: no"))
    for hours in (25, 23, 1):  # these hung up half-way
        log.write(line(AT - timedelta(hours=hours), "smtpd", f"4ABCD{hours:02}: client=x[192.0.2.7]"))
    log.follow()
    assert set(Letter.objects.values_list("queue_id", flat=True)) == {
        "4ABC44",
        "4ABC16",
        "4ABC14",
        "4ABC01",
    }
    Letter.objects.filter(queue_id="4ABC44").delete()
    log.write(line(AT - timedelta(hours=2), "smtpd", "4ABCD02: client=x[192.0.2.7]"))
    log.write(line(AT - timedelta(hours=3), "smtpd", "4ABCD03: client=x[192.0.2.7]"))
    log.follow()
    assert set(Letter.objects.values_list("queue_id", flat=True)) == {
        "4ABC16",
        "4ABC14",
        "4ABC01",
        "4ABCD02",
    }


def test_reading_what_was_read_writes_nothing(
    household: Household, log: Log, django_assert_num_queries: object
) -> None:
    log.write(log.letters(1))
    log.follow()
    with django_assert_num_queries(1):  # type: ignore[operator]
        log.follow()


def test_the_machines_zone(tmp_path: Path) -> None:
    assert machine_zone(tmp_path / "none") is UTC
    rome = machine_zone(Path("/usr/share/zoneinfo/Europe/Rome"))
    assert datetime(2026, 7, 1, tzinfo=rome).utcoffset() == timedelta(hours=2)


def test_where_it_stands_is_one_row(household: Household, log: Log) -> None:
    log.write(log.letters(3))
    log.follow()
    assert LogPosition.objects.get().offset == log.path.stat().st_size


@given(st.lists(st.tuples(st.binary(max_size=40), st.sampled_from(["", "rename", "cut", "look"])), max_size=12))
def test_every_whole_line_is_read_once_however_it_is_written(steps: list[tuple[bytes, str]]) -> None:
    """Rotation happens between lines, as it does with one writer; a look may come at any moment."""
    with TemporaryDirectory() as folder:
        log, place, seen, written = Log(Path(folder) / "mail.log"), Place(), b"", b""
        log.write(b"Nov 22 the beginning\n")
        for number, (data, step) in enumerate(steps):
            chunk = data.replace(b"\n", b"") + (b"" if step == "look" else f" {number}\n".encode())
            log.write(chunk)
            written += chunk
            if step in {"rename", "cut"}:
                place, seen = read_all(log, place, seen)
                log.rotate() if step == "rename" else log.copy_and_cut()
                log.write(f"Nov 22 beginning {number}\n".encode())
            place, seen = read_all(log, place, seen) if step else (place, seen)
        log.write(b"\n")
        place, seen = read_all(log, place, seen)
    lines = [one for one in seen.split(b"\n") if one and b"beginning" not in one]
    assert lines == [one for one in written.split(b"\n") if one]


def read_all(log: Log, place: Place, seen: bytes) -> tuple[Place, bytes]:
    while piece := read_on(log.path, place, 1024):
        place, seen = piece.after, seen + piece.lines
    return place, seen
