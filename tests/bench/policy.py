"""What looking at a letter adds to its delivery, and how many letters a second pass through everything.

In: nothing; a private mail host of its own. Out: rows of text. The deliveries are runs of the dispatcher, one after the
other and in turn, so that a busy moment meets all of them alike.
"""

import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

from deploy.snapshot import Entry, Mailbox, Screen, Snapshot
from tests.host.family import EMMA, HOME, KEYS, MARCO, NONNA, STARTER, let_in, provider, settle, written
from tests.host.letters import HASH
from tests.host.machine import MailHost, started_host, wait_for

RUNS = 200
LETTERS = 300
SENDERS = 4
MANY = "many@myfamily.net"


def measure() -> Iterator[str]:
    """All rows."""
    with started_host() as host:
        settle(host, household())
        yield from deliveries(host)
        yield throughput(host)


def household() -> Snapshot:
    """Emma with 10 contacts, somebody with 10,000, and Marco with no policy."""
    many = tuple(Entry(f"friend{number}@elsewhere.example", "allowed") for number in range(10_000))
    boxes = (*HOME.mailboxes, Mailbox(MANY, "c" * 16, (MANY,), HASH, 0, active=True))
    ten = replace(STARTER, entries=(Entry(NONNA, "allowed"), *many[:9]))
    all_of_them = replace(STARTER, entries=(Entry(NONNA, "allowed"), *many))
    return replace(HOME, mailboxes=boxes, screens=(Screen(EMMA, (ten,)), Screen(MANY, (all_of_them,))))


def deliveries(host: MailHost) -> Iterator[str]:
    """Milliseconds for one run of the dispatcher: without policy, with 10 and with 10,000 contacts."""
    facts = f"X-Mailadmin-From: pass {NONNA} dmarc\nX-Mailadmin-Reply-To: none\nX-Mailadmin-List: none\n"
    raw = written(f"From: {NONNA}")[1].replace(b"\r\n", b"\n")
    letter = facts.encode() + b"X-Mailadmin-Spam: ham 0.0\n" + raw
    taken: dict[str, list[float]] = {MARCO: [], EMMA: [], MANY: []}
    for _ in range(RUNS):
        for whom, times in taken.items():
            times.append(delivery(host, whom, letter))
    base, ten, many = (statistics.median(times) for times in taken.values())
    yield f"delivery without policy       {base:6.1f} ms (median of {RUNS} runs of the dispatcher)"
    yield f"with 10 contacts              {ten:6.1f} ms, {ten - base:+.1f}"
    yield f"with 10,000 contacts          {many:6.1f} ms, {many - base:+.1f}"


def delivery(host: MailHost, whom: str, letter: bytes) -> float:
    """Run the dispatcher once, as pipe(8) does."""
    etc, (local, _at, domain) = host.layout.etc, whom.partition("@")
    words = [str(etc / "deliver"), "-t", "-m", str(etc / "dispatch.rc"), local, domain, NONNA, whom, "BENCH"]
    began = time.perf_counter()
    done = host.run(*words, user=host.layout.mail_user, stdin=letter)
    assert done.returncode == 0, done
    return (time.perf_counter() - began) * 1000


def throughput(host: MailHost) -> str:
    """Letters a second to a child with 10 contacts: SMTP, rspamd with DKIM and DMARC, Postfix, procmail."""
    sign = provider(host.layout, "gmail.com")
    letters = [sign(written(f"From: {NONNA}")[1]) for _ in range(LETTERS)]
    before, began = len(host.letters(KEYS[EMMA])), time.perf_counter()
    threads = [threading.Thread(target=send, args=(host, letters[part::SENDERS])) for part in range(SENDERS)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(host.letters(KEYS[EMMA])) >= before + LETTERS, "all letters", 300)
    seconds = time.perf_counter() - began
    return f"through everything            {LETTERS / seconds:6.0f} letters/s ({LETTERS} letters, {SENDERS} senders)"


def send(host: MailHost, letters: list[bytes]) -> None:
    """One sender, a dialogue a letter."""
    for letter in letters:
        let_in(host, letter, NONNA)
