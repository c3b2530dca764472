"""Who may no longer sign in is out within three seconds, at every door; and what that costs nobody else."""

import imaplib
import poplib
import smtplib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deploy.snapshot import Alias, Domain, Snapshot
from tests.host.letters import ANNA, HOUSE, WORD, ended, letter, reading, signed_in, signs_in
from tests.host.machine import MailHost
from tests.host.test_apply_live import NEW_HASH, NEW_WORD, ZOE, with_zoe

pytestmark = pytest.mark.daemons
ALL = "imap pop3 submission"
SECONDS = 3.0
TRIES = 3  # a machine that is busy with other things may be late once


@contextmanager
def pop3(host: MailHost, login: str, word: str = WORD) -> Iterator[poplib.POP3]:
    """An open session."""
    session = poplib.POP3(host.layout.address, host.layout.pop3, timeout=30)
    session.user(login)
    session.pass_(word)
    try:
        yield session
    finally:
        session.close()


def hung_up(session: poplib.POP3) -> bool:
    """True when the server has ended it."""
    try:
        session.noop()
    except (poplib.error_proto, OSError, EOFError):
        return True
    return False


def live_since(host: MailHost) -> float:
    """The seconds since the newest release became live."""
    return time.time() - (host.layout.root / "current").lstat().st_mtime


def seconds_until_out(host: MailHost, *steps: Snapshot) -> float:
    """Make Zoe live, then these in the same second of the clock; the time from live to the end of her sessions.

    The passwd-files of both steps have one size: only their seconds differ.
    """
    host.apply(with_zoe())
    assert signs_in(host.layout, ZOE, WORD) == ALL
    with reading(host.layout, ZOE) as reader, pop3(host, ZOE) as fetching:
        at = datetime.now(UTC)
        for snapshot in steps:
            host.apply(snapshot, at)
        took = live_since(host)
        print(f"out after {took:.2f} s")
        assert ended(reader)
        assert hung_up(fetching)
    assert signs_in(host.layout, ZOE, WORD) == ""
    return took


@pytest.mark.parametrize(
    "steps",
    [
        [with_zoe(password=NEW_HASH)],
        [with_zoe(active=False)],
        [with_zoe(quota=1 << 20), with_zoe(quota=1 << 20, password=NEW_HASH)],
        [with_zoe(password=NEW_HASH), with_zoe(password=NEW_HASH, active=False)],
    ],
    ids=["password", "suspended", "password, second change in a second", "suspended, second change in a second"],
)
def test_who_may_no_longer_sign_in_is_out_in_three_seconds(mailhost: MailHost, steps: list[Snapshot]) -> None:
    assert any(seconds_until_out(mailhost, *steps) < SECONDS for _try in range(TRIES))
    still = ALL if steps[-1].mailboxes[-1].active else ""
    assert signs_in(mailhost.layout, ZOE, NEW_WORD) == still


def test_a_session_that_began_with_the_old_password_is_over(mailhost: MailHost) -> None:
    mailhost.apply(with_zoe())
    with signed_in(mailhost.layout, ZOE) as dialogue:
        dialogue.sendmail(ZOE, [ANNA], letter("before", author=ZOE))
        mailhost.apply(with_zoe(password=NEW_HASH))
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            dialogue.sendmail(ZOE, [ANNA], letter("after", author=ZOE))
    with signed_in(mailhost.layout, ZOE, NEW_WORD) as dialogue:
        dialogue.sendmail(ZOE, [ANNA], letter("with the new one", author=ZOE))
        mailhost.apply(with_zoe(password=NEW_HASH, quota=1 << 20))
        dialogue.sendmail(ZOE, [ANNA], letter("nobody's password was changed", author=ZOE))


@pytest.mark.parametrize("house", [with_zoe(active=False), HOUSE], ids=["suspended", "gone"])
def test_a_session_that_was_signed_in_before_sends_nothing_more(mailhost: MailHost, house: Snapshot) -> None:
    mailhost.apply(with_zoe())
    with signed_in(mailhost.layout, ZOE) as dialogue:
        dialogue.sendmail(ZOE, [ANNA], letter("before", author=ZOE))
        mailhost.apply(house)
        with pytest.raises(smtplib.SMTPException):
            dialogue.sendmail(ZOE, [ANNA], letter("after", author=ZOE))


def test_domains_reload_postfix_and_nothing_else_does(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)

    def reloads(snapshot: Snapshot) -> int:
        before = mailhost.log().count("reload -- version")
        mailhost.apply(snapshot)
        return mailhost.log().count("reload -- version") - before

    aliases = (*HOUSE.aliases, Alias("quick@house.test", ("anna@house.test",)))
    assert reloads(replace(HOUSE, aliases=aliases)) == 0
    assert reloads(with_zoe()) == 0
    assert reloads(with_zoe(password=NEW_HASH)) == 0
    assert reloads(replace(HOUSE, domains=(*HOUSE.domains, Domain("another.test", "mail")))) == 1


def test_recipes_that_stay_the_same_are_linked(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    recipe = mailhost.layout.root / "current/procmail/house.test/anna.rc"
    before = recipe.stat()
    mailhost.apply(with_zoe())
    assert (recipe.stat().st_ino, recipe.stat().st_nlink) == (before.st_ino, before.st_nlink + 1)


def test_an_imap_session_that_waits_ends_too(mailhost: MailHost) -> None:
    mailhost.apply(with_zoe())
    with reading(mailhost.layout, ZOE) as session:
        session.send(b"x IDLE\r\n")
        assert session.readline().startswith(b"+")
        mailhost.apply(with_zoe(active=False))
        try:
            told = b"".join(iter(session.readline, b""))
        except imaplib.IMAP4.abort:
            told = b""
        assert b"x OK" not in told
