"""Somebody is away: letters come in, the dispatcher lays their heads aside, and the right ones are answered, once."""

import os
import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

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
from domains.models import Alias, Mailbox
from policies.models import Contact, Reply, Vacation
from tests.host.family import ANNA, EMMA, KEYS, LUCA, MARCO, NONNA, fate, let_in, provider, submit, written
from tests.host.letters import stranger
from tests.host.machine import MailHost, start_filter, wait_for
from tests.host.waiting import Home, at_home

pytestmark = [pytest.mark.daemons, pytest.mark.django_db]
FRIEND = "friend@example.org"
DAY = timedelta(days=1)


@pytest.fixture
def home(mailhost: MailHost, db: None) -> Iterator[Home]:
    with at_home(mailhost) as family:
        empty(mailhost)
        yield family
    empty(mailhost)


def empty(host: MailHost) -> None:
    """Nothing waits in the queue, and nothing is laid aside."""
    host.run("postsuper", "-c", str(host.layout.postfix), "-d", "ALL")
    for path in host.layout.away.glob("*/new/*"):
        path.unlink()


def leave(home: Home, who: str = ANNA, **changes: Any) -> Vacation:
    """Somebody is away today, and it is live."""
    today = datetime.now(ZoneInfo("UTC")).date()
    said = {"text": "Torno lunedì.", "first": today - DAY, "last": today + DAY, **changes}
    with wishes(who, "a test"):
        row = Vacation(mailbox=Mailbox.objects.get(address=who), **said)
        row.save()
    home.settle()
    return row


def aside(home: Home, who: str = ANNA) -> list[Path]:
    """The heads that wait for somebody."""
    return list((home.host.layout.away / KEYS[who] / "new").glob("*"))


def comes(
    home: Home, author: str = NONNA, *more: str, to: str = ANNA, sender: str | None = None, rcpt: str = ""
) -> str:
    """A proven letter comes in at the door for the world; its token, once it lies in the inbox."""
    token, raw = written(f"From: A Friend <{author}>", *more, to=to)
    signed = provider(home.host.layout, author.partition("@")[2])(raw)
    let_in(home.host, signed, author if sender is None else sender, to=(rcpt or ANNA,))
    assert fate(home.host, token, rcpt or ANNA) == "deliver"
    return token


def tell(home: Home, now: datetime | None = None) -> list[str]:
    """What the worker does every five seconds; whom it has told by now."""
    vacations.tell("primary", now or datetime.now(UTC))
    return list(Reply.objects.order_by("pk").values_list("to", flat=True))


def sent_to(home: Home, address: str) -> list[str]:
    """The queue ids of letters from nobody to an address, by the log of this test's letters."""
    ids = re.findall(r"\]: (\w+): from=<>, size=\d+, nrcpt=1 \(queue active\)", home.host.log())
    return [one for one in dict.fromkeys(ids) if f"{one}: to=<{address}>" in home.host.log()]


def answers_to(home: Home, address: str, before: int = 0) -> list[str]:
    """Answers to somebody outside, as they wait in the queue."""
    ids = wait_for(lambda: sent_to(home, address)[before:], "the answer")
    words = ("postcat", "-c", str(home.host.layout.postfix), "-q")
    return [home.host.run(*words, one).stdout.decode() for one in ids]


def test_a_friend_is_told_once(home: Home) -> None:
    before = len(sent_to(home, NONNA))
    with wishes(ANNA, "a test"):
        person = User.objects.get(address=ANNA)
        person.name = "Mamma Anna"
        person.save()
    leave(home)
    token = comes(home, NONNA, "References: <0@gmail.com>")
    (head,) = aside(home)
    assert token in head.read_text()
    assert "Ciao!" not in head.read_text(), "the head alone"
    assert tell(home) == [NONNA]
    assert aside(home) == []
    (mail,) = answers_to(home, NONNA, before)
    assert "sender: \n" in mail
    assert f"recipient: {NONNA}" in mail
    for line in (
        f"From: Mamma Anna <{ANNA}>", f"To: {NONNA}", "Subject: Re: Ciao", "Auto-Submitted: auto-replied",
        f"In-Reply-To: <{token}@test.example>", "References: <0@gmail.com>", "Torno luned=C3=AC.",
    ):  # fmt: skip
        assert f"\n{line}\n" in mail, line
    comes(home, NONNA)
    assert len(aside(home)) == 1
    assert tell(home) == [NONNA]
    assert aside(home) == []
    comes(home, FRIEND)
    assert tell(home) == [NONNA, FRIEND]


def test_an_answer_to_one_of_ours_is_hers(home: Home) -> None:
    """It arrives proved, also where nobody is let in who is not listed."""
    leave(home, LUCA, subject="Sono al mare")
    token, raw = written(f"From: {EMMA}", to=LUCA)
    submit(home.host, EMMA, raw, to=(LUCA,))
    assert fate(home.host, token, LUCA) == "deliver"
    assert tell(home) == [EMMA]

    def arrived() -> list[bytes]:
        return [one for one in home.host.letters(KEYS[EMMA]) if f"In-Reply-To: <{token}@".encode() in one]

    (mail,) = wait_for(arrived, "the answer in Emma's inbox")
    assert mail.startswith(b"Return-Path: <>\n")
    for line in (f"X-Mailadmin-From: pass {LUCA} login", "X-Mailadmin-Auto: yes", "Subject: Sono al mare"):
        assert f"\n{line}\n".encode() in mail, line


def test_two_who_are_away_do_not_talk_for_ever(home: Home) -> None:
    leave(home, ANNA)
    leave(home, MARCO)
    token, raw = written(f"From: {ANNA}", to=MARCO)
    submit(home.host, ANNA, raw, to=(MARCO,))
    assert fate(home.host, token, MARCO) == "deliver"
    assert tell(home) == [ANNA]
    wait_for(
        lambda: any(f"In-Reply-To: <{token}@".encode() in one for one in home.host.letters(KEYS[ANNA])), "the answer"
    )
    assert (aside(home, ANNA), aside(home, MARCO)) == ([], [])
    assert tell(home) == [ANNA]


# How a letter comes that nobody is to be told of: whom the sender writes to, lines, the envelope's sender.
SILENT: dict[str, tuple[str, list[str], str | None]] = {
    "a list": (ANNA, ["List-Id: <club.example.org>"], None),
    "a list of another kind": (ANNA, ["List-Help: <mailto:x@example.org>"], None),
    "Precedence": (ANNA, ["Precedence: bulk"], None),
    "Auto-Submitted": (ANNA, ["Auto-Submitted: auto-replied"], None),
    "Auto-Submitted of a kind nobody knows": (ANNA, ["Auto-Submitted: x"], None),
    "Exchange": (ANNA, ["X-Auto-Response-Suppress: OOF"], None),
    "a newsletter": (ANNA, ["List-Unsubscribe: <https://example.org/>"], None),
    "nobody": (ANNA, [], ""),
    "another sender": (ANNA, [], "bounces+anna@example.org"),
    "not to her": (MARCO, [], None),
    "to nobody": ("undisclosed-recipients:;", [], None),
    "to several of ours": ("kids@myfamily.net", [], None),
    "to her name only": (f'"{ANNA}" <{MARCO}>', [], None),
    "to her in a comment": (f"({ANNA}) {MARCO}", [], None),
    "copied blindly": (MARCO, [f"Bcc: {ANNA}", f"X-To: {ANNA}", f"Resent-To: {ANNA}"], None),
}


@pytest.mark.parametrize("what", SILENT)
def test_nobody_is_told_by(home: Home, what: str) -> None:
    to, lines, sender = SILENT[what]
    leave(home)
    comes(home, FRIEND, *lines, to=to, sender=sender)
    assert tell(home) == []
    assert aside(home) == []
    comes(home, FRIEND)
    assert tell(home) == [FRIEND], "or else this test would say nothing"


@pytest.mark.parametrize("local", ["noreply", "owner-club", "club-request", "mailer-daemon"])
def test_a_role_is_told_nothing(home: Home, local: str) -> None:
    leave(home)
    comes(home, f"{local}@example.org")
    assert tell(home) == []
    assert aside(home) == []


def test_who_only_claims_to_be_somebody_is_told_nothing(home: Home) -> None:
    leave(home)
    token, raw = written(f"From: {FRIEND}", to=ANNA)
    let_in(home.host, raw, FRIEND, to=(ANNA,))
    assert fate(home.host, token, ANNA) == "deliver"
    assert tell(home) == []


def test_what_looks_like_spam_is_not_answered(home: Home) -> None:
    leave(home)
    comes(home)
    (path,) = aside(home)
    head = path.read_text()
    path.write_text(re.sub(r"X-Mailadmin-Spam: .*", "X-Mailadmin-Spam: spam 8.0", head))
    assert tell(home) == []
    plant(home, head.encode())
    assert tell(home) == [NONNA]


@pytest.mark.parametrize("to", ["ANNA@MyFamily.NET", "anna+x@myfamily.net", f"x@y.test, Anna <{ANNA}>", f"Us: {ANNA};"])
def test_her_address_however_it_is_written_is_hers(home: Home, to: str) -> None:
    leave(home)
    comes(home, FRIEND, to=to)
    assert tell(home) == [FRIEND]


def test_a_copy_counts_too_and_an_address_that_leads_to_her_alone(home: Home) -> None:
    with wishes(ANNA, "a test"):
        domain = Mailbox.objects.get(address=ANNA).domain
        Alias(domain=domain, address="mamma@myfamily.net", targets=[ANNA]).save()
        Alias(domain=domain, address="all@myfamily.net", targets=[ANNA, MARCO]).save()
    leave(home)
    comes(home, FRIEND, to="all@myfamily.net")
    assert tell(home) == []
    comes(home, FRIEND, f"Cc: {ANNA}", to="x@y.test")
    assert tell(home) == [FRIEND]
    comes(home, NONNA, to="mamma@myfamily.net")
    assert tell(home) == [FRIEND, NONNA]


def test_oneself_is_told_nothing(home: Home) -> None:
    leave(home)
    token, raw = written(f"From: {ANNA}", to=ANNA)
    submit(home.host, ANNA, raw, to=(ANNA,))
    assert fate(home.host, token, ANNA) == "deliver"
    assert tell(home) == []
    assert aside(home) == []


def test_who_is_bound_answers_only_to_whom_she_may_write(home: Home) -> None:
    """Who may write to her is not always somebody to whom she may."""
    home.allow(FRIEND, direction="in")
    leave(home, EMMA)
    comes(home, FRIEND, to=EMMA, rcpt=EMMA)
    comes(home, NONNA, to=EMMA, rcpt=EMMA)
    assert len(aside(home, EMMA)) == 2
    assert tell(home) == [NONNA]
    assert aside(home, EMMA) == []
    with wishes(ANNA, "a test"):
        contact = Contact.objects.get(address=FRIEND)
        contact.direction = "both"
        contact.save()
    home.settle()
    comes(home, FRIEND, to=EMMA, rcpt=EMMA)
    assert tell(home) == [NONNA, FRIEND]


def test_a_letter_that_is_held_is_not_answered(home: Home) -> None:
    leave(home, EMMA)
    token, raw = written(f"From: {FRIEND}", to=EMMA)
    let_in(home.host, provider(home.host.layout, "example.org")(raw), FRIEND)
    assert fate(home.host, token) == "in-5.stranger"
    assert aside(home, EMMA) == []
    assert tell(home) == []


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


def plant(home: Home, data: bytes, key: str = KEYS[ANNA], age: float = 0) -> Path:
    """Lay something where the dispatcher lays heads."""
    folder = home.host.layout.away / key / "new"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"1.{uuid.uuid4().hex}.x"
    path.write_bytes(data)
    os.utime(path, (time.time() - age,) * 2)
    return path


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
