"""What is wrong where releases are is told in a sentence, and mail goes on: nothing is refused, nothing is lost."""

import json
import smtplib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from deploy.host.apply import ApplyError
from tests.host.letters import ANNA, HOUSE, KEYS, WORD, letter, signs_in, stranger
from tests.host.machine import MailHost, wait_for, wait_with_retries

pytestmark = pytest.mark.daemons
NEXT = replace(HOUSE, aliases=())


@pytest.fixture(autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)


def problem(host: MailHost) -> str:
    """The one sentence of an apply that fails."""
    with pytest.raises(ApplyError) as caught:
        host.apply(NEXT)
    assert str(caught.value).isprintable()
    return str(caught.value)


def hand_over(host: MailHost) -> str:
    """A letter to an alias that only the last release has; its subject."""
    token = uuid.uuid4().hex
    with stranger(host.layout) as dialogue:
        dialogue.sendmail("x@elsewhere.example", ["kids@house.test"], letter(token))
    return token


def lies(host: MailHost, token: str) -> bool:
    """Whether Anna has it."""
    return any(token.encode() in one for one in host.letters(KEYS[ANNA]))


def mail_goes_on(host: MailHost) -> None:
    """A letter comes in, and its person reads it."""
    token = hand_over(host)
    wait_for(lambda: lies(host, token), "the letter", 60)
    assert signs_in(host.layout, ANNA, WORD) == "imap pop3 submission"


def takes_letters(host: MailHost) -> bool:
    """Whether Postfix takes one: a program of it that found no maps is started again a minute later."""
    with suppress(smtplib.SMTPResponseException, smtplib.SMTPServerDisconnected):
        hand_over(host)
        return True
    return False


def test_a_manifest_that_is_broken(mailhost: MailHost) -> None:
    path = mailhost.layout.root / "current" / "MANIFEST.json"
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    try:
        assert "MANIFEST.json cannot be read" in problem(mailhost)
        mail_goes_on(mailhost)
    finally:
        path.write_text(whole)
    assert mailhost.apply(NEXT).changed


def test_a_note_of_a_switch_that_is_broken(mailhost: MailHost) -> None:
    path = mailhost.layout.root / ".switch"
    path.write_text(json.dumps({"old": 1}))
    try:
        assert ".switch cannot be read" in problem(mailhost)
        mail_goes_on(mailhost)
    finally:
        path.unlink()
    assert mailhost.apply(NEXT).changed


@contextmanager
def read_only(host: MailHost) -> Iterator[None]:
    """Nothing can be written where releases and logs are."""
    root = str(host.layout.root)
    assert host.run("mount", "--bind", root, root).returncode == 0
    try:
        assert host.run("mount", "-o", "remount,bind,ro", root).returncode == 0
        yield
    finally:
        host.run("umount", "-l", root)


def test_a_disk_that_is_read_only(mailhost: MailHost) -> None:
    with read_only(mailhost):
        assert "is read-only: mount it for writing" in problem(mailhost)
        mail_goes_on(mailhost)
    assert mailhost.apply(NEXT).changed


def test_a_foreign_link_as_current(mailhost: MailHost) -> None:
    """Without a release nobody knows who is who: letters are told to come back, none is refused."""
    link = mailhost.layout.root / "current"
    token = ""
    kept = link.rename(link.with_name("kept"))
    link.symlink_to("/usr")
    try:
        assert "leads to '/usr', which is no release" in problem(mailhost)
        with stranger(mailhost.layout) as dialogue:
            dialogue.mail("x@elsewhere.example")
            code, _text = dialogue.rcpt("kids@house.test")
            if code == 250:  # it still has the maps open
                token = uuid.uuid4().hex
                code, _text = dialogue.data(letter(token))
        assert code in (250, 451, 454)
    finally:
        link.unlink()
        kept.rename(link)
    if code == 250:
        wait_with_retries(mailhost, lambda: lies(mailhost, token), "the letter that waited")
    wait_for(lambda: takes_letters(mailhost), "letters to be taken again", 180)
    assert mailhost.apply(NEXT).changed
