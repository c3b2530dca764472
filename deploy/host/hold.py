"""Postfix's hold queue, as root: which letters wait in it, what they are, and their two ways out.

In: a `Layout` and a queue id; to let go or drop a letter also when it arrived and who signed in, which must agree with
the queue. Out: ids, a letter, what was done. Touched: that letter. Raises CommandError with one sentence.

Long queue ids (enable_long_queue_ids) are never used twice, and `hold` is one flat folder (hash_queue_names). Sources:
postsuper(1), postcat(1), postqueue(1).
"""

import json
import re
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from deploy.host.commands import CommandError, run
from deploy.host.layout import Layout

TIME: Final = 20.0
DAY: Final = 86_400
MOST_SHOWN: Final = 1 << 20  # bytes of a letter
MOST_IDS: Final = 20_000
LONG_ID: Final = re.compile(r"[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,32}\Z")
HEADING: Final = re.compile(r"\*\*\* ENVELOPE RECORDS ([a-z]+)/(?:[0-9A-F]/)*([0-9A-Za-z]+) \*\*\*\Z")
RECORD: Final = re.compile(
    r"(?:named_attribute: (?=sasl_username=|client_address=)|(?=message_(?:size|arrival_time):|sender:|recipient:))"
    r"(\w+)(?:=|: )(.*)\Z"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A letter in the hold queue: seconds since 1970, bytes, who signed in; the envelope, with aliases followed."""

    arrived: int
    size: int
    login: str
    client: str
    sender: str
    recipients: tuple[str, ...]


def waiting(layout: Layout) -> bytes:
    """The ids in the hold queue, a line each, sorted."""
    names = sorted(path.name for path in spool(layout, "hold").iterdir() if LONG_ID.match(path.name))
    return "".join(f"{name}\n" for name in names[:MOST_IDS]).encode()


def show(layout: Layout, queue_id: str) -> bytes:
    """The envelope as one line of JSON, then the beginning of the letter."""
    found = envelope(layout, queue_id)
    letter = postfix(layout, "postcat", "-q", "-hb", queue_id)
    return json.dumps(asdict(found)).encode() + b"\n" + letter[:MOST_SHOWN]


def release(layout: Layout, queue_id: str, arrived: str, login: str) -> str:
    """Let a letter go. One that would soon be too old to be tried again begins anew, under another id."""
    if not _agree(layout, queue_id, arrived, login):
        return "gone"
    if time.time() - int(arrived) < _lifetime(layout) - DAY:
        postfix(layout, "postsuper", "-H", queue_id)
        kick(layout, "qmgr", "D")  # not `postqueue -i`, which overrides defer_transports
    else:
        postfix(layout, "postsuper", "-r", queue_id, "hold")
        kick(layout, "pickup", "W")
    return "released"


def drop(layout: Layout, queue_id: str, arrived: str, login: str) -> str:
    """Remove a letter for good."""
    if not _agree(layout, queue_id, arrived, login):
        return "gone"
    postfix(layout, "postsuper", "-d", queue_id, "hold")
    return "dropped"


def read_envelope(queue_id: str, printed: str, queue: str = "hold") -> Waiting | None:
    """What `postcat -e` says of a letter; None when it is of another queue.

    Of each record the first counts, and of recipients all: the sender's own words (ENVID, ORCPT) may hold line feeds
    and look like records, but come after Postfix's, and one more recipient has only to be let through as well.
    """
    heading, *lines = printed.split("\n")
    found = HEADING.match(heading)
    if not found or found.groups() != (queue, queue_id):
        return None
    records = [(str(match[1]), str(match[2])) for match in map(RECORD.match, lines) if match]
    first = dict(reversed(records))
    return Waiting(
        arrived=_moment(first["message_arrival_time"]),
        size=int(first["message_size"].split()[0]),
        login=first.get("sasl_username", ""),
        client=first.get("client_address", ""),
        sender=first.get("sender", ""),
        recipients=tuple(value for word, value in records if word == "recipient"),
    )


def _moment(text: str) -> int:
    """Seconds since 1970 of what asctime(3) wrote in UTC."""
    return int(datetime.strptime(" ".join(text.split()), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC).timestamp())


def envelope(layout: Layout, queue_id: str, queue: str = "hold") -> Waiting:
    """A letter's envelope; raise CommandError where it is not in this queue."""
    printed = postfix(layout, "postcat", "-q", "-e", queue_id).decode("utf-8", "surrogateescape")
    found = read_envelope(queue_id, printed, queue)
    if found is None:
        raise CommandError(f"The letter {queue_id} is not in the {queue} queue.")
    return found


def _agree(layout: Layout, queue_id: str, arrived: str, login: str) -> bool:
    """Whether the letter is there; raise unless it is the one that whoever asks means."""
    if not (spool(layout, "hold") / queue_id).exists():
        return False
    found = envelope(layout, queue_id)
    if (str(found.arrived), found.login) != (arrived, login):
        raise CommandError(f"The letter {queue_id} arrived at another time, or is somebody else's.")
    return True


def _lifetime(layout: Layout) -> int:
    """How long Postfix tries a letter, in seconds."""
    text = postfix(layout, "postconf", "-h", "maximal_queue_lifetime").decode().strip()
    return int(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": DAY, "w": 7 * DAY}[text[-1]]


def kick(layout: Layout, service: str, request: str) -> None:
    """Have a service look now. While it is being restarted it does not hear us, and looks by itself."""
    with suppress(CommandError):
        postfix(layout, "postkick", "public", service, request)


@cache
def spool(layout: Layout, queue: str) -> Path:
    """The folder of one of Postfix's queues."""
    return Path(postfix(layout, "postconf", "-h", "queue_directory").decode().strip()) / queue


def postfix(layout: Layout, program: str, *words: str) -> bytes:
    """One of Postfix's programs, in UTC; what it printed."""
    return run([program, "-c", str(layout.postfix), *words], timeout=TIME, env={"TZ": "UTC"}).out
