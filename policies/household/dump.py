"""From the database to the household file.

In: nothing but the database. Out: TOML text that `load` reads back. Nothing is touched.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any, Final

import tomli_w

from accounts.models import Community, Membership, User
from domains import rules as domain_rules
from domains.models import Alias, Domain, Mailbox
from policies.household import filing, usage
from policies.household.tables import Table
from policies.models import Contact
from policies.rules import danger

ROWS: Final = 1000  # of a large host, that are held at once
LONG: Final = {"": "-" * 200}
OF_COMMUNITY: Final = ("domains", "contacts", "usage_policies__acknowledgements__user")


def dump(*, secrets: bool = False) -> str:
    """The household file of everything in the database; password hashes only with `secrets`."""
    texts = (text for name, rows in tables(secrets=secrets) for text in written(name, iter(rows)))
    return "\n".join(sorted(texts, key=is_table))


def is_table(text: str) -> bool:
    """Short rows are written as a value, which TOML has before all tables."""
    return text.startswith("[")


def tables(*, secrets: bool) -> Iterator[tuple[str, Iterable[Table]]]:
    """Every kind of table, and its rows."""
    own = set(Domain.objects.values_list("name", flat=True))
    yield "community", (community_table(row, own) for row in Community.objects.prefetch_related(*OF_COMMUNITY))
    yield "domain", (domain_table(row) for row in Domain.objects.select_related("alias_of").exclude(kind="mail"))
    people = User.objects.prefetch_related("memberships__community", "contacts").iterator(ROWS)
    yield "person", (person_table(row, own, secrets=secrets) for row in people)
    yield "mailbox", mailbox_tables()
    yield "alias", (alias_table(row) for row in Alias.objects.iterator(ROWS))


def written(name: str, rows: Iterator[Table]) -> Iterator[str]:
    """Some rows at a time: all of a large host at once would take as much memory as its worker may."""
    first, second = list(islice(rows, ROWS)), list(islice(rows, ROWS))
    if first and not second:
        yield tomli_w.dumps({name: first})
    for some in (first, second) if second else ():
        yield as_tables(name, some)
    while some := list(islice(rows, ROWS)):
        yield as_tables(name, some)


def as_tables(name: str, rows: list[Table]) -> str:
    """Rows of which none is written as a value: for that, the last would be too long, which is taken away again."""
    text = tomli_w.dumps({name: [*rows, LONG]})
    return text[: text.rindex(f"\n[[{name}]]\n")]


def present(pairs: Iterable[tuple[str, Any]]) -> Table:
    """A table without what is empty."""
    return {key: value for key, value in pairs if value not in ("", None, [], {})}


def community_table(row: Community, own: Collection[str]) -> Table:
    """`[[community]]`."""
    calendar = present([("school_days", row.school_days), ("holidays", row.holidays)])
    names = sorted(domain.name for domain in row.domains.all() if domain.kind == "mail")
    head = [("name", row.name), ("kind", row.kind), ("timezone", row.timezone), ("language", row.language)]
    hour = ("digest_hour", None if row.digest_hour == 18 else row.digest_hour)
    lists = [contacts(row, own), ("use", usage.use_tables(row))]
    return present([*head, hour, ("domains", names), ("calendar", calendar), *lists])


def domain_table(row: Domain) -> Table:
    """`[[domain]]`."""
    return present([("name", row.name), ("alias_of", row.alias_of and row.alias_of.name), ("relay_to", row.relay_to)])


def person_table(row: User, own: Collection[str], *, secrets: bool) -> Table:
    """`[[person]]`."""
    hash_ = row.password if secrets and row.has_usable_password() else ""
    head = [("address", row.address), ("name", row.name), ("born", row.born), ("language", row.language)]
    flags = [("administrator", row.administrator or None), ("active", None if row.active else False)]
    memberships = [membership_table(membership) for membership in row.memberships.all()]
    return present(
        [
            *head,
            *[f for f in flags if f[1] is not None],
            ("password_hash", hash_),
            ("membership", memberships),
            contacts(row, own),
        ]
    )


def membership_table(row: Membership) -> Table:
    """`[[person.membership]]`."""
    override = row.overrides[0] if len(row.overrides) == 1 else row.overrides
    head = [("community", row.community.name), ("role", row.role), ("level", row.level)]
    return present([*head, ("protection", row.protection), ("override", override)])


def contacts(owner: Community | User, own: Collection[str]) -> tuple[str, list[Table]]:
    """`[[person.contact]]` and `[[community.contact]]`."""
    return "contact", [contact_table(row, own) for row in owner.contacts.all()]


def contact_table(row: Contact, own: Collection[str]) -> Table:
    """One entry of a list. One that has become dangerous since, as by a new domain of ours, is loaded as it is."""
    confirmed = row.confirmed or bool(danger(row.address, row.kind, own))
    facts = [("direction", row.direction), ("kind", row.kind), ("assurance", row.assurance), ("evidence", row.evidence)]
    return present([("address", row.address), ("name", row.name), *facts, ("confirmed", confirmed or None)])


def mailbox_tables() -> Iterator[Table]:
    """Every `[[mailbox]]`."""
    found = Mailbox.objects.select_related("vacation", "spam", "forwarding").prefetch_related("people", "filter_rules")
    out = filing.barred()
    return ({**mailbox_table(row), **filing.tables_of(row, out)} for row in found.iterator(ROWS))


def mailbox_table(row: Mailbox) -> Table:
    """What a mailbox is."""
    people = sorted(person.address for person in row.people.all())
    quota = domain_rules.shown_quota(row.quota)
    table = {"address": row.address, "key": row.key, "people": people, "quota": quota}
    return table if row.active else {**table, "active": False}


def alias_table(row: Alias) -> Table:
    """`[[alias]]`."""
    table = {"address": row.address, "to": row.targets}
    return {**table, **present([("internal", row.internal or None), ("expires", row.expires)])}
