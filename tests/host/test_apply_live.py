"""What people see of a release: at once, and without one letter or login going wrong."""

import imaplib
import json
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from passlib.hash import sha512_crypt

from deploy.host import release
from deploy.host.apply import ApplyError
from deploy.snapshot import Alias, Domain, Mailbox, Snapshot
from tests.host.letters import HASH, HOUSE, WORD, answer, ended, letter, reading, signs_in, stranger
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons
ZOE, ZOE_KEY = "zoe@house.test", "e" * 16
NEW_WORD = "un'altra parola"
NEW_HASH = "{SHA512-CRYPT}" + sha512_crypt.using(rounds=1000).hash(NEW_WORD)


def with_zoe(snapshot: Snapshot = HOUSE, **facts: object) -> Snapshot:
    """The house, and one mailbox more."""
    zoe = replace(Mailbox(ZOE, ZOE_KEY, (ZOE,), HASH, 0, active=True), **facts)  # type: ignore[arg-type]
    return replace(snapshot, mailboxes=(*snapshot.mailboxes, zoe))


def said(host: MailHost, recipient: str) -> str:
    """What a stranger is told at RCPT, in a new dialogue."""
    with stranger(host.layout) as dialogue:
        return answer(dialogue, "someone@elsewhere.example", recipient)


def test_a_new_mailbox_gets_its_first_letter(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    assert "550 5.1.1" in said(mailhost, ZOE)
    mailhost.apply(with_zoe())
    with stranger(mailhost.layout) as dialogue:
        dialogue.sendmail("someone@elsewhere.example", [ZOE], letter("first"))
    wait_for(lambda: any(b"Subject: first" in one for one in mailhost.letters(ZOE_KEY)), "the letter", 5)
    with reading(mailhost.layout, ZOE) as session:
        assert session.search(None, "ALL")[1] == [b"1"]


def test_a_new_domain_is_known_at_once(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    box = Mailbox("one@brand-new.test", "f" * 16, ("one@brand-new.test",), HASH, 0, active=True)
    assert "554 5.7.1" in said(mailhost, box.address)
    newest = replace(
        HOUSE, domains=(*HOUSE.domains, Domain("brand-new.test", "mail")), mailboxes=(*HOUSE.mailboxes, box)
    )
    mailhost.apply(newest)
    assert said(mailhost, box.address).startswith("250")
    mailhost.apply(HOUSE)
    assert "554 5.7.1" in said(mailhost, box.address)


def test_who_is_suspended_is_out_at_once(mailhost: MailHost) -> None:
    mailhost.apply(with_zoe())
    with reading(mailhost.layout, ZOE) as session:
        mailhost.apply(with_zoe(active=False))
        assert ended(session)
    assert said(mailhost, ZOE) == "550 5.2.1 <zoe@house.test>: Recipient address rejected: This mailbox is suspended."
    assert signs_in(mailhost.layout, ZOE, WORD) == ""
    mailhost.apply(with_zoe())
    assert signs_in(mailhost.layout, ZOE, WORD) == "imap pop3 submission"


def test_an_old_password_opens_nothing_from_the_moment_of_live(mailhost: MailHost) -> None:
    mailhost.apply(with_zoe())
    sessions, stop = list[imaplib.IMAP4](), threading.Event()

    def keep_signing_in() -> None:
        while not stop.is_set() and len(sessions) < 45:
            session = imaplib.IMAP4(mailhost.layout.address, mailhost.layout.imap, timeout=30)
            sessions.append(session)
            with suppress(imaplib.IMAP4.error, OSError):
                session.login(ZOE, WORD)
                session.select()
            stop.wait(0.02)

    hammer = threading.Thread(target=keep_signing_in)
    hammer.start()
    wait_for(lambda: len(sessions) > 3, "sessions with the old password")
    mailhost.apply(with_zoe(password=NEW_HASH))
    stop.set()
    hammer.join()
    assert [session.state for session in sessions if session.state == "SELECTED" and not ended(session)] == []
    assert any(session.state == "SELECTED" for session in sessions)
    for session in sessions:
        session.shutdown()
    assert signs_in(mailhost.layout, ZOE, WORD) == ""
    assert signs_in(mailhost.layout, ZOE, NEW_WORD) == "imap pop3 submission"


def test_other_people_keep_their_sessions(mailhost: MailHost) -> None:
    mailhost.apply(with_zoe())
    with reading(mailhost.layout, "anna@house.test") as session:
        mailhost.apply(with_zoe(password=NEW_HASH))
        assert session.noop()[0] == "OK"


def test_releases_in_one_second_are_all_seen_at_the_first_question(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    before = mailhost.log().count("@probe.invalid> proto=")
    for number in range(5):
        quick = Alias(f"quick{number}@house.test", ("anna@house.test",))
        mailhost.apply(replace(HOUSE, aliases=(*HOUSE.aliases, quick)))
        assert said(mailhost, quick.address).startswith("250"), number
        mailhost.apply(HOUSE)
        assert said(mailhost, quick.address).startswith("550"), number
    assert mailhost.log().count("@probe.invalid> proto=") - before <= 30  # else they were seen by luck


def test_a_release_that_does_not_answer_is_led_back_and_mail_goes_on(mailhost: MailHost) -> None:
    mailhost.apply(with_zoe())
    before = release.live(mailhost.layout)
    host = mailhost.layout.etc / "host.json"
    right = host.read_text()
    host.write_text(json.dumps({**json.loads(right), "map_type": "cdb"}))  # main.cf says hash
    try:
        with pytest.raises(ApplyError, match=r"Postfix does not answer .* The release before is live again\."):
            mailhost.apply(replace(with_zoe(), aliases=()))
    finally:
        host.write_text(right)
    assert before
    assert release.live(mailhost.layout) == before
    assert said(mailhost, ZOE).startswith("250")
    assert "kids" in (before.path / "postfix/aliases").read_text()
    mailhost.apply(replace(with_zoe(), aliases=()))
    assert said(mailhost, "kids@house.test").startswith("550")


def test_a_way_back_leaves_the_suspended_out(mailhost: MailHost) -> None:
    mailhost.apply(with_zoe())
    host = mailhost.layout.etc / "host.json"
    right = host.read_text()
    host.write_text(json.dumps({**json.loads(right), "smtp": 1}))  # nobody answers there
    try:
        with pytest.raises(ApplyError, match="Postfix does not answer"):
            mailhost.apply(with_zoe(active=False))
    finally:
        host.write_text(right)
    wait_for(lambda: said(mailhost, ZOE).startswith("550 5.2.1"), "the refusal", 5)
    assert signs_in(mailhost.layout, ZOE, WORD) == ""


def test_the_probe_leaves_no_trace_in_the_queue(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    mailhost.apply(with_zoe())
    listed = mailhost.run("postqueue", "-c", str(mailhost.layout.postfix), "-j")
    assert b"probe.invalid" not in listed.stdout
    assert "probe.invalid" in mailhost.log()
