"""The mail log of one host -> letters counted by hour in the database.

In: the host's name, its log, the moment. Out: how many bytes were new. Touched: LogPosition, OpenLetter, HourlyTally.
Raises OSError where the log cannot be read.

Every piece of the log counts once, see `reports.position`. What is kept is bounded: a letter that did not enter the
queue within a day, because its sender hung up half-way, is forgotten; so is any after 45 days (a parent has 30 to
answer, then Postfix tries for 5), and the oldest beyond 100,000, those whose sender hung up first. If one comes back
after all it is nobody's, as `tally` says.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, ExpressionWrapper, Q

from domains.models import Mailbox
from reports.logfile import MOST
from reports.models import HourlyTally, OpenLetter
from reports.parse import Clock, Event, events
from reports.position import read_log
from reports.tally import HOST, Count, Letter, Slot, tally

HUNG_UP: Final = timedelta(days=1)
FORGOTTEN: Final = timedelta(days=45)
MOST_LETTERS: Final = 100_000
CHUNK: Final = 5_000  # values in one query; SQLite takes 32,766


def follow(host: str, log: Path, now: datetime, *, zone: tzinfo | None = None, most: int = MOST) -> int:
    """Count what is new in the log; return how many bytes that was."""
    clock = Clock(now, zone or machine_zone())
    new = read_log(host, log, lambda lines: list(events(lines, clock)), lambda found: _count(host, found), most=most)
    if new:
        forget(host, now)
    return new


def machine_zone(path: Path = Path("/etc/localtime")) -> tzinfo:
    """The machine's own time zone, which Postfix writes in; Django has set the process's to another."""
    try:
        with path.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (FileNotFoundError, ValueError):
        return UTC


def forget(host: str, now: datetime) -> None:
    """Drop the letters under way that will never end, and the oldest of too many."""
    waiting = ExpressionWrapper(Q(queued=True) | Q(late=True), BooleanField())
    letters = OpenLetter.objects.filter(host=host).annotate(waiting=waiting)
    letters.filter(Q(opened__lt=now - FORGOTTEN) | Q(waiting=False, opened__lt=now - HUNG_UP)).delete()
    surplus = letters.count() - MOST_LETTERS
    if surplus > 0:
        oldest = letters.order_by("waiting", "opened", "pk").values_list("pk", flat=True)[:surplus]
        OpenLetter.objects.filter(pk__in=oldest).delete()


def _count(host: str, found: list[Event]) -> None:
    """Count what one piece of the log says."""
    before = _under_way(host, found)
    result = tally(before, found)
    _keep(host, before, result.letters)
    _add(host, result.counts)


def _under_way(host: str, found: Iterable[Event]) -> dict[str, Letter]:
    """The letters under way that these events speak of."""
    ids = {event.queue_id for event in found if event.queue_id}
    rows = (row for chunk in _chunks(ids) for row in OpenLetter.objects.filter(host=host, queue_id__in=chunk))
    return {row.queue_id: Letter(row.opened, row.login, row.size, row.queued, row.late) for row in rows}


def _keep(host: str, before: dict[str, Letter], after: dict[str, Letter]) -> None:
    """Store the letters that are under way now."""
    for chunk in _chunks(before.keys() - after.keys()):
        OpenLetter.objects.filter(host=host, queue_id__in=chunk).delete()
    changed = {queue_id: letter for queue_id, letter in after.items() if before.get(queue_id) != letter}
    OpenLetter.objects.bulk_create(
        [_row(host, queue_id, letter) for queue_id, letter in changed.items()],
        batch_size=CHUNK // len(OpenLetter._meta.fields),
        update_conflicts=True,
        unique_fields=["host", "queue_id"],
        update_fields=["opened", "login", "size", "queued", "late"],
    )


def _row(host: str, queue_id: str, letter: Letter) -> OpenLetter:
    """A letter under way as it is stored."""
    opened, login, size, queued, late = letter
    return OpenLetter(host=host, queue_id=queue_id, opened=opened, login=login, size=size, queued=queued, late=late)


def _add(host: str, counts: dict[Slot, Count]) -> None:
    """Add to what is counted so far; what is no mailbox (any more) has its part in the host's sums alone."""
    keys = _keys({slot.address for slot in counts})
    named = {(keys[s.address], s.hour, s.direction): count for s, count in counts.items() if s.address in keys}
    rows = {
        (row.mailbox, row.hour, row.direction): row
        for chunk in _chunks(keys.values())
        for row in HourlyTally.objects.filter(host=host, mailbox__in=chunk, hour__in={hour for _, hour, _ in named})
    }
    for slot, count in named.items():
        mailbox, hour, direction = slot
        row = rows.setdefault(slot, HourlyTally(host=host, mailbox=mailbox, hour=hour, direction=direction))
        row.letters += count.letters
        row.bytes += count.bytes
    HourlyTally.objects.bulk_create(
        [rows[slot] for slot in named],
        batch_size=CHUNK // len(HourlyTally._meta.fields),
        update_conflicts=True,
        unique_fields=["mailbox", "hour", "direction", "host"],
        update_fields=["letters", "bytes"],
    )


def _keys(addresses: Iterable[str]) -> dict[str, str]:
    """The keys of these mailboxes by address; the host's own sum keeps its empty name."""
    chunks = (Mailbox.objects.filter(address__in=c).values_list("address", "key") for c in _chunks(addresses))
    return {HOST: HOST, **{address: key for chunk in chunks for address, key in chunk}}


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    """The values, so many at a time as one query takes."""
    rest = list(values)
    for start in range(0, len(rest), CHUNK):
        yield rest[start : start + CHUNK]
