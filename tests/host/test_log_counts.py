"""What real daemons say of letters is counted as people would count them, across rotations."""

import smtplib
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from passlib.hash import sha512_crypt

from deploy.host.helper import ask
from deploy.setup.folders import make_folders
from deploy.snapshot import Alias, Domain, Mailbox, Snapshot
from reports.logfile import Place, machine_zone, read_on
from reports.parse import Clock, events
from reports.tally import Letter, tally
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons

ANNA, EMMA, LUCA = "anna@counted.example", "emma@counted.example", "luca@counted.example"
PASSWORD = "correct horse battery staple"
TEXT = "From: {}\r\nSubject: hello\r\n\r\nhello\r\n"


class Reader:
    """Reads a log as the ingest does, and keeps the sums."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.place = Place()
        self.letters: dict[str, Letter] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.sizes: dict[tuple[str, str], int] = {}

    def read(self) -> dict[tuple[str, str], int]:
        """Everything up to now: letters sent and received by address, of this test's domain."""
        while piece := read_on(self.log, self.place, 1 << 14):
            found = tally(self.letters, events(piece.lines, Clock(datetime.now(UTC), machine_zone())))
            self.place, self.letters = piece.after, found.letters
            for slot, count in found.counts.items():
                name = slot.address, slot.column
                self.counts[name] = self.counts.get(name, 0) + count.letters
                self.sizes[name] = self.sizes.get(name, 0) + count.bytes
        return {
            name: letters
            for name, letters in self.counts.items()
            if name[0].endswith("@counted.example") and name[1] in {"sent", "received"}
        }


@pytest.fixture
def host(mailhost: MailHost) -> MailHost:
    """The mail host with three people and an alias."""
    password = "{SHA512-CRYPT}" + sha512_crypt.using(rounds=5000).hash(PASSWORD)
    boxes = tuple(
        Mailbox(address, f"00000000000000c{number}", (address,), password, 0, active=True)
        for number, address in enumerate((ANNA, EMMA, LUCA))
    )
    alias = Alias("kids@counted.example", (EMMA, LUCA))
    mailhost.apply(Snapshot(9000, "primary", "primary", (Domain("counted.example", "mail"),), boxes, (alias,)))
    return mailhost


def send(
    host: MailHost, *recipients: str, login: str = "", sender: str = "stranger@out.example", author: str = ""
) -> dict[str, object]:
    """One letter; the recipients that were refused."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    port = host.layout.submission if login else host.layout.smtp
    with smtplib.SMTP(host.layout.address, port, timeout=20) as client:
        if login:
            client.starttls(context=context)
            client.login(login, PASSWORD)
        try:
            return dict(client.sendmail(login or sender, recipients, TEXT.format(author or login or sender)))
        except smtplib.SMTPRecipientsRefused as refused:
            return dict(refused.recipients)


def test_every_letter_counts_once(host: MailHost) -> None:
    reader = Reader(host.layout.mail_log)
    reader.read()  # what other tests sent before
    reader.counts.clear()
    reader.sizes.clear()
    reader.letters.clear()  # whoever hung up half-way left a letter that was never queued
    send(host, EMMA, login=ANNA)
    send(host, "kids@counted.example", login=ANNA)
    send(host, "Emma+Game@Counted.Example")
    send(host, '"emma+>, relay=x, delay=0, delays=0/0/0/0, dsn=5.0.0, status=bounced ("@counted.example')
    assert send(host, "nobody@counted.example")
    expected = {(ANNA, "sent"): 2, (EMMA, "received"): 4, (LUCA, "received"): 1}
    wait_for(lambda: reader.read() == expected, f"{expected}, seen {reader.read()}")
    assert reader.counts["", "rejected"] == 1
    assert reader.sizes[ANNA, "sent"] > 2 * len(TEXT)
    wait_for(lambda: reader.read() and not reader.letters, "an empty queue")


def test_what_the_filter_refuses_is_refused_and_over(host: MailHost) -> None:
    reader = Reader(host.layout.mail_log)
    reader.read()
    reader.counts.clear()
    reader.letters.clear()
    with pytest.raises(smtplib.SMTPDataError, match="may not write as"):
        send(host, LUCA, login=EMMA, author=ANNA)
    wait_for(lambda: reader.read() or reader.counts, "the refusal")
    assert (reader.counts, reader.letters) == ({("", "rejected"): 1, (EMMA, "spoofed"): 1, ("", "spoofed"): 1}, {})


def test_rotation_while_letters_come(host: MailHost) -> None:
    log = host.layout.mail_log
    reader = Reader(log)
    before = reader.read().get((LUCA, "received"), 0)
    for number in range(30):
        if number % 10 == 5:
            for older in (2, 1):
                path = log.with_name(f"{log.name}.{older}")
                if path.exists():
                    path.rename(log.with_name(f"{log.name}.{older + 1}"))
            log.rename(log.with_name(f"{log.name}.1"))
            make_folders(host.var)  # as logrotate does: Postfix 3.7 would make the new one for root alone
            ask(host.layout, "reload", "postfix")
        send(host, LUCA)
        reader.read()
    wait_for(lambda: reader.read().get((LUCA, "received")) == before + 30, f"30 letters, seen {reader.read()}")
