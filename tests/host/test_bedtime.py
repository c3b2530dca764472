"""Bedtime on a real host: Emma's mail sleeps from 20 to 7, and what came at night is there in the morning."""

import imaplib
import os
import poplib
import smtplib
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from deploy.host.helper import ask
from deploy.host.layout import Layout
from deploy.snapshot import Hours
from tests.host.family import (
    ANNA,
    EMMA,
    FAMILY,
    HOME,
    KEYS,
    LUCA,
    NONNA,
    fate,
    let_in,
    provider,
    settle,
    submit,
    written,
)
from tests.host.held import found, plant, stored
from tests.host.letters import HOUSE, WORD, answer, ended, reading, signed_in
from tests.host.machine import MailHost, wait_for
from tests.host.test_dry_run import dry

pytestmark = pytest.mark.daemons
KEY = KEYS[EMMA]
INBOX = f"{KEY}/Maildir/new"
NIGHT = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)  # 22:00 in Rome
MORNING = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)  # 07:00
ASLEEP = replace(HOME, generation=2, hours=(Hours(FAMILY, (EMMA,), "Europe/Rome", (("", "07:00-20:00"),)),))
TOLD = "Your mail sleeps until 07:00"


@pytest.fixture
def home(mailhost: MailHost) -> Iterator[MailHost]:
    settle(mailhost)
    mailhost.apply(ASLEEP, MORNING)
    yield mailhost
    mailhost.apply(ASLEEP, MORNING)
    mailhost.apply(HOUSE)


def refusal(layout: Layout, port: int) -> str:
    """What IMAP says to Emma, or POP3; nothing when it lets her in."""
    try:
        if port == layout.imap:
            with imaplib.IMAP4(layout.address, port, timeout=30) as imap:
                imap.login(EMMA, WORD)
        else:
            with closing(poplib.POP3(layout.address, port, timeout=30)) as pop3:
                pop3.user(EMMA)
                pop3.pass_(WORD)
    except (imaplib.IMAP4.error, poplib.error_proto) as error:
        return str(error)
    return ""


def later(host: MailHost, token: str) -> list[Path]:
    """The letters with this token that wait for the morning."""
    return [path for path in host.layout.later.glob(f"{KEY}/*/new/*") if token.encode() in path.read_bytes()]


def in_inbox(host: MailHost, token: str) -> list[Path]:
    return [path for path in (host.layout.mail / INBOX).glob("*") if token.encode() in path.read_bytes()]


def from_nonna(host: MailHost) -> str:
    """A letter of somebody on Emma's list, who proves who she is."""
    token, raw = written(f"From: {NONNA}")
    let_in(host, provider(host.layout, "gmail.com")(raw), NONNA)
    return token


def test_at_night_imap_and_pop3_tell_the_hour_of_opening(home: MailHost) -> None:
    layout = home.layout
    assert [refusal(layout, port) for port in (layout.imap, layout.pop3)] == ["", ""]
    home.apply(ASLEEP, NIGHT)
    for port in (layout.imap, layout.pop3):
        assert "Asleep.Opens.at.07:00" in refusal(layout, port)
    with imaplib.IMAP4(layout.address, layout.imap, timeout=30) as imap:
        assert imap.login(ANNA, WORD)[0] == "OK"
    home.apply(ASLEEP, MORNING)
    assert [refusal(layout, port) for port in (layout.imap, layout.pop3)] == ["", ""]


def test_an_open_session_ends_at_her_hour(home: MailHost) -> None:
    with reading(home.layout, EMMA) as emma, reading(home.layout, ANNA) as anna:
        home.apply(ASLEEP, NIGHT)
        wait_for(lambda: ended(emma), "the end of Emma's session")
        assert anna.noop()[0] == "OK"


def test_a_listed_friends_letter_waits_and_is_there_in_the_morning_with_its_bytes_and_its_date(home: MailHost) -> None:
    home.apply(ASLEEP, NIGHT)
    token = from_nonna(home)
    path = wait_for(lambda: later(home, token), "the letter in .later")[0]
    status, data = path.stat(), path.read_bytes()
    assert path.parent.parent.name == "in-7.hours"
    assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o640, home.layout.later.stat().st_gid)
    assert not in_inbox(home, token)
    assert f" box={KEY} later in-7 hours {NONNA} pass/dmarc " in home.log("procmail.log")
    longer_ago = time.time() - 8 * 3600
    os.utime(path, (longer_ago, longer_ago))
    home.apply(ASLEEP, MORNING)
    assert found(home, data) == {INBOX: pytest.approx(longer_ago)}
    assert not later(home, token)
    with imaplib.IMAP4(home.layout.address, home.layout.imap, timeout=30) as imap:
        imap.login(EMMA, WORD)
        imap.select()
        number = imap.search(None, "HEADER", "Message-ID", f'"<{token}@test.example>"')[1][0].decode()
        answered = imap.fetch(number, "(INTERNALDATE)")[1][0]
    text = bytes(answered).decode() if isinstance(answered, bytes) else str(answered)
    date = parsedate_to_datetime(text.partition('INTERNALDATE "')[2].partition('"')[0].replace("-", " "))
    assert date.timestamp() == pytest.approx(longer_ago, abs=1)


def test_parents_letters_and_those_of_strangers_go_where_they_always_go(home: MailHost) -> None:
    home.apply(ASLEEP, NIGHT)
    mums, raw = written(f"From: {ANNA}")
    submit(home, ANNA, raw)
    strangers, other = written("From: evil@other.test")
    let_in(home, other, "evil@other.test")
    assert fate(home, mums) == "deliver"
    assert fate(home, strangers) == "in-5.stranger"


def test_a_brothers_letter_waits(home: MailHost) -> None:
    home.apply(ASLEEP, NIGHT)
    token, raw = written(f"From: {LUCA}")
    submit(home, LUCA, raw)
    wait_for(lambda: later(home, token), "the letter in .later")
    home.apply(ASLEEP, MORNING)
    assert fate(home, token) == "deliver"


def test_at_night_she_writes_to_her_parents_alone(home: MailHost) -> None:
    with signed_in(home.layout, EMMA) as dialogue:
        assert answer(dialogue, EMMA, NONNA).startswith("250")
    home.apply(ASLEEP, NIGHT)
    with signed_in(home.layout, EMMA) as dialogue:
        for recipient in (NONNA, LUCA, "kids@myfamily.net", "stranger@outside.example", "maestra@scuola-verdi.edu.it"):
            told = answer(dialogue, EMMA, recipient)
            assert told.startswith("55"), recipient
            assert TOLD in told, recipient
        for recipient in (ANNA, "anna+x@old-domain.example"):
            assert answer(dialogue, EMMA, recipient).startswith("250"), recipient
    token, raw = written(f"From: {EMMA}", to=ANNA)
    submit(home, EMMA, raw, [ANNA])
    assert fate(home, token, ANNA) == "deliver"


def test_a_session_that_began_before_writes_no_letter_to_a_friend(home: MailHost) -> None:
    """Postfix asks its lists of the moment at which a session began: the filter looks at the end of the letter."""
    with signed_in(home.layout, EMMA) as dialogue, signed_in(home.layout, EMMA) as other:
        assert answer(dialogue, EMMA, NONNA).startswith("250")
        assert answer(other, EMMA, ANNA).startswith("250")
        home.apply(ASLEEP, NIGHT)
        dialogue.rset()
        other.rset()
        with pytest.raises(smtplib.SMTPDataError, match=TOLD):
            dialogue.sendmail(EMMA, [NONNA], written(f"From: {EMMA}", to=NONNA)[1])
        with pytest.raises(smtplib.SMTPDataError, match=TOLD):
            dialogue.sendmail(EMMA, [ANNA, NONNA], written(f"From: {EMMA}", to=ANNA)[1])
        other.sendmail(EMMA, [ANNA], written(f"From: {EMMA}", to=ANNA)[1])
        other.sendmail(EMMA, ["Anna+x@myfamily.net"], written(f"From: {EMMA}", to=ANNA)[1])


def test_a_stranger_who_is_let_in_once_at_night_is_let_in_in_the_morning(home: MailHost) -> None:
    home.apply(ASLEEP, NIGHT)
    letter = plant(home, stored())
    date = letter.path.stat().st_mtime
    assert ask(home.layout, "deliver", *letter.words, "in-5") == "later"
    assert found(home, letter.data) == {f".later/{KEY}/in-5.hours/new": date}
    assert ask(home.layout, "wake", KEY) == "woken 0 left 1"
    assert found(home, letter.data) == {f".later/{KEY}/in-5.hours/new": date}
    home.apply(ASLEEP, MORNING)
    assert found(home, letter.data) == {INBOX: date}


def test_who_was_blocked_meanwhile_is_not_let_in_in_the_morning(home: MailHost) -> None:
    home.apply(ASLEEP, NIGHT)
    token = from_nonna(home)
    wait_for(lambda: later(home, token), "the letter in .later")
    gate = ASLEEP.screens[0].gates[0]
    kinds = tuple(replace(row, kind="blocked") if row.address == NONNA else row for row in gate.entries)
    screens = (replace(ASLEEP.screens[0], gates=(replace(gate, entries=kinds),)), *ASLEEP.screens[1:])
    home.apply(replace(ASLEEP, generation=3, screens=screens), MORNING)
    assert fate(home, token) == "in-2.blocked"


def test_what_waits_is_delivered_by_whoever_looks_next(home: MailHost) -> None:
    """As after a kill: nothing has changed, and letters lie there."""
    letter = plant(home, stored(says=f"pass {NONNA} dmarc"))
    folder = home.layout.later / KEY / "in-7.hours"
    for one in (folder, folder / "new"):
        home.run("mkdir", "-p", str(one), user=home.layout.mail_user)
    letter.path.rename(folder / "new" / letter.file)
    assert not home.apply(ASLEEP, MORNING).changed
    assert list(found(home, letter.data)) == [INBOX]


def test_a_dry_run_says_later_and_changes_nothing(home: MailHost) -> None:
    home.apply(ASLEEP, NIGHT)
    signed = provider(home.layout, "gmail.com")(written(f"From: {NONNA}")[1])
    said, out = dry(
        home,
        {"letter": signed, "to": EMMA, "sender": NONNA, "trusted": True},
        {"letter": written(f"From: {EMMA}", to=NONNA)[1], "to": NONNA, "sender": EMMA, "login": EMMA},
    )
    outcome = said["outcomes"][0]
    assert (outcome["verdict"], outcome["station"], outcome["reason"], outcome["folder"]) == (
        "later", "in-7", "hours", f".later/{KEY}/in-7.hours",
    )  # fmt: skip
    outcome = out["outcomes"][0]
    assert (outcome["verdict"], outcome["station"], outcome["reason"]) == ("refuse", "out-4", "hours")
    assert not list(home.layout.later.glob(f"{KEY}/*/new/*"))
