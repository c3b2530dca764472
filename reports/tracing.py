"""Where is my letter? Letters from and to somebody's own mailboxes, for as long as the log's rows are kept.

In: a person, what she looks for. Out: `Way`s, the newest first. Nothing is touched or raised.

Whoever sent a letter sees what became of it at each recipient. Whoever got one sees that it came to her, and nothing of
the others whom it went to: some of them may have been written to in secret. Whoever runs the host finds one letter of
anybody by its Message-ID or queue id, and its `Way` says that it is to be shown without names.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Min, Q

from accounts.models import User
from domains.models import Mailbox
from reports.models import Delivery, Letter

MOST: Final = 50  # letters on a page
AN_ID: Final = re.compile(r"[^\s<>@]+@[^\s<>@]+\Z|[0-9A-Za-z]{10,32}\Z")  # a Message-ID or a queue id


@dataclass(frozen=True, slots=True)
class Way:
    """A letter and those of its deliveries that are to be seen. `sent`: by one of her own logins.

    `keys`: of her mailboxes. `named`: addresses may be shown, not only their domains.
    """

    letter: Letter
    sent: bool
    deliveries: tuple[Delivery, ...]
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


def ways(
    person: User,
    text: str,
    most: int = MOST,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    mailboxes: Iterable[Mailbox] | None = None,
) -> list[Way]:
    """Her letters that have to do with a text: an address, a part of one, a Message-ID or queue id; all if empty.

    `since`, `until`: when they came, the latter left out. `mailboxes`: those of hers that are to be seen, if not all.
    """
    own = Own.of(person) if mailboxes is None else Own.through(mailboxes)
    mine = Q(login__in=own.logins) | Q(deliveries__mailbox__in=own.keys)
    found = Letter.objects.filter(mine & about(text.strip(), own) & between(since, until))
    newest = found.distinct().order_by("-opened", "-pk").prefetch_related("deliveries")[:most]
    return [way(letter, letter.deliveries.all(), own) for letter in newest]


def nameless(text: str) -> list[Way]:
    """The letters of anybody that have exactly this Message-ID or queue id, with all that became of them."""
    text = text.strip().strip("<>")
    if not AN_ID.match(text):
        return []
    found = Letter.objects.filter(Q(message_id=text) | Q(queue_id=text)).order_by("-opened", "-pk")[:MOST]
    return [
        Way(letter, bool(letter.login), in_order(letter.deliveries.all()), named=False)
        for letter in found.prefetch_related("deliveries")
    ]


def oldest() -> datetime | None:
    """When the oldest letter came that is still known, of whomever."""
    found: datetime | None = Letter.objects.aggregate(oldest=Min("opened"))["oldest"]
    return found


def between(since: datetime | None, until: datetime | None) -> Q:
    """Came in this time."""
    return (Q(opened__gte=since) if since else Q()) & (Q(opened__lt=until) if until else Q())


def about(text: str, own: Own) -> Q:
    """What a text is looked for in. Whom a letter went to is asked of her own letters alone."""
    if not text:
        return Q()
    to = Q(login__in=own.logins) & (Q(deliveries__recipient__icontains=text) | Q(deliveries__original__icontains=text))
    return Q(sender__icontains=text) | Q(message_id=text.strip("<>")) | Q(queue_id=text) | to


def way(letter: Letter, deliveries: Iterable[Delivery], own: Own) -> Way:
    """A letter with what she may see of it."""
    sent = bool(letter.login) and letter.login in own.logins
    seen = (one for one in deliveries if sent or one.mailbox in own.keys)
    return Way(letter, sent, in_order(seen), own.keys)


def in_order(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """As they happened."""
    return tuple(sorted(deliveries, key=lambda one: (one.when, one.recipient)))
