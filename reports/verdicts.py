"""procmail's log -> what was decided of each letter that was looked at.

In: bytes of the log, the moment. Out: a `Verdict` or an `Act` for each line of ours. Nothing is touched, nothing is
raised: a line that is not exactly one of ours, whatever is in it, is none. The dispatcher writes one line a letter and
mailbox, `queue=ID box=KEY VERDICT STATION REASON FROM PROOF ENTRY`, and one for each rule of the mailbox that acts,
`queue=ID box=KEY rule=KEY`; the lines with `wait=` are followed by another when the letter has been tried again.
Strangers choose FROM, which holds no blank.

The log has no dates. A long queue id begins with the moment at which the letter came, seconds and microseconds in base
52 (Postfix's mail_queue.h); where that is no moment of late, the letter counts as of now.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

DIGITS: Final = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
LATEST: Final = timedelta(days=45)  # a letter may have waited for 30 days, and then in the queue
LINE: Final = re.compile(
    rb"\nqueue=([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,32}) box=([0-9a-f]{16}) "
    rb"(hold in-[1-7] (?=[a-z])|later in-7 (?=hours )|deliver in-8 (?=-))"
    rb"(-|malformed|blocked|stranger|unproven|spam|content|hours) "
    rb"([!-~]{1,254}) ([!-~]{1,300}) ([!-~]{1,255})(?=\n)"
)

ACTED: Final = re.compile(
    rb"\nqueue=([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,32}) box=([0-9a-f]{16}) rule=([0-9a-f]{16}|spam|forward)(?=\n)"
)


class Act(NamedTuple):
    """A rule of a mailbox that did something with a letter."""

    at: datetime
    queue_id: str
    key: str
    rule: str


class Verdict(NamedTuple):
    """What the stations decided of a letter to a mailbox. What is not known is empty."""

    at: datetime
    queue_id: str
    key: str
    verdict: str  # hold, later, deliver
    station: str
    reason: str
    author: str
    proof: str
    entry: str


def verdicts(lines: bytes, now: datetime) -> Iterator[Verdict]:
    """The verdicts of many whole lines, in their order."""
    for match in LINE.finditer(b"\n" + lines):
        queue_id, key, decided, reason, author, proof, entry = (value.decode("ascii") for value in match.groups())
        verdict, station = decided.split()
        rest = ("" if value == "-" else value for value in (reason, author, proof, entry))
        yield Verdict(moment(queue_id, now), queue_id, key, verdict, station, *rest)


def acts(lines: bytes, now: datetime) -> Iterator[Act]:
    """The rules that did something, in the order of many whole lines."""
    for match in ACTED.finditer(b"\n" + lines):
        queue_id, key, rule = (value.decode("ascii") for value in match.groups())
        yield Act(moment(queue_id, now), queue_id, key, rule)


def moment(queue_id: str, now: datetime) -> datetime:
    """When the letter of a long queue id came; now, where that cannot be."""
    seconds = 0
    for digit in queue_id[:6]:
        seconds = seconds * len(DIGITS) + DIGITS.index(digit)
    at = datetime.fromtimestamp(seconds, UTC)
    return at if now - LATEST < at <= now + timedelta(minutes=1) else now
