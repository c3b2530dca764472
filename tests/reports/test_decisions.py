"""What was decided is a row for each letter and mailbox, once, through rotation, cuts, restarts and second attempts."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from policies.models import Decision, RuleAct
from reports import decisions
from reports.models import LogPosition

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
KEY = "eeeeeeeeeeeeeee1"


class Log:
    """procmail's log, and the worker that reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0

    def write(
        self, count: int, decided: str = "hold in-5 stranger evil@other.test pass/dmarc *", more: bytes = b""
    ) -> None:
        """So many letters, each with an id of its own."""
        with self.path.open("ab") as file:
            for number in range(self.number, self.number + count):
                file.write(f"queue={queue_id(number)} box={KEY} {decided}\n".encode() + more)
        self.number += count

    def follow(self, most: int = 1 << 20) -> int:
        """What the worker does every two seconds."""
        return decisions.follow("primary", self.path, NOW, most=most)

    def rotate(self) -> None:
        """What logrotate does."""
        for number in (2, 1):
            older = self.path.with_name(f"procmail.log.{number}")
            if older.exists():
                older.rename(self.path.with_name(f"procmail.log.{number + 1}"))
        self.path.rename(self.path.with_name("procmail.log.1"))


def queue_id(number: int) -> str:
    """An id that no other has."""
    return "4jZRWv" + "".join("0123456789"[int(digit)] for digit in f"{number:04}") + "zJMbZ"


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "procmail.log")


def test_each_line_is_a_row_once(log: Log) -> None:
    for total in (1, 2, 3):
        log.write(1)
        log.follow()
        log.follow()
        assert Decision.objects.count() == total
    row = Decision.objects.last()
    assert row is not None
    assert (row.host, row.key, row.direction, row.verdict, row.station) == ("primary", KEY, "in", "hold", "in-5")
    assert (row.reason, row.author, row.proof, row.entry) == ("stranger", "evil@other.test", "pass/dmarc", "*")
    assert row.when == datetime(2026, 11, 25, 17, 30, 3, tzinfo=UTC)


def test_through_rotation_a_cut_and_a_copy(log: Log) -> None:
    log.write(5)
    log.follow()
    log.write(5)
    log.rotate()
    log.write(5)
    log.follow()
    log.follow()
    assert Decision.objects.count() == 15
    log.write(5)
    shutil.copyfile(log.path, log.path.with_name("procmail.log.1"))
    os.truncate(log.path, 0)
    log.write(5)
    log.follow()
    log.follow()
    assert Decision.objects.count() == 25
    os.truncate(log.path, 0)
    log.write(5)
    log.follow()
    assert Decision.objects.count() == 30


def test_small_pieces_and_half_lines_give_the_same(log: Log) -> None:
    log.write(20, more=b"procmail: something else\nqueue=x wait=recipe\n")
    with log.path.open("ab") as file:
        file.write(f"queue={queue_id(99)} box={KEY} hold in-5 str".encode())
    while log.follow(most=150):
        pass
    assert Decision.objects.count() == 20
    with log.path.open("ab") as file:
        file.write(b"anger x@y.z pass/dkim *\n")
    log.follow()
    assert Decision.objects.count() == 21


def test_of_a_letter_that_was_tried_again_the_last_line_counts(log: Log) -> None:
    log.write(2)
    log.number = 1
    log.write(1, "deliver in-8 - evil@other.test pass/dmarc evil@other.test")
    log.number = 0
    log.follow()
    log.write(1, "hold in-6 content evil@other.test pass/dmarc evil@other.test")
    log.follow()
    assert dict(Decision.objects.values_list("queue_id", "station")) == {queue_id(0): "in-6", queue_id(1): "in-8"}


def test_a_letter_to_two_mailboxes_is_two(log: Log) -> None:
    log.write(1)
    with log.path.open("ab") as file:
        file.write(log.path.read_bytes().replace(KEY.encode(), b"b" * 16))
    log.follow()
    assert sorted(Decision.objects.values_list("key", flat=True)) == ["b" * 16, KEY]


def test_each_log_has_its_own_place(log: Log) -> None:
    log.write(1)
    log.follow()
    place = LogPosition.objects.get()
    assert (place.host, place.log, place.offset) == ("primary", "procmail.log", log.path.stat().st_size)
    decisions.follow("second", log.path, NOW)
    assert Decision.objects.filter(host="second").count() == 1


def test_nothing_new_is_one_query(log: Log, django_assert_num_queries: object) -> None:
    log.write(3)
    log.follow()
    with django_assert_num_queries(1):  # type: ignore[operator]
        log.follow()


def test_after_three_weeks_they_go(log: Log) -> None:
    log.write(2)
    log.follow()
    decisions.forget("primary", NOW + timedelta(days=20, hours=23))
    assert Decision.objects.count() == 2
    decisions.forget("second", NOW + timedelta(days=22))
    assert Decision.objects.count() == 2
    decisions.forget("primary", NOW + timedelta(days=22))
    assert Decision.objects.count() == 0


def test_what_rules_did_is_counted_once_for_each_letter(log: Log) -> None:
    def act(number: int, rule: str, key: str = KEY) -> bytes:
        return f"queue={queue_id(number)} box={key} rule={rule}\n".encode()

    rule, other = "0" * 15 + "1", "0" * 15 + "2"
    lines = [act(1, rule), act(2, rule), act(2, "spam"), act(1, rule), act(3, other, "f" * 16), b"queue=x rule=1\n"]
    log.path.write_bytes(b"".join(lines))
    log.follow()
    log.path.write_bytes(b"".join([*lines, act(2, rule), act(4, other), b"rule=" + rule.encode() + b"\n"]))
    log.follow()
    rows = RuleAct.objects.filter(key=KEY).order_by("rule", "queue_id").values_list("rule", "queue_id")
    assert sorted(rows) == sorted(
        [(rule, queue_id(1)), (rule, queue_id(2)), (other, queue_id(4)), ("spam", queue_id(2))]
    )
    assert not Decision.objects.exists()
    decisions.forget("primary", NOW + timedelta(days=31))
    assert not RuleAct.objects.exists()
