"""`script/server --check`: does mail go where it should?

One letter as Anna to every example mailbox, read back as its person would read it, and one of a stranger to each of
those at which strangers are held.

In: a running host. Out: a line for each letter, whether it is where it should be. Touched: the mailboxes get a letter
each, held ones are taken away again.
Raises SetupError when there is nothing to check.
"""

import imaplib
import json
import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from functools import partial
from pathlib import Path

from deploy.host import release
from deploy.host.commands import CommandError, run
from deploy.host.layout import Layout
from deploy.host.submission import trusting
from deploy.render.hours import sleeping
from deploy.setup import world
from deploy.setup.people import SetupError
from deploy.snapshot import Mailbox

PATIENCE = 30.0
SENDER = "anna@"
STRANGER = "stranger@example.org"


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one letter."""

    arrived: bool
    sentence: str

    def __str__(self) -> str:
        return f"{'ok    ' if self.arrived else 'FAILED'} {self.sentence}"


def check(layout: Layout, var: Path) -> Iterator[Finding]:
    """Send and read back, one mailbox after the other."""
    passwords = read_passwords(var)
    sender = next((address for address in sorted(passwords) if address.startswith(SENDER)), None)
    mailboxes = read_mailboxes(layout)
    if sender is None or not mailboxes:
        raise SetupError("There is no Anna and no mailbox to write to: is this the example household?")
    for mailbox in mailboxes:
        yield check_mailbox(layout, sender, passwords, mailbox)
    for mailbox in shielded(layout, mailboxes):
        yield check_stranger(layout, mailbox)


def shielded(layout: Layout, mailboxes: list[Mailbox]) -> list[Mailbox]:
    """The mailboxes of a family at which the letter of a stranger is held."""
    live = release.live(layout)
    screens = live.snapshot.screens if live else ()
    careful = {
        one.mailbox for one in screens if any(gate.careful and gate.strangers[-1][1] == "hold" for gate in one.gates)
    }
    return [mailbox for mailbox in mailboxes if mailbox.address in careful]


def check_stranger(layout: Layout, mailbox: Mailbox) -> Finding:
    """A letter of somebody whom no list names, signed by his provider as it should be."""
    way = f"{STRANGER} -> {mailbox.address}"
    token = make_msgid(domain="check.mailadmin.invalid")
    letter = signed_letter(layout, STRANGER, mailbox.address, token)
    try:
        with smtplib.SMTP(layout.address, layout.smtp, local_hostname="mx.example.org", timeout=PATIENCE) as dialogue:
            dialogue.sendmail(STRANGER, mailbox.address, letter)
    except (OSError, smtplib.SMTPException) as error:
        return Finding(arrived=False, sentence=f"{way}: {' '.join(str(error).split())}")
    held = _in_time(partial(take_held, layout, mailbox.key, token))
    return Finding(held, f"{way}: " + ("held: nobody knows this stranger" if held else "it is not among what is held"))


def take_held(layout: Layout, key: str, token: str) -> bool:
    """Whether the letter is held; nobody needs to answer it."""
    for path in (layout.held / key).glob("in-5.stranger/new/*"):
        if token.encode() in path.read_bytes():
            path.unlink()
            return True
    return False


def signed_letter(layout: Layout, author: str, to: str, token: str) -> bytes:
    """A letter as its author's provider, one of the private host's own world, sends it."""
    domain = author.rpartition("@")[2]
    folder = layout.etc / "dns"
    raw = written(author, to, token).as_bytes(policy=SMTP)
    return world.sign(raw, domain, world.read_key(folder, domain))


def check_mailbox(layout: Layout, sender: str, passwords: dict[str, str], mailbox: Mailbox) -> Finding:
    """One letter there and back."""
    way = f"{sender} -> {mailbox.address}"
    token = make_msgid(domain="check.mailadmin.invalid")
    try:
        send(layout, sender, passwords[sender], mailbox.address, token)
        how, read = reader(layout, passwords, mailbox, token)
        return Finding(_in_time(read), f"{way}: {how}")
    except (OSError, smtplib.SMTPException, imaplib.IMAP4.error, CommandError) as error:
        return Finding(arrived=False, sentence=f"{way}: {' '.join(str(error).split())}")


def reader(layout: Layout, passwords: dict[str, str], mailbox: Mailbox, token: str) -> tuple[str, Callable[[], bool]]:
    """How a mailbox is looked into: as its person would, or, where several share it, as root."""
    live = release.live(layout)
    opens = sleeping(live.snapshot.hours, datetime.now(UTC)).get(mailbox.address) if live else None
    if opens:
        return f"asleep, opens at {opens}: there, or among what waits for the morning", partial(
            while_asleep, layout, mailbox, token
        )
    word = next((passwords[login] for login in mailbox.logins if login in passwords), "")
    if mailbox.password and word:
        return "read over IMAP with the password of its person", partial(
            over_imap, layout, mailbox.address, word, token
        )
    how = "nobody signs in under this address itself; seen there by root's doveadm"
    return how, partial(by_doveadm, layout, mailbox.address, token)


def send(layout: Layout, sender: str, password: str, address: str, token: str) -> None:
    """Submit a letter, as a mail program would: STARTTLS with the certificate checked, then a login."""
    letter = written(sender, address, token)
    with smtplib.SMTP(layout.address, layout.submission, timeout=PATIENCE) as dialogue:
        dialogue.starttls(context=trusting(layout))
        dialogue.login(sender, password)
        dialogue.send_message(letter)


def written(author: str, to: str, token: str) -> EmailMessage:
    """The letter that is sent."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Date"] = author, to, formatdate()
    letter["Subject"], letter["Message-ID"] = "Does mail arrive?", token
    letter.set_content("A letter from script/server --check.\n")
    return letter


def over_imap(layout: Layout, address: str, password: str, token: str) -> bool:
    """Whether the letter lies in the person's inbox."""
    with imaplib.IMAP4(layout.address, layout.imap, timeout=PATIENCE) as dialogue:
        dialogue.starttls(trusting(layout))
        dialogue.login(address, password)
        dialogue.select("INBOX", readonly=True)
        _status, found = dialogue.search(None, "HEADER", "Message-ID", f'"{token}"')
        return bool(found and found[0])


def while_asleep(layout: Layout, mailbox: Mailbox, token: str) -> bool:
    """Whether the letter waits for the morning, or came in at once since its author may write at any hour."""
    waiting = (layout.later / mailbox.key).glob("*/new/*")
    return any(token.encode() in path.read_bytes() for path in waiting) or by_doveadm(layout, mailbox.address, token)


def by_doveadm(layout: Layout, address: str, token: str) -> bool:
    """Whether the letter lies in a mailbox that nobody signs in to."""
    words = ["doveadm", "-c", str(layout.dovecot), "search", "-u", address]
    return bool(run([*words, "mailbox", "INBOX", "header", "Message-ID", token], timeout=PATIENCE).out.strip())


def read_passwords(var: Path) -> dict[str, str]:
    """The example household's passwords by address."""
    try:
        data = json.loads((var / "db" / "example.json").read_text(encoding="utf-8"))
        return {str(address): str(password) for address, password in data.items()}
    except (OSError, ValueError, AttributeError):
        raise SetupError("The example household was not loaded here, so there is nothing to check.") from None


def read_mailboxes(layout: Layout) -> list[Mailbox]:
    """Every mailbox of the live release that takes letters."""
    live = release.live(layout)
    return [mailbox for mailbox in live.snapshot.mailboxes if mailbox.active] if live else []


def _in_time(read: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while not read():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
