"""Where is my letter? Letters from and to somebody's own mailboxes, for as long as the log's rows are kept.

In: whose mailboxes, what is looked for. Out: `Letters`, `Way`s, the newest first. Nothing is touched or raised.

Whoever sent a letter sees what became of it at each recipient. Whoever got one sees that it came to her, and nothing of
the others whom it went to: some of them may have been written to in secret. Whoever runs the host finds one letter of
anybody by its Message-ID or queue id, and its `Way` says that it is to be shown without names.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Min, Q, QuerySet

from accounts.models import User
from domains.models import Mailbox
from reports.fields import digest
from reports.models import Delivery, Letter, Word

MOST: Final = 50  # letters of anybody with one id
AN_ID: Final = re.compile(r"[^\s<>@]+@[^\s<>@]+\Z|[0-9A-Za-z]{10,32}\Z")  # a Message-ID or a queue id
Place = tuple[str, str, datetime]  # host, queue id, and when it came: an id may be given anew
PLACE: Final = ("host", "queue_id", "opened")


@dataclass(frozen=True, slots=True)
class Traced:
    """A letter. `message_id`: known while it is under way. `queued`, `late`: see `reports.models.Letter`.

    `over`: it is not under way any more.
    """

    host: str
    queue_id: str
    opened: datetime
    login: str
    sender: str
    size: int
    message_id: str = ""
    queued: bool = True
    late: bool = False
    over: bool = True


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a letter at one recipient, by the last attempt. `dsn` and `reply`: where it was not taken.

    `took`: milliseconds from when the letter came.
    """

    recipient: str
    original: str
    mailbox: str
    when: datetime
    status: str
    relay: str = ""
    dsn: str = ""
    reply: str = ""
    took: int = 0


@dataclass(frozen=True, slots=True)
class Way:
    """A letter and those of its deliveries that are to be seen. `sent`: by one of her own logins.

    `keys`: of her mailboxes. `named`: addresses may be shown, not only their domains.
    """

    letter: Traced
    sent: bool
    deliveries: tuple[Attempt, ...]
    keys: frozenset[str] = frozenset()
    named: bool = True


@dataclass(frozen=True, slots=True)
class Own:
    """What is somebody's own: the addresses that she signs in with, and the keys of her mailboxes."""

    logins: frozenset[str]
    keys: frozenset[str]

    @classmethod
    def of(cls, person: User) -> "Own":
        """Her address, and her mailboxes."""
        own = cls.through(Mailbox.objects.filter(people=person))
        return cls(own.logins | {person.address}, own.keys)

    @classmethod
    def through(cls, mailboxes: Iterable[Mailbox]) -> "Own":
        """What these mailboxes alone are told of."""
        boxes = [(mailbox.address, mailbox.key) for mailbox in mailboxes]
        return cls(frozenset(address for address, _key in boxes), frozenset(key for _address, key in boxes))


class Letters:
    """Letters as a list whose parts are read when they are asked for, the newest first.

    `tried`: deliveries of them; `under_way`: those that may have been tried for nobody yet, of which there are few.
    """

    def __init__(self, tried: QuerySet[Delivery], under_way: QuerySet[Letter]) -> None:
        """Find out which of those under way have not been tried."""
        found = set(under_way.values_list(*PLACE))
        known = tried.filter(queue_id__in={queue_id for _host, queue_id, _opened in found}) if found else tried.none()
        self.fresh = sorted(found - set(known.values_list(*PLACE)), key=newest, reverse=True)
        self.tried = tried.values_list(*PLACE).distinct().order_by("-opened", "-queue_id", "-host")

    def __len__(self) -> int:
        """How many there are."""
        return self.tried.count() + len(self.fresh)

    def __getitem__(self, part: slice) -> list[Place]:
        """Some of them."""
        found = [*self.tried[: part.stop], *self.fresh[: part.stop]]
        return sorted(found, key=newest, reverse=True)[part]


def newest(place: Place) -> tuple[datetime, str, str]:
    """What letters are put in order by."""
    host, queue_id, opened = place
    return opened, queue_id, host


def letters(own: Own, text: str, *, since: datetime | None = None, until: datetime | None = None) -> Letters:
    """Letters that have to do with a text: an address, a part of one, a Message-ID or queue id; all if it is empty.

    `since`, `until`: when they came, the latter left out.
    """
    text, sent = text.strip(), Q(login__in=Word.objects.filter(text__in=own.logins))
    tried = Delivery.objects.filter((sent | Q(mailbox__in=own.keys)) & about(text, sent) & between(since, until))
    return Letters(tried, Letter.objects.filter(under_way(text) & between(since, until), login__in=own.logins))


def ways(places: Iterable[Place], own: Own) -> list[Way]:
    """These letters with what is to be seen of them."""
    return [way(letter, rows, own) for letter, rows in known_of(places)]


def nameless(text: str) -> list[Way]:
    """The letters of anybody that have exactly this Message-ID or queue id, with all that became of them."""
    text = text.strip().strip("<>")
    if not AN_ID.match(text):
        return []
    tried = Delivery.objects.filter(Q(message=digest(text)) | Q(queue_id=text))
    found = Letters(tried, Letter.objects.filter(Q(message_id=text) | Q(queue_id=text)))[:MOST]
    return [
        Way(letter, bool(letter.login), in_order(map(attempt, rows)), named=False) for letter, rows in known_of(found)
    ]


def oldest() -> datetime | None:
    """When the oldest letter came that is still known, of whomever."""
    first = (model.objects.aggregate(oldest=Min("opened"))["oldest"] for model in (Delivery, Letter))
    return min(filter(None, first), default=None)


def between(since: datetime | None, until: datetime | None) -> Q:
    """Came in this time."""
    return (Q(opened__gte=since) if since else Q()) & (Q(opened__lt=until) if until else Q())


def about(text: str, sent: Q) -> Q:
    """What a text is looked for in. Whom a letter went to is asked of her own letters alone."""
    if not text:
        return Q()
    has = Word.objects.filter(text__icontains=text)
    its = Q(sender__in=has) | Q(message=digest(text.strip("<>"))) | Q(queue_id=text)
    return its | sent & (Q(recipient__in=has) | Q(original__in=has))


def under_way(text: str) -> Q:
    """The same of a letter that has been tried for nobody yet."""
    return Q(sender__icontains=text) | Q(message_id=text.strip("<>")) | Q(queue_id=text) if text else Q()


def known_of(places: Iterable[Place]) -> list[tuple[Traced, list[Delivery]]]:
    """What is known of these letters, with everything that became of them; one that is gone meanwhile is left out."""
    places = list(places)
    ids = {queue_id for _host, queue_id, _opened in places}
    under_way = {(row.host, row.queue_id, row.opened): row for row in Letter.objects.filter(queue_id__in=ids)}
    rows: dict[Place, list[Delivery]] = defaultdict(list)
    for row in Delivery.objects.filter(queue_id__in=ids).select_related("login", "sender", *WORDS):
        rows[row.host, row.queue_id, row.opened].append(row)
    return [
        (traced(place, under_way, rows[place]), rows[place]) for place in places if place in under_way or rows[place]
    ]


WORDS: Final = ("recipient", "original", "relay")


def traced(place: Place, under_way: Mapping[Place, Letter], rows: list[Delivery]) -> Traced:
    """A letter that is under way, or by one of its deliveries."""
    if row := under_way.get(place):
        return Traced(*place, row.login, row.sender, row.size, row.message_id, row.queued, row.late, over=False)
    one = rows[0]
    dropped = one.status == "dropped"
    return Traced(*place, str(one.login or ""), str(one.sender or ""), one.size, queued=not dropped, late=dropped)


def way(letter: Traced, rows: Iterable[Delivery], own: Own) -> Way:
    """A letter with what she may see of it."""
    sent = bool(letter.login) and letter.login in own.logins
    seen = (attempt(row) for row in rows if sent or row.mailbox in own.keys)
    return Way(letter, sent, in_order(seen), own.keys)


def attempt(row: Delivery) -> Attempt:
    """A row with its texts."""
    recipient, original, relay = (str(getattr(row, name) or "") for name in WORDS)
    return Attempt(recipient, original, row.mailbox, row.when, row.status, relay, row.dsn, row.reply, row.milliseconds)


def in_order(deliveries: Iterable[Attempt]) -> tuple[Attempt, ...]:
    """As they happened; one that is of no recipient is none."""
    return tuple(sorted((one for one in deliveries if one.recipient), key=lambda one: (one.when, one.recipient)))
