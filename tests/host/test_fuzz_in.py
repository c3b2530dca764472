"""Letters made by a grammar, through SMTP, rspamd, Postfix and procmail: what reaches a child is from whom she knows.

An independent strict parser says whom each letter is provably from; the letters are told apart by the extension of the
address that they are sent to, which pipe(8) writes into the first lines of what it delivers.
"""

import re
import smtplib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from deploy.snapshot import Entry, Screen
from tests.host.family import EMMA, HOME, KEYS, STARTER, settle
from tests.host.fuzz import ROSA, Fuzzed, letters
from tests.host.letters import stranger
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons
DELIVERED = re.compile(rb"^Delivered-To: emma\+f([0-9]+)@", re.MULTILINE)
AT_ONCE = 50


@pytest.fixture
def home(mailhost: MailHost) -> MailHost:
    screen = Screen(EMMA, (replace(STARTER, entries=(Entry(ROSA, "allowed"),)),))
    settle(mailhost, replace(HOME, screens=(screen, *HOME.screens[1:])))
    return mailhost


def send(host: MailHost, found: list[Fuzzed], first: int) -> set[int]:
    """Hand letters over; the numbers of those that were taken."""
    taken = set()
    with stranger(host.layout) as dialogue:
        for number, one in enumerate(found, first):
            try:
                dialogue.sendmail(one.sender, [f"emma+f{number}@myfamily.net"], one.raw)
            except (smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError):
                dialogue.rset()
            else:
                taken.add(number)
    return taken


def numbers(paths: Iterator[Path]) -> set[int]:
    """The letters in these files."""
    heads = (path.read_bytes()[:500] for path in paths)
    return {int(found[1]) for head in heads if (found := DELIVERED.search(head))}


def clear(host: MailHost) -> None:
    """Take away what an earlier run was sent."""
    for pattern in (host.layout.mail / KEYS[EMMA]).glob("Maildir/new/*"), host.layout.held.glob("*/*/new/*"):
        for path in pattern:
            if DELIVERED.search(path.read_bytes()[:500]):
                path.unlink()


def only_rosa_reaches_emma(host: MailHost, count: int, seed: int) -> None:
    clear(host)
    made = [one for one in letters(count, Random(seed)) if one.for_smtp]
    taken: set[int] = set()
    for first in range(0, len(made), AT_ONCE):
        taken |= send(host, made[first : first + AT_ONCE], first)
    inside = host.layout.mail / KEYS[EMMA]

    def everywhere() -> bool:
        there = numbers(inside.glob("Maildir/new/*")) | numbers((host.layout.held / KEYS[EMMA]).glob("*/new/*"))
        return there == taken

    wait_for(everywhere, "every letter that was taken", 120)
    arrived = numbers(inside.glob("Maildir/new/*"))
    assert [made[number].raw for number in arrived if made[number].provably_from != ROSA] == []
    assert len(arrived) > count // 50  # and the honest ones do arrive


def test_nothing_but_what_is_rosas_reaches_emma(home: MailHost) -> None:
    only_rosa_reaches_emma(home, 300, 20261125)


@pytest.mark.nightly(0.2)
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(3))
def test_nothing_but_what_is_rosas_reaches_emma_all_night(home: MailHost, seed: int) -> None:
    only_rosa_reaches_emma(home, 1000, seed)
