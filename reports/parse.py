"""One line of Postfix's log -> one event, or nothing.

In: bytes that postlogd wrote, and a `Clock`. Out: `Opened`, `Named`, `Held`, `Queued`, `Delivered`, `Removed`,
`Rejected` or `Failed`.
Nothing is touched, nothing is raised: a line that is not one of the records below, whatever is in it, is no event.

Strangers choose parts of many lines: HELO names, addresses, answers of other servers. So a record is matched from the
start of its line, with the exact name of the process; what a stranger wrote is either read by a grammar that it
cannot leave (a quoted local part ends at its own quote, see RFC 5322) or stands where nothing after it is believed.
Postfix writes control characters as `?`, so a line is always one line (msg_printf(3), printable(3)).
Records: smtpd(8), cleanup(8), pickup(8), qmgr(8), postsuper(1), and the delivery agents' log_adhoc(3).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple


class Opened(NamedTuple):
    """A letter came in at a door. `login`: who signed in to send it, empty for anybody else's letter.

    `process`: of the door, like `[123]`.
    """

    at: datetime
    queue_id: str
    login: str
    process: str = ""


class Held(NamedTuple):
    """A letter is to wait until somebody says that it may go; it enters the queue then.

    Where its first recipient is the reason it has no queue id yet, and is the next that the same `process` opens.
    """

    at: datetime
    queue_id: str
    process: str = ""


class Named(NamedTuple):
    """A letter's Message-ID, without its angle brackets: whoever wrote the letter has chosen it."""

    at: datetime
    queue_id: str
    message_id: str


class Queued(NamedTuple):
    """The queue manager took a letter up: the first time, and again at every retry.

    `size` in bytes. `sender`: of the envelope; empty for the null sender, and for what is no address.
    """

    at: datetime
    queue_id: str
    size: int
    sender: str = ""


class Delivered(NamedTuple):
    """One attempt for one recipient ended. `mailbox`: procmail was to lay it into a mailbox of this host.

    `outside`: another host was asked to take it.
    `original`: the recipient before aliases, where it was another. `relay`: the program or the host that had it.
    `delay`: seconds since the letter came. `dsn`: RFC 3463. `reply`: what the relay said, in its own words.
    """

    at: datetime
    queue_id: str
    recipient: str
    mailbox: bool
    status: str  # sent, bounced, deferred
    original: str = ""
    relay: str = ""
    delay: float = 0.0
    dsn: str = ""
    reply: str = ""
    outside: bool = False


class Removed(NamedTuple):
    """The letter left the queue for good."""

    at: datetime
    queue_id: str


class Rejected(NamedTuple):
    """A recipient, or the letter as a whole, was refused at the door. `later`: the sender was told to come back.

    `queue_id` is given when that was the end of the letter, after all of it had come. `why`: `spoofed`, somebody who
    signed in wanted to write as another; `full`, the mailbox was; else empty. `whose`: who signed in, or the mailbox.
    """

    at: datetime
    queue_id: str = ""
    later: bool = False
    why: str = ""
    whose: str = ""


class Failed(NamedTuple):
    """Somebody could not sign in, at `smtp`, `imap` or `pop3`, so many times in a row.

    `login`: as whom; empty for what is no address. `client`: from where, an IP address.
    """

    at: datetime
    door: str
    login: str
    client: str
    attempts: int = 1
    queue_id: str = ""


Event = Failed | Opened | Named | Held | Queued | Delivered | Removed | Rejected

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

# Why it was refused, where that is counted: access(5), and dovecot-quota-status(1) by RFC 3463's "mailbox full".
# Postfix writes the sender without its quotes here: one who has the words for who signed in in it stands before the
# true ones, so nobody is believed but the last.
PLAIN: Final = rb"[!#-:=?A-~]{1,64}@[!#-:=?A-~]{1,255}"
OWNER: Final = rb": Sender address rejected: not owned by user "
WHY: Final = (
    rb"5\.7\.1 <" + ADDRESS + rb">" + OWNER + rb"(?:(?P<poser>" + PLAIN + rb");(?![^\n]*" + OWNER + rb"))?"
    rb"|[45]\.2\.2 (?:<(?P<over>" + PLAIN + rb")>: )?"
)

# Every match starts at a newline, which `re` finds fast, and leaves the next one alone. A group's name is what its
# record alone fills.
RECORD: Final = re.compile(
    rb"\n([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) [^\s]{1,255} postfix(?:-[a-z0-9-]{1,60})?/(?:[a-z0-9-]{1,60}/)?(?:"
    rb"smtpd(?P<process>\[\d{1,10}\]): (?:"
    rb"(?P<opened>" + QUEUE_ID + rb"): client=[^\s,]{1,400}"
    rb"(?:, sasl_method=[^\s,]{1,60}, sasl_username=(?P<login>" + LOGIN + rb"))?(?=[,\n]|\Z)"
    rb"|(?:NOQUEUE|"
    + QUEUE_ID
    + rb"): (?:milter-)?reject: (?:RCPT|MAIL|DATA|BDAT|END-OF-MESSAGE) from (?!"
    + PROBE
    + rb")"
    rb"\S{1,400}: (?P<code>[45])\d\d (?P<refused>" + WHY + rb")?"
    rb"|(?P<held>NOQUEUE|" + QUEUE_ID + rb"): hold: RCPT from \S"
    rb"|warning: \S{1,300}\[(?P<from>[0-9a-fA-F.:]{2,45})\]: SASL [A-Z0-9-]{1,30} authentication failed: [^,\n]{0,200}"
    rb", sasl_username=(?P<failed>[^\n]{0,400})"
    rb")"
    rb"|cleanup\[\d{1,10}\]: (?P<cleaned>" + QUEUE_ID + rb"): (?:"
    rb"message-id=<(?P<message_id>[!-;=?-~]{1,250})>(?=\n|\Z)"
    rb"|milter-reject: END-OF-MESSAGE from \S{1,400}: (?P<class>[45])\.\d"
    rb"(?P<posed>\.1 (?P<posing>\S{1,320}) may not write as )?)"
    rb"|pickup\[\d{1,10}\]: (?P<dropped>" + QUEUE_ID + rb"): uid=\d{1,10} from=<"
    rb"|qmgr\[\d{1,10}\]: (?P<active>"
    + QUEUE_ID
    + rb"): from=<(?P<sender>.{0,2000})>, size=(?P<size>\d{1,15}), nrcpt=\d{1,9} "
    rb"\(queue active\)(?=\n|\Z)"
    rb"|(?:qmgr|postsuper)\[\d{1,10}\]: (?P<removed>" + QUEUE_ID + rb"): removed(?=\n|\Z)"
    rb"|(?P<agent>pipe|smtp|lmtp|error|local|virtual|discard)\[\d{1,10}\]: (?P<tried>" + QUEUE_ID + rb"): "
    rb"to=<(?P<recipient>" + ADDRESS + rb")>"
    rb"(?:, orig_to=<(?P<original>" + ADDRESS + rb")>)?, relay=(?P<relay>[^\s,]{1,400})(?:, conn_use=\d{1,6})?, "
    rb"delay=(?P<delay>\d{1,9}(?:\.\d{1,9})?), delays=[\d./]{1,80}, dsn=(?P<dsn>\d\.\d{1,3}\.\d{1,3}), "
    rb"status=(?P<status>sent|bounced|deferred) \((?P<reply>[^\n]{0,300})"
    rb")"
)
ATTEMPT: Final = ("agent", "tried", "recipient", "original", "relay", "delay", "dsn", "status", "reply")  # its groups
LONGEST_SENDER: Final = 320
LOGIN_ADDRESS: Final = re.compile(rb"[!#-;=?A-~]{1,64}@[!#-;=?A-~]{1,255}")
WHOLE_ADDRESS: Final = re.compile(ADDRESS)
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

    def read(self, date: bytes) -> datetime | None:
        """`b"Nov 22 13:02:14"` -> the moment in UTC; None where no such day or hour exists."""
        minute = date[:12]
        if minute not in self.minutes:
            self.minutes[minute] = self._minute(minute)
        at = self.minutes[minute]
        return at and at + timedelta(seconds=int(date[13:]))

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
    date, at = b"", None
    for match in RECORD.finditer(b"\n" + lines):
        if match[1] != date:  # most lines are of the same second as the one before
            date = match[1]
            at = clock.read(date)
        if at:
            yield RECORDS[match.lastgroup](at, match)


def _delivered(at: datetime, match: re.Match[bytes]) -> Delivered:
    """One attempt, with what is known of it."""
    agent, queue_id, recipient, original, relay, delay, dsn, status, reply = match.group(*ATTEMPT)
    return Delivered(
        at,
        queue_id.decode(),
        address(recipient),
        agent == b"pipe" and relay == b"procmail",
        status.decode(),
        address(original) if original else "",
        printable(relay),
        float(delay),
        dsn.decode(),
        printable(reply).removesuffix(")"),
        agent == b"smtp",
    )


def _refused(at: datetime, match: re.Match[bytes]) -> Rejected:
    """Refused at the door before the letter came."""
    refused = match["refused"] or b""
    why = "full" if refused[1:].startswith(b".2.2 ") else "spoofed" if refused else ""
    return Rejected(at, later=match["code"] == b"4", why=why, whose=address(match["poser"] or match["over"] or b""))


def _filtered(at: datetime, match: re.Match[bytes]) -> Rejected:
    """Refused by the filter, after all of it had come."""
    why = "spoofed" if match["posed"] else ""
    return Rejected(at, match["cleaned"].decode(), match["class"] == b"4", why, login(match["posing"] or b""))


def printable(raw: bytes) -> str:
    """Words of a program or of a stranger's server; what cannot be seen is a `?`, as Postfix has it."""
    text = raw.decode("utf-8", "replace")
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def sender(raw: bytes) -> str:
    """The envelope sender of the log; empty for what is no address, or longer than one (RFC 5321 4.5.3.1)."""
    return address(raw) if len(raw) <= LONGEST_SENDER and WHOLE_ADDRESS.fullmatch(raw) else ""


def _opened(at: datetime, match: re.Match[bytes]) -> Opened:
    """A door, and who signed in there."""
    return Opened(at, match["opened"].decode(), address(match["login"] or b""), match["process"].decode())


def _held(at: datetime, match: re.Match[bytes]) -> Held:
    """A letter that is to wait, or will be one."""
    return Held(at, match["held"].decode().replace("NOQUEUE", ""), match["process"].decode())


def login(raw: bytes) -> str:
    """As whom somebody wanted to sign in; empty for what is no address."""
    return address(raw) if LOGIN_ADDRESS.fullmatch(raw) else ""


# Which record it is, by the last group that it fills.
RECORDS: Final[Mapping[str | None, Callable[[datetime, re.Match[bytes]], Event]]] = {
    "opened": _opened,
    "login": _opened,
    "dropped": lambda at, match: Opened(at, match["dropped"].decode(), ""),
    "message_id": lambda at, match: Named(at, match["cleaned"].decode(), match["message_id"].decode()),
    "failed": lambda at, match: Failed(at, "smtp", login(match["failed"]), match["from"].decode()),
    "held": _held,
    "size": lambda at, match: Queued(at, match["active"].decode(), int(match["size"]), sender(match["sender"])),
    "reply": _delivered,
    "removed": lambda at, match: Removed(at, match["removed"].decode()),
    "class": _filtered,
    "posed": _filtered,
    "code": _refused,
    "refused": _refused,
}
