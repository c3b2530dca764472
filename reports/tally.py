"""Events of the log -> letters counted by hour, the letters that are under way or over, and what became of each.

In: the letters under way by queue id, and events in the log's order. Out: what to add, the letters now under way, those
that are over, and the last attempt for each of their recipients. Nothing is touched, nothing is raised. Counting a log
in pieces gives what counting it whole gives.

The rules:
- *out*: a letter that came with a login counts once, when it first enters the queue, for the login's address,
  whatever its envelope says and however many it goes to. A retry never counts again.
- *in*: every final delivery by procmail into a mailbox counts one for that mailbox: an alias of two people counts one
  for each; `emma+game@` is `emma@`. A letter between two people of the host is one out and one in. A notice that the
  host itself writes (a bounce) is a letter, too.
- The host (address "") has the sums of both; *rejected*, letters refused at the door, one for each refused recipient,
  and one for a letter that was refused whole; *bounced*, recipients that a letter could not reach for good;
  *deferred*, letters that had to wait, each once, and what was told at the door to come back, each time it came.
- A letter that waits for somebody's leave is no more sent than one whose sender hung up, until it enters the queue.
- A letter whose beginning was never seen belongs to nobody: it counts as delivered, never as sent.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from reports.parse import Delivered, Event, Held, Named, Opened, Queued, Rejected, Removed

IN: Final = "in"
OUT: Final = "out"
REJECTED: Final = "rejected"
BOUNCED: Final = "bounced"
DEFERRED: Final = "deferred"
HOST: Final = ""
LONGEST_ADDRESS: Final = 254  # RFC 5321 4.5.3.1.3; what is longer counts for the host alone


class Letter(NamedTuple):
    """A letter under way. `queued`: it entered the queue, so it is counted as sent if it has a login.

    `late`: it had to wait; before it is queued, for somebody's leave.
    """

    opened: datetime
    login: str = ""
    size: int = 0
    queued: bool = False
    late: bool = False
    sender: str = ""
    message_id: str = ""


class Slot(NamedTuple):
    """What is counted apart: the hour (UTC), the mailbox's address or HOST, and the direction."""

    hour: datetime
    address: str
    direction: str


class Count(NamedTuple):
    """How many letters, and their bytes."""

    letters: int
    bytes: int


class Recipient(NamedTuple):
    """Whom a letter goes to: the address after aliases, and the one that was written, where it is another."""

    address: str
    original: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What a piece of the log adds, and the letters under way after it.

    `begun`: queue ids that were given in it. `ended`: letters that left the queue. `attempts`: the last one for each
    recipient, by queue id.
    """

    counts: dict[Slot, Count]
    letters: dict[str, Letter]
    begun: set[str]
    ended: dict[str, Letter]
    attempts: dict[str, dict[Recipient, Delivered]]


def tally(letters: Mapping[str, Letter], events: Iterable[Event]) -> Tally:
    """Count a piece of the log. `letters` holds at least those under way that the piece speaks of."""
    counting = _Counting(letters)
    for event in events:
        counting.take(event)
    counts = {slot: Count(*sums) for slot, sums in counting.sums.items()}
    return Tally(counts, counting.letters, counting.begun, counting.ended, counting.attempts)


def mailbox_address(recipient: str) -> str:
    """The mailbox's address without the recipient's extension."""
    local, _, domain = recipient.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


class _Counting:
    """One run of `tally`: the sums and the letters so far."""

    def __init__(self, letters: Mapping[str, Letter]) -> None:
        self.letters = dict(letters)
        self.sums: dict[Slot, list[int]] = defaultdict(lambda: [0, 0])
        self.begun: set[str] = set()
        self.ended: dict[str, Letter] = {}
        self.attempts: dict[str, dict[Recipient, Delivered]] = defaultdict(dict)

    def take(self, event: Event) -> None:
        """Count one event."""
        match event:
            case Opened():
                self._opened(event)
            case Named():
                letter = self.letters.get(event.queue_id) or Letter(event.at)
                self.letters[event.queue_id] = letter._replace(message_id=event.message_id)
            case Held():
                self._wait(event.queue_id, self.letters.get(event.queue_id) or Letter(event.at))
            case Queued():
                self._queued(event)
            case Delivered():
                self._delivered(event)
            case Removed():
                self._removed(event)
            case Rejected():
                self.letters.pop(event.queue_id, None)
                self._add(event.at, HOST, DEFERRED if event.later else REJECTED, 0)

    def _opened(self, event: Opened) -> None:
        self.letters[event.queue_id] = Letter(event.at, event.login)
        self.begun.add(event.queue_id)
        self.ended.pop(event.queue_id, None)
        self.attempts.pop(event.queue_id, None)

    def _removed(self, event: Removed) -> None:
        letter = self.letters.pop(event.queue_id, None)
        if letter and (letter.queued or letter.late):
            self.ended[event.queue_id] = letter

    def _queued(self, event: Queued) -> None:
        letter = self.letters.get(event.queue_id) or Letter(event.at)
        late = letter.late and letter.queued
        self.letters[event.queue_id] = letter._replace(size=event.size, queued=True, late=late, sender=event.sender)
        if letter.login and not letter.queued:
            self._both(event.at, letter.login, OUT, event.size)

    def _delivered(self, event: Delivered) -> None:
        letter = self.letters.setdefault(event.queue_id, Letter(event.at, queued=True))
        if len(event.recipient) <= LONGEST_ADDRESS and len(event.original) <= LONGEST_ADDRESS:
            self.attempts[event.queue_id][Recipient(event.recipient, event.original)] = event
        if event.status == BOUNCED:
            self._add(event.at, HOST, BOUNCED, letter.size)
        elif event.status == DEFERRED:
            if not letter.late:
                self._add(event.at, HOST, DEFERRED, letter.size)
            self._wait(event.queue_id, letter)
        elif event.mailbox:
            self._both(event.at, mailbox_address(event.recipient), IN, letter.size)

    def _wait(self, queue_id: str, letter: Letter) -> None:
        self.letters[queue_id] = letter._replace(late=True)

    def _both(self, at: datetime, address: str, direction: str, size: int) -> None:
        if len(address) <= LONGEST_ADDRESS:
            self._add(at, address, direction, size)
        self._add(at, HOST, direction, size)

    def _add(self, at: datetime, address: str, direction: str, size: int) -> None:
        sums = self.sums[Slot(at.replace(minute=0, second=0, microsecond=0), address, direction)]
        sums[0] += 1
        sums[1] += size
