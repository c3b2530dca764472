"""What filter rules add to a delivery, and how our dispatcher compares with a bare recipe.

In: nothing; a private mail host of its own. Out: rows of text. The deliveries are runs of the dispatcher, one after the
other and in turn; the letters through Postfix go to the same Maildir, without the filter at the door, in turn too.
"""

import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

from deploy.snapshot import Action, Condition, Filter, Mailbox, Rule, Snapshot
from tests.bench.policy import delivery
from tests.host.family import HOME, KEYS, MARCO, NONNA, let_in, settle, written
from tests.host.letters import HASH
from tests.host.machine import MailHost, started_host, wait_for

RUNS = 200
LETTERS = 400
ROUNDS = 3
SENDERS = 4
COUNTS = (10, 1_000)
BARE = "ORGMAIL=/nonexistent\nDEFAULT=/nonexistent\nUMASK=077\nEXITCODE=75\n:0\n{maildir}/\nHOST=_stop_\n"
MORE = "".join(f"Received: from relay{number}.elsewhere.example by mx.myfamily.net\n" for number in range(20))


def measure() -> Iterator[str]:
    """All rows."""
    with started_host() as host:
        settle(host, household())
        yield from deliveries(host)
        yield from dispatchers(host)


def whom(count: int) -> str:
    """Somebody with so many rules."""
    return f"rules{count}@myfamily.net"


def household() -> Snapshot:
    """Marco without rules, and others with some, none of which acts."""
    boxes = tuple(Mailbox(whom(count), f"{count:016x}", (whom(count),), HASH, 0, active=True) for count in COUNTS)
    filters = tuple(Filter(whom(count), tuple(map(rule, range(count)))) for count in COUNTS)
    return replace(HOME, mailboxes=(*HOME.mailboxes, *boxes), filters=filters)


def rule(number: int) -> Rule:
    """A rule about the subject."""
    when = (Condition("subject", "contains", f"progetto numero {number} (è ora)"),)
    return Rule(f"{number:016x}", f"Rule {number}.", "all", when, (Action("file", f"Progetto {number}"),))


def deliveries(host: MailHost) -> Iterator[str]:
    """Milliseconds for one run of the dispatcher: without rules, with 10 and with 1,000; a small head, and a large."""
    facts = f"X-Mailadmin-From: pass {NONNA} dmarc\nX-Mailadmin-Subject: Ciao a tutti\nX-Mailadmin-Spam: ham 0.0\n"
    raw = written(f"From: {NONNA}")[1].replace(b"\r\n", b"\n")
    for name, more in (("a small head", ""), ("2 KB of head", MORE)):
        taken: dict[str, list[float]] = {MARCO: [], **{whom(count): [] for count in COUNTS}}
        for _ in range(RUNS):
            for one, times in taken.items():
                times.append(delivery(host, one, (facts + more).encode() + raw))
        base, ten, thousand = (statistics.median(times) for times in taken.values())
        yield f"delivery without rules, {name}  {base:6.1f} ms (median of {RUNS} runs of the dispatcher)"
        yield f"with 10 rules                       {ten:6.1f} ms, {ten / base:.2f} times"
        yield f"with 1,000 rules                    {thousand:6.1f} ms, {thousand - base:+.1f}"


def dispatchers(host: MailHost) -> Iterator[str]:
    """Letters a second: a bare recipe, ours, in turn."""
    conf, rc = str(host.layout.postfix), host.layout.etc / "dispatch.rc"
    host.run("postconf", "-c", conf, "-e", "smtpd_milters=")
    host.run("postfix", "-c", conf, "reload")
    ours, bare = rc.read_text(), BARE.format(maildir=host.layout.mail / KEYS[MARCO] / "Maildir")
    speeds: dict[str, list[float]] = {bare: [], ours: []}
    for _ in range(ROUNDS):
        for text, found in speeds.items():
            rc.write_text(text)
            found.append(throughput(host))
    slow, fast = (statistics.median(found) for found in speeds.values())
    yield f"Postfix and a bare recipe           {slow:6.0f} letters/s (median of {ROUNDS} runs, {LETTERS} letters each)"
    yield f"Postfix and our dispatcher          {fast:6.0f} letters/s, {fast / slow:.2f} of it"


def throughput(host: MailHost) -> float:
    """Letters a second to Marco."""
    letters = [written(f"From: {NONNA}", to=MARCO)[1] for _ in range(LETTERS)]
    before, began = len(host.letters(KEYS[MARCO])), time.perf_counter()
    threads = [threading.Thread(target=send, args=(host, letters[part::SENDERS])) for part in range(SENDERS)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(host.letters(KEYS[MARCO])) >= before + LETTERS, "all letters", 300)
    return LETTERS / (time.perf_counter() - began)


def send(host: MailHost, letters: list[bytes]) -> None:
    """One sender, a dialogue a letter."""
    for letter in letters:
        let_in(host, letter, NONNA, [MARCO])
