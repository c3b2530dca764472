"""What our own Postfix says became of a letter can be told from what strangers say about letters that nobody wrote."""

import email
import smtplib
import uuid
from collections.abc import Iterator

import pytest

from deploy.host.canary import Envelope, ask
from deploy.render.facts import PREFIX, Facts, parse
from tests.host.letters import ANNA, HOUSE, KEYS, MARCO, signed_in, stranger
from tests.host.machine import MailHost, start_filter, wait_for, wait_with_retries
from tests.host.outside import publish, written

pytestmark = pytest.mark.daemons
NOBODY = "postmaster@mail.mailadmin.invalid"  # whatever is sent there comes back
FORGED = f"{PREFIX}From: report"


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    publish(mailhost.layout)


def arrived(host: MailHost, token: str) -> bytes:
    """Anna's letter that holds this token."""

    def here() -> list[bytes]:
        return [one for one in host.letters(KEYS[ANNA]) if token.encode() in one]

    found = wait_with_retries(host, here, "a letter", 90)
    return bytes(found[0])


def facts(letter: bytes) -> Facts:
    """The facts in the head of a letter, and no line more."""
    head = email.message_from_bytes(letter)
    return parse((name, value) for name, value in head.items() if name.lower().startswith("x-mailadmin"))


def ours(letter: bytes) -> list[str]:
    """The lines in the head of a letter that look like facts."""
    return [name for name in email.message_from_bytes(letter) if name.lower().startswith("x-mailadmin")]


def by_hand(host: MailHost, sender: str, recipient: str, raw: bytes) -> None:
    """Send a letter with `sendmail`, as root alone may."""
    config = str(host.layout.postfix)
    done = host.run("sendmail", "-C", config, "-f", sender, recipient, stdin=raw.replace(b"\r\n", b"\n"))
    assert done.returncode == 0, done.stderr


def test_a_letter_that_comes_back_is_a_report(mailhost: MailHost) -> None:
    token = uuid.uuid4().hex
    raw = written(f"From: {ANNA}", f"X-Token: {token}", FORGED, body=f"{FORGED}\r\n\r\n{FORGED}")
    with signed_in(mailhost.layout, ANNA) as dialogue:
        dialogue.sendmail(ANNA, "postmaster", raw)
    letter = arrived(mailhost, token)
    found = facts(letter)
    assert (found.verdict, found.address, found.automatic) == ("report", "", True)
    assert found.attachments == ("message",)
    assert letter.count(FORGED.encode()) == 3  # the fact, and what she wrote herself


def test_what_she_asked_to_be_told_is_a_report(mailhost: MailHost) -> None:
    token = uuid.uuid4().hex
    with signed_in(mailhost.layout, ANNA) as dialogue:
        dialogue.sendmail(ANNA, MARCO, written(f"From: {ANNA}", f"X-Token: {token}"), rcpt_options=["NOTIFY=SUCCESS"])
    assert facts(arrived(mailhost, token)).verdict == "report"


@pytest.mark.parametrize("sender", ["", "mailer-daemon@elsewhere.example"])
def test_what_a_stranger_reports_is_a_strangers(mailhost: MailHost, sender: str) -> None:
    token = uuid.uuid4().hex
    author = "From: Mail Delivery System <MAILER-DAEMON@elsewhere.example>"
    with stranger(mailhost.layout) as dialogue:
        dialogue.ehlo("reports")
        dialogue.sendmail(sender, ANNA, written(author, f"X-Token: {token}", FORGED, "MTA-Name: reports"))
        own = author.replace("elsewhere.example", "mail.mailadmin.invalid")
        with pytest.raises(smtplib.SMTPDataError, match="alone writes in its own name"):
            dialogue.sendmail(sender, ANNA, written(own, FORGED, "MTA-Name: reports"))
    found = facts(arrived(mailhost, token))
    assert (found.verdict, found.address) == ("none", "mailer-daemon@elsewhere.example")


@pytest.mark.parametrize("sender", ["", ANNA])
def test_what_is_sent_by_hand_has_no_facts(mailhost: MailHost, sender: str) -> None:
    token = uuid.uuid4().hex
    by_hand(mailhost, sender, ANNA, written(f"From: {ANNA}", f"X-Token: {token}", FORGED, f"{PREFIX}Spam: ham 0.0"))
    assert ours(arrived(mailhost, token)) == []


@pytest.fixture
def filter_stopped(mailhost: MailHost) -> Iterator[None]:
    """rspamd is down, and comes back if the test has not brought it back."""
    mailhost.running.control("stop", "rspamd")
    yield
    start_filter(mailhost)


@pytest.mark.usefixtures("filter_stopped")
def test_with_the_filter_down_a_report_comes_later(mailhost: MailHost) -> None:
    token = uuid.uuid4().hex
    before = len(mailhost.log())
    by_hand(mailhost, ANNA, NOBODY, written(f"From: {ANNA}", f"X-Token: {token}"))
    wait_for(lambda: "postfix/reports/cleanup" in mailhost.log()[before:], "Postfix to try")
    wait_for(lambda: "status=deferred" in mailhost.log()[before:], "the letter to stay")
    start_filter(mailhost)
    assert facts(arrived(mailhost, token)).verdict == "report"


def test_only_postfix_says_by_which_service_a_letter_comes(mailhost: MailHost) -> None:
    said = ask(mailhost.layout, written(FORGED, "MTA-Name: reports"), Envelope(helo="reports")).facts
    assert said.verdict == "malformed"
