"""One part of the mail host fails after the other: nobody unchecked comes in, and letters in are letters out.

Emma has rules, so that every letter to her goes through them.
"""

import contextlib
import os
import signal
import smtplib
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from deploy.host.canary import CanaryError, sing
from deploy.setup.people import person
from deploy.snapshot import Action, Condition, Filter, Rule
from tests.host.family import EMMA, HOME, KEYS, NONNA, let_in, look, provider, settle, written
from tests.host.machine import MailHost, started_host, wait_for, wait_with_retries
from tests.host.outside import signed

pytestmark = pytest.mark.daemons
EVIL = "evil@other.test"
LETTERS = 3  # of each sender
FILED, ANYWHERE = "Maildir/.Scuola", "Maildir/**"
RULES = (
    Rule("1" * 16, "No list.", "all", (Condition("list", "exists"),), (Action("file", "Liste"),)),
    Rule("2" * 16, "Ciao.", "any", (Condition("subject", "is", "ciao"), Condition("to", "is", EMMA)),
         (Action("flag"), Action("file", "Scuola"))),
)  # fmt: skip


@pytest.fixture(scope="module")
def home() -> Iterator[MailHost]:
    """A mail host of its own: others would wonder at what is missing."""
    with started_host() as host:
        settle(host, replace(HOME, generation=2, filters=(Filter(EMMA, RULES),)))
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
    root = host.layout.mail / KEYS[EMMA] if folder.startswith("Maildir") else host.layout.held / KEYS[EMMA]
    texts = [text for part in ("new", "cur") for path in root.glob(f"{folder}/{part}/*") if (text := look(path))]
    return {token: sum(token.encode() in text for text in texts) for token in tokens}


def arrive(host: MailHost, nonnas: list[str], evils: list[str], *posts: Post) -> None:
    """Wait until every letter lies where it should, what was put off tried again."""

    def there() -> bool:
        for one in posts:
            one.send()
        found = {**count(host, nonnas, FILED), **count(host, evils, "in-5.stranger")}
        return all(found.values())

    wait_with_retries(host, there, "every letter")


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
    assert not any(count(home, evils, ANYWHERE).values())
    arrive(home, nonnas, evils, nonna, evil)
    assert set(count(home, nonnas, FILED).values()) == {1}
    assert set(count(home, evils, "in-5.stranger").values()) == {1}
    assert not any(count(home, evils, ANYWHERE).values())


def test_a_program_that_is_missing_lets_nobody_in(home: MailHost) -> None:
    program = home.layout.etc / "who.awk"
    away = program.rename(program.with_name("away.awk"))
    nonna, evil = post(home, NONNA, provider(home.layout, "gmail.com")), post(home, EVIL, signed("other.test"))
    nonnas, evils = list(nonna.waiting), list(evil.waiting)
    try:
        nonna.send()
        evil.send()
        wait_for(lambda: home.log("procmail.log").count("wait=list") >= 2 * LETTERS, "letters that wait")
        assert not any(count(home, [*nonnas, *evils], ANYWHERE).values())
    finally:
        away.rename(program)
    arrive(home, nonnas, evils)


@pytest.fixture
def small_disk(home: MailHost) -> Iterator[Path]:
    """Emma's folder on a disk of 64 KB that is full."""
    folder, owner = home.layout.mail / KEYS[EMMA] / "Maildir" / ".Scuola", person(home.layout.mail_user)
    folder.mkdir(exist_ok=True)
    os.chown(folder, owner.uid, owner.gid)
    words = f"size=64k,mode=700,uid={owner.uid},gid={owner.gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", words, "none", str(folder)], check=True)
    try:
        with contextlib.suppress(OSError):
            (folder / "full").write_bytes(b"x" * (1 << 20))
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_on_a_full_disk_letters_wait(home: MailHost, small_disk: Path) -> None:
    nonna = post(home, NONNA, provider(home.layout, "gmail.com"))
    nonnas, before = list(nonna.waiting), home.log("procmail.log").count("wait=folder")
    nonna.send()
    wait_for(lambda: home.log("procmail.log").count("wait=folder") >= before + LETTERS, "letters that wait")
    assert not any(count(home, nonnas, ANYWHERE).values())
    (small_disk / "full").unlink()
    arrive(home, nonnas, [])
    assert set(count(home, nonnas, ANYWHERE).values()) == {1}


def test_a_delivery_that_is_killed_is_made_again(home: MailHost) -> None:
    """The dispatcher of every letter, for a while. A letter may come twice, never not at all."""
    nonna, evil = post(home, NONNA, provider(home.layout, "gmail.com")), post(home, EVIL, signed("other.test"))
    nonnas, evils = list(nonna.waiting), list(evil.waiting)
    rules = home.layout.etc / "rules.rc"
    text = rules.read_bytes()
    rules.write_bytes(text.replace(b"\nINCLUDERC=", b"\nSLOW=`sleep 2`\nINCLUDERC="))
    assert rules.read_bytes() != text
    try:
        nonna.send()
        wait_for(lambda: killed(home) and home.log().count("signal 9") >= LETTERS, "deliveries that are killed", 40)
        assert not any(count(home, nonnas, ANYWHERE).values())
    finally:
        rules.write_bytes(text)
    evil.send()
    arrive(home, nonnas, evils)
    assert min(count(home, nonnas, FILED).values()) == 1
    assert min(count(home, evils, "in-5.stranger").values()) == 1
    assert not any(count(home, evils, ANYWHERE).values())


def killed(host: MailHost) -> bool:
    """End every dispatcher of this host that runs now."""
    found = host.run("pgrep", "-f", "--", f"-t -m {host.layout.etc}/dispatch.rc").stdout.split()
    for number in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(number), signal.SIGKILL)
    return True
