"""From the database to the household file.

In: nothing but the database. Out: TOML text that `load` reads back. Nothing is touched.
"""

from collections.abc import Collection, Iterable
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
OF_COMMUNITY: Final = ("domains", "contacts", "usage_policies__acknowledgements__user")


def dump(*, secrets: bool = False) -> str:
    """The household file of everything in the database; password hashes only with `secrets`."""
    own = set(Domain.objects.values_list("name", flat=True))
    people = User.objects.prefetch_related("memberships__community", "contacts").iterator(ROWS)
    tables = {
        "community": [community_table(row, own) for row in Community.objects.prefetch_related(*OF_COMMUNITY)],
        "domain": [domain_table(row) for row in Domain.objects.select_related("alias_of").exclude(kind="mail")],
        "person": [person_table(row, own, secrets=secrets) for row in people],
        "mailbox": mailbox_tables(),
        "alias": [alias_table(row) for row in Alias.objects.iterator(ROWS)],
    }
    return tomli_w.dumps({name: rows for name, rows in tables.items() if rows})


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


def mailbox_tables() -> list[Table]:
    """Every `[[mailbox]]`."""
    found = Mailbox.objects.select_related("vacation", "spam", "forwarding").prefetch_related("people", "filter_rules")
    out = filing.barred()
    return [{**mailbox_table(row), **filing.tables_of(row, out)} for row in found.iterator(ROWS)]


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
