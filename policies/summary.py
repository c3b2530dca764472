"""The people somebody looks after, each in a line: level, how many contacts, how many letters wait.

In: the people, the mailboxes whose letters are answered. Out: plain rows for a page, in five queries. Nothing is
touched or raised.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count

from accounts.models import Membership, User
from policies.models import Contact
from policies.waiting import Held, waiting_by_person

MOST = 12  # people on the first page


@dataclass(frozen=True)
class Summary:
    """One person in a line."""

    person: User
    levels: tuple[str, ...]
    contacts: int
    waiting: int


def summaries(people: Collection[int], held: Held) -> list[Summary]:
    """The first of these people by name, those first for whom something waits."""
    waiting = waiting_by_person(held)
    found = list(User.objects.filter(pk__in=people).order_by("name", "address"))
    found = sorted(found, key=lambda person: not waiting.get(person.pk))[:MOST]
    wanted = [person.pk for person in found]
    levels: dict[int, list[str]] = {}
    for person, level in Membership.objects.filter(user__in=wanted).exclude(level="").values_list("user", "level"):
        levels.setdefault(person, []).append(level)
    listed = Contact.objects.filter(person__in=wanted).exclude(kind=Contact.Kind.BLOCKED).order_by()
    contacts = dict(listed.values_list("person").annotate(Count("pk")))
    return [
        Summary(one, tuple(levels.get(one.pk, ())), contacts.get(one.pk, 0), waiting.get(one.pk, 0)) for one in found
    ]
