"""A host with many people: families with children and their lists, and offices; rules, absences and aliases.

In: how many mailboxes. Touched: the database, past `wishes`, whose work of a whole day this would be; the generation is
counted up by one. The same number gives the same host, but for the mailboxes' keys.
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.db import models, transaction

from accounts.models import Community, Membership, User
from accounts.wishes import Wishes
from domains.models import Alias, Domain, Mailbox, MailboxPerson
from policies.filing import STEP
from policies.models import Contact, FilterRule, Vacation
from tests.host.letters import HASH

OFFICE = 100  # people of a business
FAMILY = 5
FAMILIES = 20  # the host knows 128 different lists for letters that go out
CHILDREN = 2
CONTACTS = 10
CHUNK = 200
RULES = [
    ({"field": "subject", "op": "contains", "value": "fattura"}, {"action": "file", "folder": "Conti"}),
    ({"field": "list", "op": "exists", "value": ""}, {"action": "mark-read"}),
]


def made(rows: Iterable[Any]) -> list[Any]:
    """Write rows of one model."""
    found = list(rows)
    if found:
        model: type[models.Model] = type(found[0])
        models.QuerySet(model).bulk_create(found, batch_size=CHUNK)
    return found


def sizes(count: int) -> list[tuple[str, int]]:
    """The communities, kind and number of people, that make up so many people."""
    families = min(FAMILIES, count // FAMILY)
    rest = count - families * FAMILY
    offices = [OFFICE] * (rest // OFFICE) + ([rest % OFFICE] if rest % OFFICE else [])
    return [("family", FAMILY)] * families + [("business", people) for people in offices]


@transaction.atomic
def fill(count: int) -> None:
    """So many mailboxes, one for each person. Every fifth has an alias, every tenth rules, every fiftieth is away."""
    wanted = sizes(count)
    homes = made(Community(name=f"Community {number}", kind=kind) for number, (kind, _people) in enumerate(wanted))
    domains = made(Domain(name=f"d{number}.example", community=home) for number, home in enumerate(homes))
    places = [(at, of) for at, (_kind, people) in enumerate(wanted) for of in range(people)]
    addresses = [f"person{of}@{domains[at].name}" for at, of in places]
    people = made(
        User(address=address, name=f"Person {of}", password=HASH)
        for address, (_at, of) in zip(addresses, places, strict=True)
    )
    boxes = made(
        Mailbox(address=address, domain=domains[at]) for address, (at, _of) in zip(addresses, places, strict=True)
    )
    made(MailboxPerson(mailbox=box, user=user) for box, user in zip(boxes, people, strict=True))
    made(membership(homes[at], user, of) for user, (at, of) in zip(people, places, strict=True))
    children = [user for user, (at, of) in zip(people, places, strict=True) if is_child(homes[at], of)]
    made(Contact(person=child, address=f"friend{of}@elsewhere.example") for child in children for of in range(CONTACTS))
    made(Alias(address=f"alias{box.address}", domain=box.domain, targets=[box.address]) for box in boxes[::5])
    made(
        FilterRule(mailbox=box, position=at * STEP, when=[when], then=[then])
        for box in boxes[::10]
        for at, (when, then) in enumerate(RULES, 1)
    )
    away = {"text": "Torno presto.", "first": date(2026, 1, 1), "last": date(2036, 1, 1)}
    made(Vacation(mailbox=box, **away) for box in boxes[::50])
    row = Wishes.objects.select_for_update().get_or_create(pk=1)[0]
    row.generation += 1
    row.save()


def is_child(home: Community, of: int) -> bool:
    """The last of a family."""
    return home.kind == "family" and of >= FAMILY - CHILDREN


def membership(home: Community, user: User, of: int) -> Membership:
    """The first one leads, children are protected."""
    if home.kind == "business":
        return (
            Membership(community=home, user=user, role="owner")
            if of == 0
            else Membership(community=home, user=user, role="member", level="open")
        )
    if is_child(home, of):
        return Membership(community=home, user=user, role="protected", level="starter", protection="minor")
    return Membership(community=home, user=user, role="guardian")
