"""A long mail log as a busy host writes it, with all that happens to letters. In: how many lines, a seed. Out: bytes.

The letters of fifty people and of the world; a part of them waits and is tried again, comes back, is refused at the
door, is told to come later, waits for somebody's leave. Every word is of our making; `postfix-3.7.log` beside this
file was written by Postfix.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from tests.reports.lines import line

DIGITS: Final = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"  # of a long queue id
PEOPLE: Final = tuple(f"person{number}@mybusiness.com" for number in range(50))
WORLD: Final = tuple(f"somebody{number}@domain{number % 300}.example" for number in range(3_000))
BEGINNING: Final = datetime(2026, 11, 20, 6)  # noqa: DTZ001  as the log has it


class BigLog:
    """One run of the generator."""

    def __init__(self, seed: int, beginning: datetime = BEGINNING, pause: float = 3) -> None:
        """`pause`: seconds between two things that happen, on average."""
        self.chance = random.Random(seed)
        self.at = beginning
        self.pause = pause
        self.number = 52**9 * 3

    def lines(self) -> Iterator[bytes]:
        """Without an end."""
        kinds = (self.inbound, self.outbound, self.refused, self.later, self.waiting, self.asked, self.signing_in)
        while True:
            self.at += timedelta(seconds=self.chance.random() * 2 * self.pause)
            (kind,) = self.chance.choices(kinds, (50, 25, 12, 3, 5, 3, 2))
            yield from kind()

    def queue_id(self) -> str:
        """The next one."""
        self.number += self.chance.randint(1, 10_000)
        rest, digits = self.number, ""
        for _digit in range(12):
            rest, digit = divmod(rest, 52)
            digits = DIGITS[digit] + digits
        return f"4{digits}"

    def say(self, process: str, text: str) -> bytes:
        return line(self.at, process, text)

    def begin(self, queue_id: str, sender: str, recipients: int, login: str = "", size: int = 0) -> Iterator[bytes]:
        """A letter comes, from a login or from the world, and enters the queue."""
        door, client = ("submission/smtpd", "localhost[127.0.0.1]") if login else ("smtpd", "mx.example[192.0.2.7]")
        yield self.say(door, f"connect from {client}")
        yield self.say(
            door, f"{queue_id}: client={client}" + (f", sasl_method=PLAIN, sasl_username={login}" * bool(login))
        )
        yield self.say(
            "cleanup", f"{queue_id}: message-id=<{self.chance.getrandbits(60):x}@{sender.partition('@')[2]}>"
        )
        yield self.active(queue_id, sender, recipients, size or self.chance.randint(900, 90_000))
        yield self.say(door, f"disconnect from {client} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5")

    def active(self, queue_id: str, sender: str, recipients: int, size: int) -> bytes:
        return self.say("qmgr", f"{queue_id}: from=<{sender}>, size={size}, nrcpt={recipients} (queue active)")

    def attempt(self, queue_id: str, recipient: str, status: str = "sent", delay: float = 1.9) -> bytes:
        """One of the deliveries: into a mailbox, or to another host."""
        inside = recipient in PEOPLE
        relay = "procmail" if inside else f"mx.{recipient.partition('@')[2]}[198.51.100.3]:25"
        dsn, said = {"sent": ("2.0.0", "250 Ok"), "deferred": ("4.2.0", "said: 450"), "bounced": ("5.1.1", "550 no")}[
            status
        ]
        text = f"relay={relay}, delay={delay:.2f}, delays=0.1/0/0/0.1, dsn={dsn}, status={status} ({said})"
        return self.say("pipe" if inside else "smtp", f"{queue_id}: to=<{recipient}>, {text}")

    def removed(self, queue_id: str) -> bytes:
        return self.say("qmgr", f"{queue_id}: removed")

    def inbound(self) -> Iterator[bytes]:
        queue_id, to = self.queue_id(), self.chance.sample(PEOPLE, self.chance.choice([1, 1, 1, 2]))
        yield from self.begin(queue_id, self.chance.choice(WORLD), len(to))
        for one in to:
            yield self.attempt(queue_id, one)
        yield self.removed(queue_id)

    def outbound(self) -> Iterator[bytes]:
        queue_id, login = self.queue_id(), self.chance.choice(PEOPLE)
        to = [
            *self.chance.sample(WORLD, self.chance.choice([1, 1, 2, 3])),
            *self.chance.sample(PEOPLE, self.chance.choice([0, 0, 1])),
        ]
        yield from self.begin(queue_id, login, len(to), login)
        for one in to:
            yield self.attempt(queue_id, one, self.chance.choice(["sent"] * 19 + ["bounced"]))
        yield self.removed(queue_id)

    def waiting(self) -> Iterator[bytes]:
        """Put off once or twice, then taken."""
        queue_id, login, to = self.queue_id(), self.chance.choice(PEOPLE), self.chance.choice(WORLD)
        yield from self.begin(queue_id, login, 1, login, 2_000)
        for delay in range(300, 300 * self.chance.randint(2, 5), 300):
            yield self.attempt(queue_id, to, "deferred", delay)
            self.at += timedelta(seconds=5)
            yield self.active(queue_id, login, 1, 2_000)
        yield self.attempt(queue_id, to, delay=1_000)
        yield self.removed(queue_id)

    def asked(self) -> Iterator[bytes]:
        """Held for somebody's leave; let go, or taken away."""
        queue_id, login, to = self.queue_id(), self.chance.choice(PEOPLE), self.chance.choice(WORLD)
        opened = self.say("submission/smtpd", f"{queue_id}: client=a[::1], sasl_method=PLAIN, sasl_username={login}")
        held = f"hold: RCPT from a[::1]: <{to}>: Recipient address stranger"
        if self.chance.random() < 0.8:  # the first recipient is the stranger, so there is no letter yet
            yield self.say("submission/smtpd", f"NOQUEUE: {held}")
            yield opened
        else:
            yield opened
            yield self.say("submission/smtpd", f"{queue_id}: {held}")
        yield self.say("cleanup", f"{queue_id}: message-id=<{queue_id}@mybusiness.com>")
        if self.chance.random() < 0.7:
            yield self.active(queue_id, login, 1, 3_000)
            yield self.attempt(queue_id, to, delay=4_000)
            yield self.removed(queue_id)
        else:
            yield self.say("postsuper", f"{queue_id}: removed")

    def refused(self) -> Iterator[bytes]:
        to = f"nobody{self.chance.randint(0, 999)}@mybusiness.com"
        why = f"550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"
        yield self.say("smtpd", "connect from unknown[203.0.113.9]")
        yield self.say(
            "smtpd",
            f"NOQUEUE: reject: RCPT from unknown[203.0.113.9]: {why}; from=<s@x.example> to=<{to}> proto=ESMTP",
        )
        yield self.say("smtpd", "disconnect from unknown[203.0.113.9] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")

    def later(self) -> Iterator[bytes]:
        to = self.chance.choice(PEOPLE)
        why = f"452 4.2.2 <{to}>: Recipient address rejected: Mailbox is full"
        yield self.say(
            "smtpd",
            f"NOQUEUE: reject: RCPT from mx.example[192.0.2.7]: {why}; from=<s@x.example> to=<{to}> proto=ESMTP",
        )

    def signing_in(self) -> Iterator[bytes]:
        said = f"SASL PLAIN authentication failed: (reason unavailable), sasl_username={self.chance.choice(PEOPLE)}"
        yield self.say("submission/smtpd", f"warning: unknown[203.0.113.9]: {said}")


def big_log(lines: int, seed: int = 7) -> bytes:
    """At least so many lines; the last letter's are whole."""
    found: list[bytes] = []
    log = BigLog(seed)
    whole = log.lines()
    while len(found) < lines:
        found.append(next(whole))
    return b"".join(found)
