"""Somebody is away: letters come in, the dispatcher lays their heads aside, and the right ones are answered, once."""

import re
from collections.abc import Iterator

import pytest

from accounts.models import User
from accounts.wishes import wishes
from domains.models import Alias, Mailbox
from policies.models import Contact
from tests.host.family import ANNA, EMMA, KEYS, LUCA, MARCO, NONNA, fate, let_in, provider, submit, written
from tests.host.leave import FRIEND, answers_to, aside, comes, empty, leave, plant, sent_to, tell
from tests.host.machine import MailHost, wait_for
from tests.host.waiting import Home, at_home

pytestmark = [pytest.mark.daemons, pytest.mark.django_db]


@pytest.fixture
def home(mailhost: MailHost, db: None) -> Iterator[Home]:
    with at_home(mailhost) as family:
        empty(mailhost)
        yield family
    empty(mailhost)


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
