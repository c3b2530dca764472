"""Forwards, from the rule of a mailbox to the next one: proof and facts stay, circles end, nothing is lost."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.snapshot import Action, Filter, Rule, Snapshot
from tests.host.family import ANNA, EMMA, HOME, KEYS, LUCA, MARCO, NONNA, fate, let_in, provider, settle, written
from tests.host.machine import MailHost, start_filter, wait_for, wait_with_retries
from tests.host.test_post_door import found

pytestmark = pytest.mark.daemons
NOBODY = "nobody@myfamily.net"
HANDED_OVER = Action("discard")


def every(*then: Action) -> Rule:
    """A forwarding, as it is gathered."""
    return Rule("forward", "Every letter goes on.", "all", (), then)


def forwarding(generation: int, **to: tuple[Action, ...]) -> Snapshot:
    """The family, some of whom forward."""
    rows = (Filter(f"{name}@myfamily.net", (every(*then),)) for name, then in sorted(to.items()))
    return replace(HOME, generation=generation, filters=tuple(rows))


@pytest.fixture(scope="module", autouse=True)
def _home(mailhost: MailHost) -> Iterator[None]:
    settle(mailhost)
    yield
    settle(mailhost, replace(HOME, generation=99))
    mailhost.run("postsuper", "-c", str(mailhost.layout.postfix), "-d", "ALL")


def writes(host: MailHost, author: str, to: str, *more: str) -> str:
    """A proven letter comes in; its token."""
    token, raw = written(f"From: A Friend <{author}>", *more, to=to)
    let_in(host, provider(host.layout, author.partition("@")[2])(raw), author, to=(to,))
    return token


def lies(host: MailHost, token: str, whose: str) -> list[str]:
    """The folders in which somebody has this letter; the inbox is `.`."""
    top = host.layout.mail / KEYS[whose] / "Maildir"
    mine = [path for path in top.rglob("new/*") if token.encode() in path.read_bytes()]
    return sorted(str(path.parent.parent.relative_to(top)) for path in mine)


def said(host: MailHost, whose: str, before: int) -> list[str]:
    """What became of somebody's forwards, by the log."""
    lines = host.log("procmail.log")[before:].splitlines()
    return [line.rpartition(" ")[2] for line in lines if f"box={KEYS[whose]} " in line and "forward=" in line]


def test_what_is_forwarded_to_a_sister_keeps_its_proof(mailhost: MailHost) -> None:
    """Nonna is on Emma's list. A stranger is not, whoever forwards his letter."""
    mailhost.apply(forwarding(2, luca=(Action("forward", EMMA),)))
    token = writes(mailhost, NONNA, LUCA)
    assert fate(mailhost, token) == "deliver"
    assert fate(mailhost, token, LUCA) == "deliver"
    facts = found(mailhost, token)
    assert facts == found(mailhost, token, LUCA)
    assert facts["From"] == f"pass {NONNA} dmarc"
    assert (facts["To"], facts["Auto"]) == (LUCA, "no")
    token = writes(mailhost, "x@example.org", LUCA, f"X-Mailadmin-From: pass {NONNA} dmarc", "X-Mailadmin-Auto: no")
    assert fate(mailhost, token, LUCA) == "deliver"
    assert fate(mailhost, token) == "in-5.stranger"


def test_a_letter_in_a_circle_ends(mailhost: MailHost) -> None:
    """No wish makes one; should there be one nevertheless, each has the letter, and it stops."""
    mailhost.apply(forwarding(3, anna=(Action("forward", MARCO),), marco=(Action("forward", ANNA),)))
    before = len(mailhost.log("procmail.log"))
    token = writes(mailhost, NONNA, ANNA)
    wait_for(lambda: said(mailhost, ANNA, before) == ["forward=sent", "forward=loop"], "the end", 60)
    assert said(mailhost, MARCO, before) == ["forward=sent"]
    wait_for(
        lambda: (lies(mailhost, token, ANNA), lies(mailhost, token, MARCO)) == ([".", "."], ["."]),
        "the letters: what is said of one comes before it lies there",
    )


def test_handed_over_it_lies_in_the_trash_and_refused_in_the_inbox(mailhost: MailHost) -> None:
    mailhost.apply(forwarding(4, anna=(Action("forward", MARCO), HANDED_OVER)))
    token = writes(mailhost, NONNA, ANNA)
    wait_for(lambda: lies(mailhost, token, MARCO) == ["."], "the letter")
    wait_for(lambda: lies(mailhost, token, ANNA) == [".Trash"], "the letter in the trash")
    suspended = tuple(replace(box, active=box.address != MARCO) for box in HOME.mailboxes)
    mailhost.apply(replace(forwarding(5, anna=(Action("forward", MARCO), HANDED_OVER)), mailboxes=suspended))
    before = len(mailhost.log("procmail.log"))
    token = writes(mailhost, NONNA, ANNA)
    wait_for(lambda: lies(mailhost, token, ANNA) == ["."], "the letter in the inbox")
    assert said(mailhost, ANNA, before) == ["forward=refused"]


def test_a_letter_without_a_sender_is_not_sent_on(mailhost: MailHost) -> None:
    mailhost.apply(forwarding(6, anna=(Action("forward", MARCO), HANDED_OVER)))
    token, raw = written(f"From: A Friend <{NONNA}>", to=ANNA)
    let_in(mailhost, provider(mailhost.layout, "gmail.com")(raw), "", to=(ANNA,))
    wait_for(lambda: lies(mailhost, token, ANNA) == ["."], "the letter in the inbox")
    assert lies(mailhost, token, MARCO) == []


def test_while_nothing_can_be_sent_on_the_letter_waits(mailhost: MailHost) -> None:
    mailhost.apply(forwarding(7, anna=(Action("forward", MARCO),)))
    path = mailhost.layout.etc / "post-login"
    login = path.read_text()
    path.write_text("nobody x\n")
    try:
        token = writes(mailhost, NONNA, ANNA)
        wait_for(lambda: "wait=forward" in mailhost.log("procmail.log"), "the letter to wait")
        assert (lies(mailhost, token, ANNA), lies(mailhost, token, MARCO)) == ([], [])
    finally:
        path.write_text(login)
        start_filter(mailhost)
    wait_with_retries(
        mailhost,
        lambda: (lies(mailhost, token, ANNA), lies(mailhost, token, MARCO)) == (["."], ["."]),
        "the letter",
    )
