"""Where is my letter? Letters from and to somebody's own mailboxes, for as long as the log's rows are kept.

In: a person, what she looks for. Out: `Way`s, the newest first. Nothing is touched or raised.

Whoever sent a letter sees what became of it at each recipient. Whoever got one sees that it came to her, and nothing of
the others whom it went to: some of them may have been written to in secret.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Q, QuerySet

from accounts.models import User
from domains.models import Mailbox
from reports.fields import digest
from reports.models import Delivery, Letter, Word

MOST: Final = 50  # letters on a page


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a letter at one recipient, by the last attempt. `dsn` and `reply`: where it was not taken."""

    recipient: str
    original: str
    mailbox: str
    when: datetime
    status: str
    relay: str
    delay: float
    dsn: str
    reply: str


@dataclass(frozen=True, slots=True)
class Way:
    """A letter and those of its deliveries that are to be seen. `sent`: by one of her own logins.

    `message_id` is known while it is under way. `held`: it has to wait for somebody's leave, or had to and was dropped.
    """

    host: str
    queue_id: str
    opened: datetime
    sender: str
    size: int
    sent: bool
    over: bool
    held: bool
    message_id: str
    deliveries: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """What is somebody's own: the addresses that she signs in with, and the keys of her mailboxes."""

    logins: frozenset[str]
    keys: frozenset[str]

    @classmethod
    def of(cls, person: User) -> "Own":
        """Her address, and her mailboxes."""
        boxes = list(Mailbox.objects.filter(people=person).values_list("address", "key"))
        return cls(frozenset({person.address, *(address for address, _key in boxes)}), frozenset(k for _a, k in boxes))


Place = tuple[str, str, datetime]  # a queue id may be given anew, so when its letter came belongs to it


def ways(person: User, text: str, most: int = MOST) -> list[Way]:
    """Her letters that have to do with a text: an address, a part of one, or a Message-ID; all where it is empty."""
    own, text = Own.of(person), text.strip()
    found: set[Place] = {*tried(own, text)[:most], *under_way(own, text)[:most]}
    places = sorted(found, key=lambda place: (place[2], place[1]), reverse=True)[:most]
    ids = {queue_id for _host, queue_id, _opened in places}
    letters = {(row.host, row.queue_id, row.opened): row for row in Letter.objects.filter(queue_id__in=ids)}
    rows: dict[Place, list[Delivery]] = defaultdict(list)
    named = Delivery.objects.select_related("login", "sender", "recipient", "original", "relay")
    for row in named.filter(queue_id__in=ids):
        rows[row.host, row.queue_id, row.opened].append(row)
    return [way(place, letters.get(place), rows[place], own) for place in places]


def tried(own: Own, text: str) -> "QuerySet[Any, Place]":
    """Where the letters are that she sent or got, and whose recipients were tried, the newest first."""
    sent = Q(login__in=Word.objects.filter(text__in=own.logins))
    rows = Delivery.objects.filter((sent | Q(mailbox__in=own.keys)) & about(text, sent))
    return rows.values_list("host", "queue_id", "opened").distinct().order_by("-opened", "-queue_id")


def about(text: str, sent: Q) -> Q:
    """What a text is looked for in. Whom a letter went to is asked of her own letters alone."""
    if not text:
        return Q()
    has = Word.objects.filter(text__icontains=text)
    return Q(sender__in=has) | Q(message=digest(text.strip("<>"))) | sent & (Q(recipient__in=has) | Q(original__in=has))


def under_way(own: Own, text: str) -> "QuerySet[Any, Place]":
    """Where those are that she sent and that are under way, whether or not anybody has been tried."""
    rows = Letter.objects.filter(Q(queued=True) | Q(late=True), login__in=own.logins)
    if text:
        rows = rows.filter(Q(sender__icontains=text) | Q(message_id=text.strip("<>")))
    return rows.values_list("host", "queue_id", "opened").order_by("-opened", "-queue_id")


def way(place: Place, letter: Letter | None, rows: Sequence[Delivery], own: Own) -> Way:
    """A letter with what she may see of it."""
    one = rows[0] if rows else None
    login = letter.login if letter else str(one.login or "") if one else ""
    sent = bool(login) and login in own.logins
    seen = [attempt(row) for row in rows if row.recipient and (sent or row.mailbox in own.keys)]
    return Way(
        *place,
        sender=letter.sender if letter else str(one.sender or "") if one else "",
        size=letter.size if letter else one.size if one else 0,
        sent=sent,
        over=letter is None,
        held=not letter.queued if letter else bool(one and one.status == "dropped"),
        message_id=letter.message_id if letter else "",
        deliveries=tuple(sorted(seen, key=lambda one: (one.when, one.recipient))),
    )


def attempt(row: Delivery) -> Attempt:
    """A row with its texts."""
    recipient, original, relay = (str(word or "") for word in (row.recipient, row.original, row.relay))
    return Attempt(
        recipient, original, row.mailbox, row.when, row.status, relay, row.milliseconds / 1000, row.dsn, row.reply
    )
