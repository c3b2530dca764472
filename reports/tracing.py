"""Where is my letter? Letters from and to somebody's own mailboxes, for as long as the log's rows are kept.

In: a person, what she looks for. Out: `Way`s, the newest first. Nothing is touched or raised.

Whoever sent a letter sees what became of it at each recipient. Whoever got one sees that it came to her, and nothing of
the others whom it went to: some of them may have been written to in secret.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from accounts.models import User
from domains.models import Mailbox
from reports.models import Delivery, Letter

MOST: Final = 50  # letters on a page


@dataclass(frozen=True, slots=True)
class Way:
    """A letter and those of its deliveries that are to be seen. `sent`: by one of her own logins."""

    letter: Letter
    sent: bool
    deliveries: tuple[Delivery, ...]


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


def ways(person: User, text: str, most: int = MOST) -> list[Way]:
    """Her letters that have to do with a text: an address, a part of one, or a Message-ID; all where it is empty."""
    own = Own.of(person)
    mine = Q(login__in=own.logins) | Q(deliveries__mailbox__in=own.keys)
    found = Letter.objects.filter(mine & about(text.strip(), own)).distinct().order_by("-opened", "-pk")
    return [way(letter, letter.deliveries.all(), own) for letter in found.prefetch_related("deliveries")[:most]]


def about(text: str, own: Own) -> Q:
    """What a text is looked for in. Whom a letter went to is asked of her own letters alone."""
    if not text:
        return Q()
    to = Q(login__in=own.logins) & (Q(deliveries__recipient__icontains=text) | Q(deliveries__original__icontains=text))
    return Q(sender__icontains=text) | Q(message_id=text.strip("<>")) | to


def way(letter: Letter, deliveries: Iterable[Delivery], own: Own) -> Way:
    """A letter with what she may see of it."""
    sent = bool(letter.login) and letter.login in own.logins
    seen = (one for one in deliveries if sent or one.mailbox in own.keys)
    return Way(letter, sent, tuple(sorted(seen, key=lambda one: (one.when, one.recipient))))
