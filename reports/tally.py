"""Events of the log -> what is counted by hour, the letters that are under way, and what became of each.

In: the letters under way by queue id, and events in the log's order. Out: a `Tally`: what to add, the letters now under
way, what became of letters at their recipients. Nothing is touched, nothing is raised. Counting a log in pieces gives
what counting it whole gives.

What is counted, for a mailbox and for the host (address ""), which has the sums:
- *sent*: a letter that came with a login counts once, when it first enters the queue, for the login's address,
  whatever its envelope says and however many it goes to. A retry never counts again. *abroad*: those of them for which
  another host was asked at least once.
- *received*: every final delivery by procmail into a mailbox counts one for that mailbox: an alias of two people counts
  one for each; `emma+game@` is `emma@`. A letter between two people of the host is one sent and one received, and one
  *home*: received from somebody of this host. A notice that the host itself writes (a bounce) is a letter, too.
- *away*: every final delivery to another host counts one for the login that sent it.
- *quick* and *slow*: final deliveries of either kind that took at most a minute, or more than a quarter of an hour,
  from when the letter came; time in which it waited for somebody's leave counts, too.
- *bounced*: recipients that a letter could not reach for good; for the login and the host.
- *deferred*: letters that had to wait in the queue, each once, for the login and the host; and, for the host, what was
  told at the door to come back, each time it came.
- *rejected*, the host's alone: letters refused at the door, one for each refused recipient, and one for a letter that
  was refused whole. *spoofed* and *full* are those among them (or told to come back) that were written as somebody
  else, for the login that wrote them, or to a mailbox that had no room, for the mailbox; both for the host, too.
- *failed*: attempts to sign in that were refused, for the mailbox as which it was tried, and the host.
- *asked*: letters of a login that were to wait for somebody's leave, each once.
A letter that waits for somebody's leave is no more sent than one whose sender hung up, until it enters the queue. A
letter whose beginning was never seen belongs to nobody: it counts as delivered, never as sent.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from reports.parse import Delivered, Event, Failed, Held, Named, Opened, Queued, Rejected, Removed

RECEIVED, SENT, HOME, ABROAD, AWAY = "received", "sent", "home", "abroad", "away"
QUICK, SLOW, BOUNCED, DEFERRED, ASKED, FAILED = "quick", "slow", "bounced", "deferred", "asked", "failed"
REJECTED: Final = "rejected"
HOST: Final = ""
LONGEST_ADDRESS: Final = 254  # RFC 5321 4.5.3.1.3; what is longer counts for the host alone
A_SESSION: Final = timedelta(minutes=10)  # the door opens a letter at once; its process may be another's later
AN_HOUR: Final = timedelta(hours=1)
NEVER: Final = datetime.min.replace(tzinfo=UTC)
A_MINUTE: Final = 60.0
A_QUARTER: Final = 900.0  # seconds


@dataclass(slots=True)
class Letter:
    """A letter under way. `queued`: it entered the queue, so it is counted as sent if it has a login.

    `late`: it had to wait; before it is queued, for somebody's leave. `abroad`: another host was asked to take it.
    `asked`: it had to wait for leave, whether it may go by now or not.
    """

    opened: datetime
    login: str = ""
    size: int = 0
    queued: bool = False
    late: bool = False
    sender: str = ""
    message_id: str = ""
    abroad: bool = False
    asked: bool = False


class Slot(NamedTuple):
    """What is counted apart: the hour (UTC), the mailbox's address or HOST, and the column."""

    hour: datetime
    address: str
    column: str


class Count(NamedTuple):
    """How many letters, and their bytes."""

    letters: int
    bytes: int


class Partner(NamedTuple):
    """Letters counted with a domain outside: the month (202611), the mailbox's address, the domain, and the column."""

    month: int
    address: str
    domain: str
    column: str


class Outcome(NamedTuple):
    """A letter, as it is by now, and the last attempt for each of its recipients. None: it was dropped.

    A recipient goes by the address after aliases, and the one that was written, where it is another.
    `again`: some of its recipients may have been tried in an earlier piece.
    """

    queue_id: str
    letter: Letter
    attempts: Mapping[tuple[str, str], Delivered] | None
    again: bool


@dataclass(frozen=True, slots=True)
class Tally:
    """What a piece of the log adds, the letters under way after it, and what became of letters in it."""

    counts: dict[Slot, Count]
    partners: dict[Partner, int]
    letters: dict[str, Letter]
    outcomes: list[Outcome]
    failed: list[Failed]


def tally(letters: Mapping[str, Letter], events: Iterable[Event]) -> Tally:
    """Count a piece of the log. `letters` holds at least those under way that the piece speaks of."""
    counting = _Counting(letters)
    for event in events:
        TAKE[type(event)](counting, event)
    for queue_id in [*counting.attempts]:
        counting.end(queue_id, counting.letters[queue_id])
    partners = {Partner(*partner): letters for partner, letters in counting.partners.items()}
    return Tally(counting.counts(), partners, counting.letters, counting.outcomes, counting.failures)


def hour_of(at: datetime) -> datetime:
    """The hour in which a moment is counted."""
    return at.replace(minute=0, second=0, microsecond=0)


def mailbox_address(recipient: str) -> str:
    """The mailbox's address without the recipient's extension."""
    local, _, domain = recipient.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


class _Counting:
    """One run of `tally`: the sums and the letters so far."""

    def __init__(self, letters: Mapping[str, Letter]) -> None:
        self.letters = {queue_id: replace(letter) for queue_id, letter in letters.items()}
        self.late = {queue_id for queue_id, letter in letters.items() if letter.late}
        self.since = self.until = NEVER  # the hour of the last event that was counted
        self.sums: dict[datetime, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
        self.partners: dict[tuple[int, str, str, str], int] = defaultdict(int)
        self.attempts: dict[str, dict[tuple[str, str], Delivered]] = defaultdict(dict)
        self.outcomes: list[Outcome] = []
        self.failures: list[Failed] = []

    def counts(self) -> dict[Slot, Count]:
        """For each mailbox, and for the host, which has all."""
        found: dict[Slot, list[int]] = defaultdict(lambda: [0, 0])
        for hour, slots in self.sums.items():
            for (address, column), (letters, size) in slots.items():
                for whose in {HOST, address if len(address) <= LONGEST_ADDRESS else HOST}:
                    sums = found[Slot(hour, whose, column)]
                    sums[0] += letters
                    sums[1] += size
        return {slot: Count(*sums) for slot, sums in found.items()}

    def end(self, queue_id: str, letter: Letter) -> None:
        """Keep what became of a letter in this piece."""
        attempts = self.attempts.pop(queue_id, None)
        if attempts or (letter.late and not letter.queued):
            self.outcomes.append(Outcome(queue_id, letter, attempts, queue_id in self.late))

    def opened(self, event: Opened) -> None:
        """A queue id that is given anew is another letter."""
        if (old := self.letters.get(event.queue_id)) and event.queue_id in self.attempts:
            self.end(event.queue_id, old)
        self.late.discard(event.queue_id)
        letter = self.letters[event.queue_id] = Letter(event.at, event.login)
        said = self.letters.pop(event.process, None)
        if said and event.at - said.opened <= A_SESSION:
            self._ask(event.at, letter)

    def _letter(self, at: datetime, queue_id: str) -> Letter:
        """The letter under way, even where its beginning was never seen."""
        letter = self.letters.get(queue_id)
        if letter is None:
            letter = self.letters[queue_id] = Letter(at)
        return letter

    def named(self, event: Named) -> None:
        self._letter(event.at, event.queue_id).message_id = event.message_id

    def held(self, event: Held) -> None:
        if event.queue_id:
            self._ask(event.at, self._letter(event.at, event.queue_id))
        else:  # kept under the door's process, until that opens the letter
            self.letters[event.process] = Letter(event.at)

    def _ask(self, at: datetime, letter: Letter) -> None:
        """It is to wait for somebody's leave."""
        if not letter.late:
            self._count(at, letter.login, ASKED, 0)
        letter.late = letter.asked = True

    def removed(self, event: Removed) -> None:
        if letter := self.letters.pop(event.queue_id, None):
            self.end(event.queue_id, letter)

    def rejected(self, event: Rejected) -> None:
        if (letter := self.letters.pop(event.queue_id, None)) and event.queue_id in self.attempts:
            self.end(event.queue_id, letter)
        self._count(event.at, HOST, DEFERRED if event.later else REJECTED, 0)
        if event.why:
            self._count(event.at, mailbox_address(event.whose) if event.whose else "", event.why, 0)

    def failed(self, event: Failed) -> None:
        self.failures.append(event)
        for _attempt in range(event.attempts):
            self._count(event.at, event.login, FAILED, 0)

    def queued(self, event: Queued) -> None:
        self._queue(event.at, self._letter(event.at, event.queue_id), event.size, event.sender)

    def _queue(self, at: datetime, letter: Letter, size: int, sender: str) -> None:
        """It is in the queue, once more or for the first time."""
        letter.size, letter.sender = size, sender
        if not letter.queued:
            letter.queued, letter.late = True, False
            if letter.login:
                self._count(at, letter.login, SENT, size)

    def delivered(self, event: Delivered) -> None:
        letter = self._letter(event.at, event.queue_id)
        if not letter.queued:  # the line that says so is lost
            self._queue(event.at, letter, letter.size, letter.sender)
        if len(event.recipient) <= LONGEST_ADDRESS and len(event.original) <= LONGEST_ADDRESS:
            self.attempts[event.queue_id][event.recipient, event.original] = event
        if event.outside and letter.login and not letter.abroad:
            letter.abroad = True
            self._count(event.at, letter.login, ABROAD, letter.size)
        if event.status in (BOUNCED, DEFERRED):
            self._not_taken(event, letter)
        elif event.mailbox:
            self._received(event, letter)
        elif event.outside:
            self._count(event.at, letter.login, AWAY, letter.size)
            self._timed(event, letter.login)
            self._partner(event.at, letter.login, event.recipient, SENT)

    def _not_taken(self, event: Delivered, letter: Letter) -> None:
        """For good, or for now."""
        if event.status == BOUNCED or not letter.late:
            self._count(event.at, letter.login, event.status, letter.size)
        letter.late = letter.late or event.status == DEFERRED

    def _received(self, event: Delivered, letter: Letter) -> None:
        """It lies in a mailbox of this host."""
        address = mailbox_address(event.recipient)
        self._count(event.at, address, RECEIVED, letter.size)
        self._timed(event, address)
        if letter.login:
            self._count(event.at, address, HOME, letter.size)
        else:
            self._partner(event.at, address, letter.sender, RECEIVED)

    def _timed(self, event: Delivered, address: str) -> None:
        """How long the letter took."""
        if event.delay <= A_MINUTE:
            self._count(event.at, address, QUICK, 0)
        elif event.delay > A_QUARTER:
            self._count(event.at, address, SLOW, 0)

    def _partner(self, at: datetime, address: str, other: str, column: str) -> None:
        """A letter from or to a domain outside."""
        domain = other.rpartition("@")[2]
        if domain and address and len(address) <= LONGEST_ADDRESS:
            self.partners[at.year * 100 + at.month, address, domain, column] += 1

    def _count(self, at: datetime, address: str, column: str, size: int) -> None:
        """For a mailbox, or for the host alone."""
        if not self.since <= at < self.until:
            self.since = hour_of(at)
            self.until = self.since + AN_HOUR
        sums = self.sums[self.since][address, column]
        sums[0] += 1
        sums[1] += size


TAKE: Final[Mapping[type[Event], Callable[[_Counting, Any], None]]] = {
    Opened: _Counting.opened,
    Named: _Counting.named,
    Held: _Counting.held,
    Queued: _Counting.queued,
    Delivered: _Counting.delivered,
    Removed: _Counting.removed,
    Rejected: _Counting.rejected,
    Failed: _Counting.failed,
}
