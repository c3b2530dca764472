"""What goes wrong on a running server: its administrator finds a letter about it in her mailbox."""

import imaplib
from email import message_from_bytes
from email.policy import default

import pytest

from tests.host.machine import wait_for
from tests.system.server import HOUSEHOLD, PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(600)]
ADA, SUBJECT = "ada@rossi.example", "Files were changed by hand on primary"
GIVEN_UP = "A change could not be made live on primary"
LOOK = """
from deploy.tasks import poke
poke("primary", verify_all=True)
"""
FORGET = "from deploy.models import Alarm\nAlarm.objects.all().delete()"


def text_of(server: Server, subject: str) -> str:
    """The text of the newest letter with this subject: others may have got some before on this server."""
    text = ""
    with imaplib.IMAP4("127.0.0.1", server.layout.imap, timeout=20) as imap:
        imap.login(ADA, PASSWORD)
        imap.select(readonly=True)
        for part in imap.fetch("1:*", "(BODY.PEEK[])")[1]:
            letter = message_from_bytes(part[1], policy=default) if isinstance(part, tuple) else None
            if letter and letter["Subject"] == subject:
                text = str(letter.get_content())
    return text


def test_an_administrator_gets_one_letter(server: Server) -> None:
    path = server.layout.dovecot
    before = path.read_text()
    server.execute(FORGET)
    known = server.subjects(ADA).count(SUBJECT)
    path.write_text(f"{before}# by hand\n")
    try:
        server.execute(LOOK)
        wait_for(lambda: server.subjects(ADA).count(SUBJECT) > known, "the letter", 240)
        assert "dovecot.conf" in text_of(server, SUBJECT)
        assert "/changes/drift/" in text_of(server, SUBJECT)
        path.write_text(f"{before}# by hand, once more\n")
        server.execute(LOOK)
        assert server.subjects(ADA).count(SUBJECT) == known + 1
    finally:
        path.write_text(before)


def test_a_release_that_was_given_up_is_told(server: Server) -> None:
    server.load()
    server.execute(FORGET)
    known, applied = server.subjects(ADA).count(GIVEN_UP), server.state()["applied"]
    mould = server.layout.root / ".mould" / "dovecot"
    mould.rename(mould.with_name("dovecot.away"))
    try:
        server.load(HOUSEHOLD.replace("nonna.rosa", "nonno.gino"), live=False)
        wait_for(lambda: server.subjects(ADA).count(GIVEN_UP) > known, "the letter", 240)
        state = server.state()
        assert state["applied"] == applied
        assert state["releases"][-1][1] == "failed"
        assert state["error"] in " ".join(text_of(server, GIVEN_UP).split())
    finally:
        mould.with_name("dovecot.away").rename(mould)
    wait_for(lambda: server.state()["applied"] > applied, "the change to be live", 240)
    assert server.subjects(ADA).count(GIVEN_UP) == known + 1
