"""One line of Postfix's log -> one event, or nothing.

In: bytes that postlogd wrote, and a `Clock`. Out: `Opened`, `Held`, `Queued`, `Delivered`, `Removed` or `Rejected`.
Nothing is touched, nothing is raised: a line that is not one of the records below, whatever is in it, is no event.

Strangers choose parts of many lines: HELO names, addresses, answers of other servers. So a record is matched from the
start of its line, with the exact name of the process; what a stranger wrote is either read by a grammar that it
cannot leave (a quoted local part ends at its own quote, see RFC 5322) or stands where nothing after it is believed.
Postfix writes control characters as `?`, so a line is always one line (msg_printf(3), printable(3)).
Records: smtpd(8), cleanup(8), pickup(8), qmgr(8), postsuper(1), and the delivery agents' log_adhoc(3).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple


class Opened(NamedTuple):
    """A letter came in at a door. `login`: who signed in to send it, empty for anybody else's letter."""

    at: datetime
    queue_id: str
    login: str


class Held(NamedTuple):
    """A letter is to wait until somebody says that it may go; it enters the queue then."""

    at: datetime
    queue_id: str


class Queued(NamedTuple):
    """The queue manager took a letter up: the first time, and again at every retry. `size` in bytes."""

    at: datetime
    queue_id: str
    size: int


class Delivered(NamedTuple):
    """One attempt for one recipient ended. `mailbox`: procmail was to lay it into a mailbox of this host."""

    at: datetime
    queue_id: str
    recipient: str
    mailbox: bool
    status: str  # sent, bounced, deferred


class Removed(NamedTuple):
    """The letter left the queue for good."""

    at: datetime
    queue_id: str


class Rejected(NamedTuple):
    """A recipient, or the letter as a whole, was refused at the door. `later`: the sender was told to come back.

    `queue_id` is given when that was the end of the letter, after all of it had come.
    """

    at: datetime
    queue_id: str = ""
    later: bool = False


Event = Opened | Held | Queued | Delivered | Removed | Rejected

# Short queue ids are upper-case hex, long ones leave the vowels out: no word of the log looks like either.
QUEUE_ID: Final = rb"(?:[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,32}|[0-9A-F]{6,20})"
PRINTED: Final = rb'(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])'
ADDRESS: Final = rb'(?:"' + PRINTED + rb'{0,1000}+"|[^<>",@\x00-\x20\x7f]{0,500}+)(?:@[^<>"\x00-\x20\x7f]{0,255})?'
LOGIN: Final = rb"[^,\x00-\x20\x7f]{1,320}(?=, sasl_sender=|, orig_|\n|\Z)"
# The agent's own look whether a release is live: an address that exists nowhere, asked for on loopback; and what it
# hears while the filter is down.
PROBE: Final = (
    rb"\S{0,300}\[(?:127\.0\.0\.1|::1)\]: (?:\d{3} [\d.]{5,9} <[^\s<>@]{1,64}@probe\.invalid>: "
    rb"|451 4\.7\.1 Service unavailable[^;\n]{0,99}; from=<> proto=ESMTP helo=<probe\.invalid>)"
)

# Every match starts at a newline, which `re` finds fast, and leaves the next one alone. A group's name is what its
# record alone fills.
RECORD: Final = re.compile(
    rb"\n([A-Z][a-z]{2} [ \d]\d \d\d:\d\d):(\d\d) [^\s]{1,255} postfix(?:-[a-z0-9-]{1,60})?/(?:[a-z0-9-]{1,60}/)?(?:"
    rb"smtpd\[\d{1,10}\]: (?:"
    rb"(?P<opened>" + QUEUE_ID + rb"): client=[^\s,]{1,400}"
    rb"(?:, sasl_method=[^\s,]{1,60}, sasl_username=(?P<login>" + LOGIN + rb"))?(?=[,\n]|\Z)"
    rb"|(?:NOQUEUE|"
    + QUEUE_ID
    + rb"): (?:milter-)?reject: (?:RCPT|MAIL|DATA|BDAT|END-OF-MESSAGE) from (?!"
    + PROBE
    + rb")"
    rb"\S{1,400}: (?P<code>[45])\d\d "
    rb"|(?P<held>" + QUEUE_ID + rb"): hold: RCPT from \S"
    rb")"
    rb"|cleanup\[\d{1,10}\]: (?P<refused>" + QUEUE_ID + rb"): milter-reject: END-OF-MESSAGE from \S{1,400}: "
    rb"(?P<class>[45])\.\d"
    rb"|pickup\[\d{1,10}\]: (?P<dropped>" + QUEUE_ID + rb"): uid=\d{1,10} from=<"
    rb"|qmgr\[\d{1,10}\]: (?P<active>" + QUEUE_ID + rb"): from=<.{0,2000}>, size=(?P<size>\d{1,15}), nrcpt=\d{1,9} "
    rb"\(queue active\)(?=\n|\Z)"
    rb"|(?:qmgr|postsuper)\[\d{1,10}\]: (?P<removed>" + QUEUE_ID + rb"): removed(?=\n|\Z)"
    rb"|(?P<agent>pipe|smtp|lmtp|error|local|virtual|discard)\[\d{1,10}\]: (?P<tried>" + QUEUE_ID + rb"): "
    rb"to=<(?P<recipient>" + ADDRESS + rb")>"
    rb"(?:, orig_to=<" + ADDRESS + rb">)?, relay=(?P<relay>[^\s,]{1,400})(?:, conn_use=\d{1,6})?, delay=[\d.]{1,20}, "
    rb"delays=[\d./]{1,80}, dsn=\d\.\d{1,3}\.\d{1,3}, status=(?P<status>sent|bounced|deferred) \("
    rb")"
)
ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
MONTHS: Final = {
    name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1)
}


class Clock:
    """Reads the log's dates, which have neither year nor zone: `now` is aware, `zone` the machine's own.

    The year is the latest that does not lie more than a day ahead of `now` (clocks are stepped). Of an hour that the
    end of summer time repeats, the second is meant unless it lies ahead.
    """

    def __init__(self, now: datetime, zone: tzinfo) -> None:
        """Remember both; minutes once read are kept."""
        self.now = now.astimezone(UTC)
        self.zone = zone
        self.minutes: dict[bytes, datetime | None] = {}

    def read(self, minute: bytes, second: bytes) -> datetime | None:
        """`b"Nov 22 13:02"`, `b"14"` -> the moment in UTC; None where no such day or hour exists."""
        if minute not in self.minutes:
            self.minutes[minute] = self._minute(minute)
        at = self.minutes[minute]
        return at and at + timedelta(seconds=int(second))

    def _minute(self, text: bytes) -> datetime | None:
        month, day, hour, minute = MONTHS.get(text[:3], 0), int(text[4:6]), int(text[7:9]), int(text[10:12])
        year = self.now.year + 1
        for candidate in range(year, year - 10, -1):
            try:
                local = datetime(candidate, month, day, hour, minute, tzinfo=self.zone)
            except ValueError:  # no such hour, or no 29th of February in this year
                continue
            first, second = sorted(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
            if first <= self.now + timedelta(days=1):
                return second if second <= self.now else first
        return None


def address(raw: bytes) -> str:
    r"""An address of the log in lower case, its local part without quotes: `"a\"b"@C.test` -> `a"b@c.test`."""
    text = raw.decode("utf-8", "replace").lower()
    if text.startswith('"'):
        local, _, domain = text[1:].rpartition('"')
        return ESCAPED.sub(r"\1", local) + domain
    return text


def parse(line: bytes, clock: Clock) -> Event | None:
    """The event of one line, given without its newline."""
    return None if b"\n" in line else next(events(line, clock), None)


def events(lines: bytes, clock: Clock) -> Iterator[Event]:
    """The events of many lines, in their order, in one pass."""
    for match in RECORD.finditer(b"\n" + lines):
        at = clock.read(match[1], match[2])
        if at is not None:
            yield _event(at, match)


def _event(at: datetime, match: re.Match[bytes]) -> Event:
    """Which record it is, by the groups that only that record fills."""
    if match["status"]:
        mailbox = match["agent"] == b"pipe" and match["relay"] == b"procmail"
        return Delivered(at, match["tried"].decode(), address(match["recipient"]), mailbox, match["status"].decode())
    if match["opened"]:
        return Opened(at, match["opened"].decode(), address(match["login"] or b""))
    if match["removed"]:
        return Removed(at, match["removed"].decode())
    if match["active"]:
        return Queued(at, match["active"].decode(), int(match["size"]))
    if match["dropped"]:
        return Opened(at, match["dropped"].decode(), "")
    if match["held"]:
        return Held(at, match["held"].decode())
    if match["refused"]:
        return Rejected(at, match["refused"].decode(), match["class"] == b"4")
    return Rejected(at, later=match["code"] == b"4")
