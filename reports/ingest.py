"""The mail log of one host -> letters, what became of them, and letters counted by hour, in the database.

In: the host's name, its log, the moment. Out: how many bytes were new. Touched: LogPosition, Letter, Delivery, Word,
HourlyTally, DomainTally. Raises OSError where the log cannot be read.

Every piece of the log counts once, see `reports.position`. What is kept is bounded: a letter that did not enter the
queue within a day, because its sender hung up half-way, is forgotten; so is any under way after 45 days (a parent has
30 to answer, then Postfix tries for 5), and the oldest beyond 100,000, those whose sender hung up first. If one comes
back after all it is nobody's, as `tally` says. What became of a letter is kept for 21 days (`reports.keeping`).
"""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final, TypeAlias

from django.db.models import BooleanField, ExpressionWrapper, Q

from reports import signins
from reports.bulk import CHUNK, Row, among, chunks, insert
from reports.fields import bits, digest, seconds
from reports.hours import add, add_partners, mailbox_keys, words
from reports.keeping import kept
from reports.logfile import MOST, machine_zone
from reports.models import Delivery, DomainTally, Letter as Open, Word
from reports.parse import Clock, Delivered, Event, Opened, events
from reports.position import read_log
from reports.tally import Letter, Outcome, Tally, mailbox_address, tally

HUNG_UP: Final = timedelta(days=1)
FORGOTTEN: Final = timedelta(days=45)
MOST_LETTERS: Final = 100_000
Read: TypeAlias = tuple[Mapping[str, Letter], Tally]  # the letters before a piece, and what it adds
UNDER_WAY: Final = tuple(field.name for field in fields(Letter))
LETTER: Final = ("host", "queue_id", "opened", "login", "sender", "message", "size", "abroad", "late", "asked")
ATTEMPT: Final = ("recipient", "original", "mailbox", "status", "relay", "milliseconds", "dsn", "reply", "when")
DROPPED: Final = (None, None, 0, "dropped", None, 0, "", "")  # an attempt, but for its moment


def follow(host: str, log: Path, now: datetime, *, zone: tzinfo | None = None, most: int = MOST) -> int:
    """Count what is new in the log; return how many bytes that was."""
    clock = Clock(now, zone or machine_zone())
    known: dict[str, int] = {}  # in one call alone: none of them is dropped meanwhile

    def read(lines: bytes) -> Read:
        found = list(events(lines, clock))
        before = _under_way(host, found)
        return before, tally(before, found)

    def store(found: Read) -> None:
        _store(host, *found, known, now)

    with uncollected():
        new = read_log(host, log, read, store, most=most)
    if new:
        forget_unfinished(host, now)
    return new


@contextmanager
def uncollected() -> Iterator[None]:
    """Without searches for garbage: a piece makes ten thousands of values, all of which go by themselves."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def forget(host: str, now: datetime) -> None:
    """Drop what became of letters too long ago, and the texts that nothing has any more."""
    Delivery.objects.filter(host=host, when__lt=now - kept()).delete()
    unseen = Word.objects.filter(seen__lt=now - FORGOTTEN - kept())  # a letter may have been under way for so long
    unseen.exclude(pk__in=DomainTally.objects.values("domain_id")).delete()


def forget_unfinished(host: str, now: datetime) -> None:
    """Drop the letters under way that will never end, and the oldest of too many."""
    waiting = ExpressionWrapper(Q(queued=True) | Q(late=True), BooleanField())
    letters = Open.objects.filter(host=host).annotate(waiting=waiting)
    letters.filter(Q(opened__lt=now - FORGOTTEN) | Q(waiting=False, opened__lt=now - HUNG_UP)).delete()
    surplus = letters.count() - MOST_LETTERS
    if surplus > 0:
        oldest = letters.order_by("waiting", "opened", "pk").values_list("pk", flat=True)[:surplus]
        Open.objects.filter(pk__in=oldest).delete()


def _under_way(host: str, found: Iterable[Event]) -> dict[str, Letter]:
    """The letters under way that these events speak of. Nobody changes them but who moves the log's position."""
    ids = {event.queue_id for event in found}
    ids |= {event.process for event in found if type(event) is Opened}  # see `tally`: a letter that is to wait
    rows = Open.objects.filter(host=host, queue_id__in=among(ids)).values_list("queue_id", *UNDER_WAY)
    return {queue_id: Letter(*facts) for queue_id, *facts in rows}


def _store(host: str, before: Mapping[str, Letter], result: Tally, known: dict[str, int], now: datetime) -> None:
    """Store what one piece of the log says."""
    _keep(host, before, result.letters)
    known |= words(_texts(result) - known.keys(), now)
    _deliver(host, result.outcomes, known)
    add(host, result.counts)
    signins.keep(host, result.failed, now)
    add_partners(result.partners, known)


def _keep(host: str, before: Mapping[str, Letter], after: dict[str, Letter]) -> None:
    """Store the letters as they are now."""
    Open.objects.filter(host=host, queue_id__in=among(before.keys() - after.keys())).delete()
    changed = {name: one for name, one in after.items() if before.get(name) != one}
    Open.objects.bulk_create(
        [Open(host=host, queue_id=name, **asdict(one)) for name, one in changed.items()],
        batch_size=CHUNK // len(Open._meta.fields),
        update_conflicts=True,
        unique_fields=["host", "queue_id"],
        update_fields=UNDER_WAY,
    )


def _texts(result: Tally) -> set[str]:
    """What of a piece is stored as `Word`s."""
    found = {partner.domain for partner in result.partners}
    for outcome in result.outcomes:
        found.update((outcome.letter.login, outcome.letter.sender))
        for last in (outcome.attempts or {}).values():
            found.update((last.recipient, last.original, last.relay))
    return found


def _deliver(host: str, outcomes: list[Outcome], known: dict[str, int]) -> None:
    """Store what became of letters: of each recipient the last attempt."""
    _forget_before(host, [one for one in outcomes if one.again], known)
    boxes = _boxes({last.recipient for one in outcomes for last in (one.attempts or {}).values() if last.mailbox})
    rows: list[Row] = []
    for one in outcomes:
        letter = _row(host, one, known)
        if one.attempts is None:
            rows.append((*letter, *DROPPED, seconds(one.letter.opened)))
        else:
            rows += [letter + _tried(last, known, boxes) for last in one.attempts.values()]
    insert(Delivery, [*LETTER, *ATTEMPT], rows)


def _boxes(recipients: Iterable[str]) -> dict[str, int]:
    """The keys of their mailboxes, as they are stored; 0 where there is none."""
    addresses = {recipient: mailbox_address(recipient) for recipient in recipients}
    keys = mailbox_keys(addresses.values())
    return {recipient: bits(keys.get(address, "")) for recipient, address in addresses.items()}


def _forget_before(host: str, outcomes: list[Outcome], known: dict[str, int]) -> None:
    """Drop what became of letters in earlier pieces, at recipients of this one."""
    again = {
        (one.queue_id, one.letter.opened, known.get(last.recipient), known.get(last.original))
        for one in outcomes
        for last in (one.attempts or {}).values()
    }
    before = Delivery.objects.filter(host=host, queue_id__in=among({queue_id for queue_id, *_more in again}))
    named = before.values_list("pk", "queue_id", "opened", "recipient_id", "original_id")
    for chunk in chunks(pk for pk, *name in named if tuple(name) in again):
        before.filter(pk__in=chunk).delete()


def _row(host: str, one: Outcome, known: dict[str, int]) -> Row:
    """LETTER: what each delivery has of its letter."""
    letter = one.letter
    return (
        host, one.queue_id, seconds(letter.opened), known.get(letter.login), known.get(letter.sender),
        digest(letter.message_id), letter.size, letter.abroad, letter.late and letter.queued, letter.asked,
    )  # fmt: skip


def _tried(last: Delivered, known: dict[str, int], boxes: dict[str, int]) -> Row:
    """ATTEMPT: what became of it at a recipient."""
    taken = last.status == "sent"
    return (
        known[last.recipient], known.get(last.original), boxes[last.recipient] if last.mailbox else 0, last.status,
        known.get(last.relay), round(last.delay * 1000),
        "" if taken else last.dsn, "" if taken else last.reply, seconds(last.at),
    )  # fmt: skip
