"""A small household for the tests of the mail host, and the dialogues they have with it."""

import imaplib
import poplib
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from passlib.hash import sha512_crypt

from deploy.host.layout import Layout
from deploy.snapshot import Alias, Domain, Mailbox, Snapshot

WORD = "una parola lunga"
HASH = "{SHA512-CRYPT}" + sha512_crypt.using(rounds=1000).hash(WORD)
ANNA, MARCO, LUCA, INFO = (f"{name}@house.test" for name in ("anna", "marco", "luca", "info"))
KEYS = {ANNA: "a" * 16, MARCO: "b" * 16, LUCA: "c" * 16, INFO: "d" * 16}

HOUSE = Snapshot(
    generation=1,
    host="primary",
    role="primary",
    domains=(
        Domain("house.test", "mail"),
        Domain("old.test", "alias", "house.test"),
        Domain("far.test", "backup", "mx.test"),
    ),
    mailboxes=(
        Mailbox(ANNA, KEYS[ANNA], (ANNA,), HASH, 0, active=True),
        Mailbox(INFO, KEYS[INFO], (ANNA, MARCO), "", 0, active=True),
        Mailbox(LUCA, KEYS[LUCA], (LUCA,), HASH, 0, active=False),
        Mailbox(MARCO, KEYS[MARCO], (MARCO,), HASH, 1 << 20, active=True),
    ),
    aliases=(
        Alias("kids@house.test", (ANNA, LUCA)),
        Alias("team@house.test", (ANNA,), internal=True),
    ),
)


def letter(subject: str, body: str = "Ciao!", author: str = "someone@elsewhere.example", **headers: str) -> bytes:
    """A plain letter; headers may repeat a name with `_` for `-`."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"From: {author}", f"Subject: {subject}", *lines, "", body, ""]).encode()


@contextmanager
def stranger(layout: Layout) -> Iterator[smtplib.SMTP]:
    """A dialogue at the door for the world."""
    with smtplib.SMTP(layout.address, layout.smtp, local_hostname="mx.elsewhere.example", timeout=30) as dialogue:
        dialogue.ehlo()
        yield dialogue
        with suppress(smtplib.SMTPException):
            dialogue.rset()


@contextmanager
def signed_in(layout: Layout, login: str, word: str = WORD) -> Iterator[smtplib.SMTP]:
    """A dialogue at the door for our own people."""
    with smtplib.SMTP(layout.address, layout.submission, local_hostname="laptop.house.test", timeout=30) as dialogue:
        dialogue.login(login, word)
        yield dialogue


@contextmanager
def reading(layout: Layout, login: str, word: str = WORD) -> Iterator[imaplib.IMAP4]:
    """An open session of a mail program, its inbox selected."""
    session = imaplib.IMAP4(layout.address, layout.imap, timeout=30)
    try:
        session.login(login, word)
        session.select()
        yield session
    finally:
        session.shutdown()


def ended(session: imaplib.IMAP4) -> bool:
    """True when the server has hung up."""
    try:
        session.noop()
    except (imaplib.IMAP4.abort, OSError):
        return True
    return False


def answer(dialogue: smtplib.SMTP, sender: str, recipient: str, more: str = "") -> str:
    """What RCPT says, or MAIL FROM when that is refused already; nothing is sent."""
    dialogue.rset()
    code, text = dialogue.docmd(f"MAIL FROM:<{sender}>{more}")
    if code < 400:
        code, text = dialogue.docmd(f"RCPT TO:<{recipient}>")
    return f"{code} {text.decode()}"


def signs_in(layout: Layout, login: str, word: str) -> str:
    """At which doors a login is let in: some of `imap pop3 submission`."""
    open_doors = []
    with suppress(imaplib.IMAP4.error), imaplib.IMAP4(layout.address, layout.imap, timeout=30) as imap:
        imap.login(login, word or '""')
        open_doors.append("imap")
    pop3 = poplib.POP3(layout.address, layout.pop3, timeout=30)
    with suppress(poplib.error_proto):
        pop3.user(login)
        pop3.pass_(word)
        open_doors.append("pop3")
    pop3.close()
    with suppress(smtplib.SMTPException), signed_in(layout, login, word):
        open_doors.append("submission")
    return " ".join(open_doors)
