"""One part of the mail host fails after the other: nobody unchecked comes in, and letters in are letters out."""

import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from deploy.host.canary import CanaryError, sing
from tests.host.family import EMMA, KEYS, NONNA, let_in, provider, settle, try_again, written
from tests.host.machine import MailHost, started_host, wait_for
from tests.host.outside import signed

pytestmark = pytest.mark.daemons
EVIL = "evil@other.test"
LETTERS = 3  # of each sender


@pytest.fixture(scope="module")
def home() -> Iterator[MailHost]:
    """A mail host of its own: others would wonder at what is missing."""
    with started_host() as host:
        settle(host)
        yield host


@dataclass
class Post:
    """Somebody outside who sends letters, and again what was put off, as a mail server does."""

    host: MailHost
    sender: str
    waiting: dict[str, bytes]

    def send(self) -> None:
        """Try what has not been taken yet; no letter is refused for good."""
        refused = [code for token, raw in list(self.waiting.items()) if (code := self.hand_over(token, raw)) >= 500]
        assert not refused

    def hand_over(self, token: str, raw: bytes) -> int:
        """The answer to one letter."""
        try:
            let_in(self.host, raw, self.sender)
        except smtplib.SMTPRecipientsRefused as refused:
            return next(iter(refused.recipients.values()))[0]
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
        except OSError:
            return 421  # nobody is there
        del self.waiting[token]
        return 250


def post(host: MailHost, sender: str, sign: Callable[[bytes], bytes]) -> Post:
    """A few letters, signed as they should be."""
    letters = dict(written(f"From: {sender}") for _ in range(LETTERS))
    return Post(host, sender, {token: sign(raw) for token, raw in letters.items()})


def count(host: MailHost, tokens: list[str], folder: str) -> dict[str, int]:
    """How often each letter lies there."""
    root = host.layout.mail / KEYS[EMMA] if folder == "Maildir" else host.layout.held / KEYS[EMMA]
    texts = [path.read_bytes() for path in root.glob(f"{folder}/new/*")]
    return {token: sum(token.encode() in text for text in texts) for token in tokens}


def whole(host: MailHost) -> bool:
    """Whether the filter and Postfix are there."""
    try:
        sing(host.layout)
        with smtplib.SMTP(host.layout.address, host.layout.smtp, timeout=5) as dialogue:
            return bool(dialogue.noop()[0] == 250)
    except (CanaryError, OSError, smtplib.SMTPException):
        return False


@pytest.mark.parametrize("part", ["rspamd", "resolver", "dovecot", "helper", "postfix"])
def test_a_part_that_fails_lets_nobody_in_and_loses_nothing(home: MailHost, part: str) -> None:
    nonna, evil = post(home, NONNA, provider(home.layout, "gmail.com")), post(home, EVIL, signed("other.test"))
    nonnas, evils = list(nonna.waiting), list(evil.waiting)
    home.running.control("stop", part)
    try:
        nonna.send()
        evil.send()
    finally:
        home.running.control("start", part)
    wait_for(lambda: whole(home), "the mail host", 60)
    assert not any(count(home, evils, "Maildir").values())

    def all_there() -> bool:
        nonna.send()
        evil.send()
        home.run("postqueue", "-c", str(home.layout.postfix), "-f")
        inside, held = count(home, nonnas, "Maildir"), count(home, evils, "in-5.stranger")
        return all(inside.values()) and all(held.values())

    wait_for(all_there, "every letter", 60)
    assert set(count(home, nonnas, "Maildir").values()) == {1}
    assert set(count(home, evils, "in-5.stranger").values()) == {1}
    assert not any(count(home, evils, "Maildir").values())


def test_a_program_that_is_missing_lets_nobody_in(home: MailHost) -> None:
    program = home.layout.etc / "who.awk"
    away = program.rename(program.with_name("away.awk"))
    nonna, evil = post(home, NONNA, provider(home.layout, "gmail.com")), post(home, EVIL, signed("other.test"))
    nonnas, evils = list(nonna.waiting), list(evil.waiting)
    try:
        nonna.send()
        evil.send()
        wait_for(lambda: home.log("procmail.log").count("wait=list") >= 2 * LETTERS, "letters that wait")
        assert not any(count(home, [*nonnas, *evils], "Maildir").values())
    finally:
        away.rename(program)
    try_again(home, *nonnas, *evils)
    wait_for(lambda: all(count(home, nonnas, "Maildir").values()), "Nonna's letters")
    wait_for(lambda: all(count(home, evils, "in-5.stranger").values()), "the stranger's letters")
