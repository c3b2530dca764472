"""Who could not sign in: Dovecot's log of one host, and what Postfix says of its submission -> rows and counts.

In: the host's name, its log, the moment. Out: how many bytes were new. Touched: LogPosition, FailedSignIn, HourlyTally.
Raises OSError where the log cannot be read. Every piece of the log counts once, see `reports.position`.

A row is kept for 21 days (`reports.keeping`) where it was tried as one of our mailboxes; as anybody else it is counted
for the host alone, since the world tries names all day. Of more than 100,000 rows the oldest go.

A line of Dovecot's, the end of a session in which nobody signed in (2.3 and 2.4 put it a little differently):
`TIME imap-login: Info: Disconnected: Connection closed (auth failed, 2 attempts in 4 secs): user=<NAME>, method=PLAIN,
rip=ADDRESS, …`. NAME is the stranger's, and may look like what follows it: so it goes up to the last `>, method=`, and
is believed where it is an address of ours.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Final

from reports.bulk import insert
from reports.fields import bits, seconds
from reports.hours import add, mailbox_keys, words
from reports.keeping import kept
from reports.logfile import MOST, machine_zone
from reports.models import FailedSignIn
from reports.parse import Failed, login
from reports.position import read_log
from reports.tally import tally

MOST_ROWS: Final = 100_000
MOST_ATTEMPTS: Final = 1_000  # in one session; Dovecot ends it long before
LINE: Final = re.compile(
    rb"\n(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d) (imap|pop3)-login: Info: [A-Za-z][A-Za-z ,:._-]{0,120}"
    rb"\(auth failed, (\d{1,6}) attempts in \d{1,9} secs\)(?: \([a-z_]{1,40}\))?: user=<([^\n]{0,400})>, "
    rb"(?:method=[A-Z0-9-]{1,30}, )?rip=([0-9a-fA-F.:]{2,45}),"
)


def follow(host: str, log: Path, now: datetime, *, zone: tzinfo | None = None, most: int = MOST) -> int:
    """Store what is new in Dovecot's log; return how many bytes that was."""
    here = zone or machine_zone()

    def store(found: Sequence[Failed]) -> None:
        add(host, tally({}, found).counts)
        keep(host, found, now)

    return read_log(host, log, lambda lines: list(failures(lines, here)), store, most=most)


def failures(lines: bytes, zone: tzinfo) -> Iterator[Failed]:
    """The sessions of many whole lines in which nobody signed in, in their order."""
    for match in LINE.finditer(b"\n" + lines):
        at, door, attempts, name, client = match.groups()
        try:
            moment = datetime.fromisoformat(at.decode()).replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            continue
        yield Failed(moment, door.decode(), login(name), client.decode(), min(int(attempts), MOST_ATTEMPTS))


def keep(host: str, found: Sequence[Failed], now: datetime) -> None:
    """Store those that were tried as one of our mailboxes."""
    keys = mailbox_keys({one.login for one in found})
    ours = [(one, keys[one.login]) for one in found if one.login and one.login in keys]
    clients = words({one.client for one, _key in ours}, now)
    rows = [(host, seconds(one.at), one.door, bits(key), clients[one.client], one.attempts) for one, key in ours]
    insert(FailedSignIn, ["host", "when", "door", "mailbox", "client", "attempts"], rows)


def forget(host: str, now: datetime) -> None:
    """Drop those of long ago, and the oldest of too many."""
    rows = FailedSignIn.objects.filter(host=host)
    rows.filter(when__lt=now - kept()).delete()
    rows.filter(pk__in=list(rows.order_by("-pk").values_list("pk", flat=True)[MOST_ROWS:])).delete()
