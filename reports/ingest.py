"""The mail log of one host -> letters, what became of them, and letters counted by hour, in the database.

In: the host's name, its log, the moment. Out: how many bytes were new. Touched: LogPosition, Letter, Delivery,
HourlyTally. Raises OSError where the log cannot be read.

Every piece of the log counts once, see `reports.position`. What is kept is bounded: a letter that did not enter the
queue within a day, because its sender hung up half-way, is forgotten; so is any under way after 45 days (a parent has
30 to answer, then Postfix tries for 5), and the oldest beyond 100,000, those whose sender hung up first. If one comes
back after all it is nobody's, as `tally` says. A letter that is over is kept for 21 days, with its deliveries.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, ExpressionWrapper, Q

from domains.models import Mailbox
from reports.logfile import MOST
from reports.models import Delivery, HourlyTally, Letter as Row
from reports.parse import Clock, Event, events
from reports.position import read_log
from reports.tally import HOST, Count, Letter, Slot, Tally, mailbox_address, tally

HUNG_UP: Final = timedelta(days=1)
FORGOTTEN: Final = timedelta(days=45)
KEPT: Final = timedelta(days=21)
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
    """Drop the letters under way that will never end, the oldest of too many, and those that were over long ago."""
    Row.objects.filter(host=host, over=True, opened__lt=now - KEPT).delete()
    waiting = ExpressionWrapper(Q(queued=True) | Q(late=True), BooleanField())
    letters = Row.objects.filter(host=host, over=False).annotate(waiting=waiting)
    letters.filter(Q(opened__lt=now - FORGOTTEN) | Q(waiting=False, opened__lt=now - HUNG_UP)).delete()
    surplus = letters.count() - MOST_LETTERS
    if surplus > 0:
        oldest = letters.order_by("waiting", "opened", "pk").values_list("pk", flat=True)[:surplus]
        Row.objects.filter(pk__in=oldest).delete()


def _count(host: str, found: list[Event]) -> None:
    """Count what one piece of the log says."""
    before = _under_way(host, found)
    result = tally(before, found)
    _keep(host, before, result)
    _deliver(host, result)
    _add(host, result.counts)


def _under_way(host: str, found: Iterable[Event]) -> dict[str, Letter]:
    """The letters under way that these events speak of."""
    ids = {event.queue_id for event in found if event.queue_id}
    rows = (row for c in _chunks(ids) for row in Row.objects.filter(host=host, queue_id__in=c, over=False))
    return {row.queue_id: Letter(*(getattr(row, name) for name in Letter._fields)) for row in rows}


def _keep(host: str, before: dict[str, Letter], result: Tally) -> None:
    """Store the letters as they are now. A queue id that is given anew takes its old letter's place."""
    after = {**result.ended, **result.letters}
    for chunk in _chunks(before.keys() - after.keys()):
        Row.objects.filter(host=host, queue_id__in=chunk).delete()
    for chunk in _chunks(result.begun):
        Row.objects.filter(host=host, queue_id__in=chunk).delete()
    ended = result.ended.keys()
    changed = {name: one for name, one in after.items() if name in ended or before.get(name) != one}
    Row.objects.bulk_create(
        [Row(host=host, queue_id=name, over=name in ended, **one._asdict()) for name, one in changed.items()],
        batch_size=CHUNK // len(Row._meta.fields),
        update_conflicts=True,
        unique_fields=["host", "queue_id"],
        update_fields=["over", *Letter._fields],
    )


def _deliver(host: str, result: Tally) -> None:
    """Store what became of the letters: of each recipient the last attempt."""
    letters = {
        row[0]: row[1]
        for chunk in _chunks(result.attempts)
        for row in Row.objects.filter(host=host, queue_id__in=chunk).values_list("queue_id", "pk")
    }
    tried = [(name, *pair) for name, ones in result.attempts.items() if name in letters for pair in ones.items()]
    keys = _keys({mailbox_address(to.address) for _, to, last in tried if last.mailbox})
    rows = [
        Delivery(
            letter_id=letters[name], recipient=to.address, original=to.original, when=last.at, status=last.status,
            mailbox=keys.get(mailbox_address(to.address), "") if last.mailbox else "",
            relay=last.relay, delay=last.delay, dsn=last.dsn, reply=last.reply,
        )
        for name, to, last in tried
    ]  # fmt: skip
    Delivery.objects.bulk_create(
        rows,
        batch_size=CHUNK // len(Delivery._meta.fields),
        update_conflicts=True,
        unique_fields=["letter", "recipient", "original"],
        update_fields=["mailbox", "when", "status", "relay", "delay", "dsn", "reply"],
    )


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
