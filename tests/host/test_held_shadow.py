"""What the doors would say is asked at their shadows: the same answers, and no letter ever gets in there."""

import smtplib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deploy.host.layout import Layout
from deploy.host.shadow import WOULD_BE_HELD, ShadowError, ask, path, would_be_held
from reports.parse import Clock, events
from tests.host.letters import HOUSE, WORD, answer, letter, signed_in, stranger
from tests.host.machine import MailHost, wait_for
from tests.host.test_outgoing_lists import ANNA, EMMA, GINO, IVO, LUCA, NONNA, PEOPLE, SARA, SCHOOL, STRANGER

pytestmark = pytest.mark.daemons


@pytest.fixture(scope="module", autouse=True)
def _people(mailhost: MailHost) -> Iterator[None]:
    mailhost.apply(PEOPLE)
    yield
    mailhost.apply(HOUSE)


def queued(host: MailHost) -> int:
    """How many letters are in the queue, complete or not."""
    folders = ("incoming", "active", "deferred", "hold", "maildrop")
    return sum(1 for name in folders for path in (host.var / "spool/postfix" / name).rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("login", "recipient"),
    [
        *((EMMA, one) for one in (STRANGER, NONNA, SCHOOL, ANNA, "kids@myfamily.net", "friends@myfamily.net")),
        *((EMMA, one) for one in ("bidello@scuola-verdi.edu.it", "theo@myfamily.net", "nobody@elsewhere.myfamily.net")),
        *((EMMA, one) for one in ("nonna.rosa+x@gmail.com", "a b@x.example", 'q"x@x.example', "x@[192.0.2.1]")),
        (EMMA, "ünal@outside.example"),
        (GINO, STRANGER),
        (GINO, "orders@partner.example"),
        (IVO, "orders@partner.example"),
        (LUCA, STRANGER),
        (SARA, "spy@partner.example"),
    ],
)
def test_the_shadow_of_submission_says_what_submission_says(mailhost: MailHost, login: str, recipient: str) -> None:
    more = "" if recipient.isascii() else " SMTPUTF8"
    with signed_in(mailhost.layout, login) as dialogue:
        dialogue.docmd(f"MAIL FROM:<{login}>{more}")
        dialogue.send(f"RCPT TO:{path(recipient)}\r\n".encode())
        number, said = dialogue.getreply()
        door = f"{number} {said.decode()}"
    code, text = ask(mailhost.layout, recipient, login=login, sender=login, client="192.0.2.7", helo="laptop")
    if would_be_held(code, text):
        assert door.startswith("250"), door
        assert WOULD_BE_HELD in text
    else:
        assert f"{code} {text}" == " ".join(door.split())


def test_who_asks_first_would_be_held(mailhost: MailHost) -> None:
    said = {one: would_be_held(*ask(mailhost.layout, one, login=EMMA, sender=EMMA)) for one in (STRANGER, NONNA, ANNA)}
    assert said == {STRANGER: True, NONNA: False, ANNA: False}
    assert ask(mailhost.layout, STRANGER, login=LUCA, sender=LUCA)[0] == 250
    assert ask(mailhost.layout, STRANGER, login=EMMA, sender=LUCA)[0] == 553


@pytest.mark.parametrize("recipient", [ANNA, "kids@myfamily.net", STRANGER, "nobody@elsewhere.myfamily.net"])
@pytest.mark.parametrize("sender", ["y@other.example", EMMA, ""])
def test_the_shadow_of_the_door_for_the_world_says_the_same(mailhost: MailHost, sender: str, recipient: str) -> None:
    with stranger(mailhost.layout) as dialogue:
        door = answer(dialogue, sender, recipient)
    code, text = ask(mailhost.layout, recipient, sender=sender, client="2001:db8::7", helo="mx.other.example")
    assert f"{code} {text}" == " ".join(door.split())


@pytest.mark.parametrize("address", ["a\nb@x.example", "x@y\r\nQUIT", "x@a b", "a\0@b.example", "x@<y>"])
def test_an_address_that_no_command_can_hold_is_not_asked(mailhost: MailHost, address: str) -> None:
    with pytest.raises(ShadowError, match="cannot be asked"):
        ask(mailhost.layout, address, login=EMMA, sender=EMMA)


def test_a_door_that_is_closed_is_one_sentence(mailhost: MailHost) -> None:
    with pytest.raises(ShadowError, match="cannot be asked"):
        ask(replace(mailhost.layout, shadow_smtp=1), ANNA, sender="")


def shadow(layout: Layout, port: int) -> smtplib.SMTP:
    """A dialogue with a shadow."""
    dialogue = smtplib.SMTP(layout.address, port, local_hostname="evil.example", timeout=30)
    dialogue.ehlo()
    return dialogue


CLAIM = f"XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.7 LOGIN={EMMA}"


@pytest.mark.parametrize("way", ["DATA", "BDAT", "BDAT in pieces", "BDAT at once"])
@pytest.mark.parametrize("who", ["signed in", "claimed", "anybody"])
def test_a_shadow_takes_no_letter(mailhost: MailHost, who: str, way: str) -> None:
    port = mailhost.layout.shadow_smtp if who == "anybody" else mailhost.layout.shadow_submission
    before = queued(mailhost)
    with shadow(mailhost.layout, port) as dialogue:
        if who == "signed in":
            dialogue.login(EMMA, WORD)
        if who == "claimed":
            assert dialogue.docmd(CLAIM)[0] == 220
            dialogue.ehlo()
        assert dialogue.mail("y@other.example" if who == "anybody" else EMMA)[0] == 250
        assert dialogue.rcpt(ANNA)[0] == 250
        text = letter("through the shadow")
        if way == "DATA":
            assert dialogue.docmd("DATA")[0] == 554
        else:
            sizes = [f"{len(text)} LAST"] if way != "BDAT in pieces" else [f"{len(text)}", "0 LAST"]
            for size in sizes:
                dialogue.putcmd(f"BDAT {size}")
                dialogue.send(text if not size.startswith("0") else b"")
                assert dialogue.getreply()[0] in (503, 551, 554)
    wait_for(lambda: queued(mailhost) <= before, "the end of what was begun")
    assert not any(b"through the shadow" in one for one in mailhost.letters("0000000000000001"))


def test_a_shadow_relays_nothing_and_gives_nobody_a_login(mailhost: MailHost) -> None:
    with shadow(mailhost.layout, mailhost.layout.shadow_smtp) as dialogue:
        assert "auth" not in dialogue.esmtp_features
        assert answer(dialogue, "y@other.example", "x@elsewhere.example").startswith("554 5.7.1")
        assert dialogue.docmd("ETRN myfamily.net")[0] >= 500
    with shadow(mailhost.layout, mailhost.layout.shadow_submission) as dialogue:
        assert answer(dialogue, EMMA, ANNA).startswith("5")
        dialogue.rset()
        with pytest.raises(smtplib.SMTPAuthenticationError):
            dialogue.login(EMMA, "wrong")
    for port in (mailhost.layout.smtp, mailhost.layout.submission):
        with shadow(mailhost.layout, port) as dialogue:
            assert "xclient" not in dialogue.esmtp_features
            assert dialogue.docmd(CLAIM)[0] >= 500


def test_what_a_shadow_is_asked_counts_nowhere(mailhost: MailHost) -> None:
    before = len(mailhost.log())
    ask(mailhost.layout, STRANGER, login=EMMA, sender=EMMA)
    ask(mailhost.layout, ANNA, sender="y@other.example")
    said = mailhost.log()[before:]
    assert "shadow/smtpd" in said
    own = "".join(line for line in said.splitlines(keepends=True) if "shadow/" in line)
    assert not list(events(own.encode(), Clock(datetime.now(UTC), UTC)))
