"""Answers of who is away: again after some days, not after that, and whatever goes wrong in between, once."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Community, User
from accounts.wishes import wishes
from deploy import services
from deploy.host import away
from deploy.host.replies import Asked
from deploy.host.submission import NotTaken
from deploy.models import MailHost as HostRow
from deploy.services import vacations
from policies.models import Reply, Vacation
from tests.host.family import ANNA, EMMA, KEYS, NONNA, fate, let_in, provider, written
from tests.host.leave import DAY, FRIEND, answers_to, aside, comes, empty, leave, plant, sent_to, tell
from tests.host.letters import stranger
from tests.host.machine import MailHost, start_filter, wait_for
from tests.host.waiting import Home, at_home

pytestmark = [pytest.mark.daemons, pytest.mark.django_db]


@pytest.fixture
def home(mailhost: MailHost, db: None) -> Iterator[Home]:
    with at_home(mailhost) as family:
        empty(mailhost)
        yield family
    empty(mailhost)


def test_the_same_is_told_again_after_some_days(home: Home) -> None:
    vacation = leave(home, days=3)
    comes(home)
    assert tell(home) == [NONNA]
    for when, again in ((2.9, 1), (3.1, 2)):
        comes(home)
        Reply.objects.filter(to=NONNA).update(when=datetime.now(UTC) - when * DAY)
        with wishes(ANNA, "a test"):
            vacation.first = vacation.first - 5 * DAY
            vacation.save()
        assert len(tell(home)) == again, when


def test_who_was_told_of_another_absence_is_told_of_this_one(home: Home) -> None:
    leave(home, days=30)
    Reply.objects.create(key=KEYS[ANNA], to=NONNA, when=datetime.now(UTC) - 3 * DAY)
    comes(home)
    assert tell(home) == [NONNA, NONNA]


def test_there_is_an_end_of_answers_in_a_day(home: Home) -> None:
    leave(home)
    rows = [Reply(key=KEYS[ANNA], to=f"x{n}@y.test", when=datetime.now(UTC)) for n in range(vacations.MOST_A_DAY)]
    Reply.objects.bulk_create(rows)
    comes(home)
    assert NONNA not in tell(home)
    assert aside(home) == []
    Reply.objects.update(when=datetime.now(UTC) - DAY)
    comes(home)
    assert NONNA in tell(home)


def test_old_rows_go(home: Home) -> None:
    leave(home)
    Reply.objects.create(key=KEYS[ANNA], to="x@y.test", when=datetime.now(UTC) - timedelta(days=101))
    comes(home)
    assert tell(home) == [NONNA]


def test_who_is_back_answers_nobody(home: Home) -> None:
    vacation = leave(home)
    comes(home)
    with wishes(ANNA, "a test"):
        vacation.last = vacation.first
        vacation.save()
    assert tell(home) == []
    assert aside(home) == []
    home.settle()
    comes(home)
    assert aside(home) == [], "nothing is laid aside any more"


def test_the_days_are_those_where_she_lives(home: Home) -> None:
    with wishes(ANNA, "a test"):
        family = Community.objects.get()
        family.timezone = "Pacific/Kiritimati"  # 14 hours ahead
        family.save()
    today = datetime(2026, 11, 25, tzinfo=UTC).date()
    vacation = leave(home, first=today, last=today)
    for hours, there in ((-15, False), (-13, True), (9, True), (11, False)):
        now = datetime(2026, 11, 25, tzinfo=UTC) + timedelta(hours=hours)
        assert vacations.is_away(Vacation.objects.get(pk=vacation.pk), now) == there, hours


def test_of_a_closed_mailbox_nobody_is_told(home: Home) -> None:
    leave(home)
    comes(home)
    comes(home, FRIEND)
    with wishes(ANNA, "a test"):
        person = User.objects.get(address=ANNA)
        person.active = False
        person.save()
    assert tell(home) == []
    assert aside(home) == []


def test_a_day_later_nobody_is_told(home: Home) -> None:
    leave(home)
    comes(home)
    assert tell(home, datetime.now(UTC) + DAY) == []
    assert aside(home) == []


def test_a_mail_host_that_is_down_is_waited_for(home: Home) -> None:
    leave(home)
    comes(home)
    home.host.running.control("stop", "postfix")
    try:
        assert tell(home) == []
        assert len(aside(home)) == 1
    finally:
        home.host.running.control("start", "postfix")
    wait_for(lambda: tell(home) == [NONNA], "the mail host", 30)
    assert aside(home) == []


def test_a_filter_that_is_down_is_waited_for(home: Home) -> None:
    leave(home)
    comes(home)
    home.host.running.control("stop", "rspamd")
    try:
        assert tell(home) == []
        assert len(aside(home)) == 1
    finally:
        start_filter(home.host)
    wait_for(lambda: tell(home) == [NONNA], "the filter", 30)


@pytest.mark.parametrize("end", [KeyboardInterrupt(), NotTaken("no", refused=True)])
def test_who_dies_on_the_way_tells_nothing_twice(home: Home, end: BaseException) -> None:
    """Nor is he told again who cannot be told."""
    leave(home)
    comes(home)

    def submit(_letter: bytes, _to: str) -> None:
        raise end

    waiting = away.found(home.host.layout)
    try:
        vacations.look(home.host.layout, waiting, datetime.now(UTC), submit)
    except KeyboardInterrupt:
        assert len(aside(home)) == 1
    assert tell(home) == [NONNA]
    assert aside(home) == []
    assert not [one for one in sent_to(home, NONNA) if home.queue_of(one)]


@pytest.mark.parametrize(
    "change",
    [
        lambda head: head + b"X: y\n" * 2_000_000,
        lambda head: b"",
        lambda head: b"\0" * 1000,
        lambda head: head[: len(head) // 2],
        lambda head: head.replace(b"X-Mailadmin-Auto: no", b"X-Mailadmin-Auto: no\nX-Mailadmin-Auto: no"),
        lambda head: head.replace(b"Return-Path", b"X: y\nReturn-Path"),
        lambda head: b"From x Mon\n" + head,
        lambda head: head.replace(b"\n", b"\r\n"),
    ],
    ids=["10 MB", "nothing", "NUL", "half", "twice", "below", "mbox", "CRLF"],
)
def test_what_is_no_whole_head_is_taken_away(home: Home, change: Any) -> None:
    leave(home)
    comes(home)
    (path,) = aside(home)
    head = path.read_bytes()
    path.unlink()
    plant(home, change(head))
    assert tell(home) == []
    assert aside(home) == []
    plant(home, head)
    assert tell(home) == [NONNA]


def test_what_lies_there_beside_heads_does_no_harm(home: Home) -> None:
    """For nobody's mailbox, links, pipes and folders."""
    leave(home)
    comes(home)
    (path,) = aside(home)
    for key in ("f" * 16, "nobody"):
        plant(home, path.read_bytes(), key)
    (path.parent / "link").symlink_to("/etc/passwd")
    os.mkfifo(path.parent / "pipe")
    (path.parent / "folder").mkdir()
    for name in ("link", "pipe", "folder"):
        os.utime(path.parent / name, (1, 1), follow_symlinks=False)  # older: they come first
    try:
        assert tell(home) == [NONNA]
        assert not list((home.host.layout.away / ("f" * 16) / "new").iterdir())
        assert {one.name for one in aside(home)} == {"link", "pipe", "folder"}
        assert Path("/etc/passwd").exists()
    finally:
        (path.parent / "folder").rmdir()


def test_a_letter_with_a_long_history_is_answered(home: Home) -> None:
    before = len(sent_to(home, NONNA))
    leave(home)
    many = [f"<{number}@gmail.com>" for number in range(1_000)]
    comes(home, NONNA, "References: " + "\r\n\t".join(many), f"Reply-To: x@y.test, {'a' * 500}@y.test")
    assert tell(home) == [NONNA]
    (mail,) = answers_to(home, NONNA, before)
    assert "<0@gmail.com>\n <991@gmail.com>" in mail
    assert "y.test" not in mail


@pytest.mark.parametrize(
    "subject", ["=?utf-8?q?a=0D=0ABcc:_x=40y.test?=", "=?utf-8?q?=0D=0A=0D=0Ax?=", "a\r\n\tBcc: x@y.test"]
)
def test_no_line_comes_out_of_an_encoded_word(home: Home, subject: str) -> None:
    before = len(sent_to(home, NONNA))
    leave(home)
    token, raw = written(f"From: {NONNA}", to=ANNA)
    raw = raw.replace(b"Subject: Ciao", f"Subject: {subject}".encode())
    let_in(home.host, provider(home.host.layout, "gmail.com")(raw), NONNA, to=(ANNA,))
    assert fate(home.host, token, ANNA) == "deliver"
    assert tell(home) == [NONNA]
    (mail,) = answers_to(home, NONNA, before)
    assert not re.search(r"^bcc:", mail, re.MULTILINE | re.IGNORECASE)
    assert mail.count("\nTo: ") == 1


def test_the_agent_can_do_it_and_the_panel_cannot_look(home: Home) -> None:
    leave(home)
    comes(home)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\nfrom pathlib import Path\nfrom deploy.host import away\n"
        "from deploy.host.layout import Layout\nlayout = Layout.read(Path(sys.argv[2]))\n"
        "for one in away.found(layout): print(len(away.read(one)) > 100); away.drop(one)"
    )
    words = ("/usr/bin/python3", "-c", code, str(home.host.code), str(home.host.layout.etc / "host.json"))
    for user in ("mailadmin", "nobody", "postfix", "_rspamd"):
        assert home.host.run(*words, user=user).stdout == b"", user
        assert len(aside(home)) == 1
    done = home.host.run(*words, user="mailadmin-agent")
    assert (done.stdout, done.stderr) == (b"True\n", b"")
    assert aside(home) == []


@pytest.mark.parametrize(("language", "subject"), [("it", "Re: la tua lettera"), ("en", "Re: your letter")])
def test_without_a_subject_she_says_it_in_her_language(home: Home, language: str, subject: str) -> None:
    with wishes(ANNA, "a test"):
        person = User.objects.get(address=ANNA)
        person.language = language
        person.save()
    vacation = leave(home)
    asked = Asked(NONNA, (ANNA,), "", "", ())
    assert vacations.words(Vacation.objects.get(pk=vacation.pk), asked).subject in (subject, "Re: your letter")
    assert vacations.words(vacation, Asked(NONNA, (ANNA,), "Ciao", "", ())).subject == "Re: Ciao"


def test_another_host_and_a_second_worker_leave_it_alone(home: Home) -> None:
    leave(home)
    comes(home)
    HostRow.objects.update(role="backup")
    assert tell(home) == []
    assert len(aside(home)) == 1
    HostRow.objects.update(role="primary")
    with services.alone("away"):
        assert tell(home) == []
    assert tell(home) == [NONNA]


def test_the_queries_do_not_grow_with_what_is_not_answered(home: Home) -> None:
    leave(home)
    comes(home)
    (path,) = aside(home)
    head = path.read_bytes().replace(b"X-Mailadmin-Auto: no", b"X-Mailadmin-Auto: yes")

    def count(letters: int) -> int:
        for _number in range(letters):
            plant(home, head)
        with CaptureQueriesContext(connection) as queries:
            vacations.tell("primary", datetime.now(UTC))
        return len(queries)

    path.unlink()
    assert count(1) == count(50) < 8


def test_nobody_waits_for_who_has_nothing_aside(home: Home) -> None:
    with CaptureQueriesContext(connection) as queries:
        vacations.tell("primary", datetime.now(UTC))
    assert len(queries) == 1


def test_a_stranger_cannot_write_as_her_answer(home: Home) -> None:
    """A null sender at the door for the world is nobody's proof."""
    token, raw = written(f"From: {ANNA}", "Auto-Submitted: auto-replied", to=EMMA)
    with stranger(home.host.layout) as dialogue:
        dialogue.sendmail("", [EMMA], raw)
    assert fate(home.host, token) == "in-3.unproven"
