"""The acceptable-use policies in the household file: `[[community.use]]`, each version with who has read it.

In: rows of the database, or a community's table. Out: tables, or rows and their values. Nothing is touched. Raises
HouseholdError.

What was published stays, whatever a file says: `load` adds versions and readers and takes none away, with `prune` too.
A file need not repeat what a version that is there says. In a new one `rules` are those of today.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.utils import timezone

from accounts.models import Community, User
from accounts.rules import address
from policies.household.tables import HouseholdError, Place, Table, known_keys, listed, ruled, tables_of
from policies.models import Acknowledgement, UsagePolicy
from policies.usage import number
from policies.usage_words import in_every_language, use_of

# Of each key: the model's field.
FIELDS = {"before": "before", "after": "after", "by": "by", "when": "when", "rules": "generated"}


def use_tables(community: Community) -> list[Table]:
    """Every `[[community.use]]`, the oldest first."""
    found = sorted(community.usage_policies.all(), key=lambda row: row.number)
    return [use_table(row) for row in found]


def use_table(row: UsagePolicy) -> Table:
    """One version."""
    read = [{"person": one.user.address, "when": one.when} for one in row.acknowledgements.all()]
    table = {key: getattr(row, field) for key, field in FIELDS.items()}
    return {"number": row.number} | {key: value for key, value in {**table, "read": read}.items() if value}


def versions(place: Place, table: Table, community: Community) -> Iterator[tuple[Place, Table, UsagePolicy, Table]]:
    """Each version of a community's table: its place, the table, its row and the values that the file gives it."""
    there = {row.number: row for row in community.usage_policies.all()} if community.pk else {}
    for here, item in tables_of(table, "community.use", "number", f"{place}, "):
        which = ruled(here, "number", number, item["number"])
        row = there.get(which) or UsagePolicy(community=community, number=which)
        values = {field: item[key] for key, field in FIELDS.items() if key in item}
        yield here, item, row, values if row.pk else usual(community) | values


def usual(community: Community) -> dict[str, Any]:
    """What a version is that says nothing of itself."""
    return {"generated": in_every_language(use_of(community)), "by": "household file", "when": timezone.now()}


def readers(
    place: Place, item: Table, policy: UsagePolicy, find: Callable[[str], User | None]
) -> Iterator[tuple[Place, Acknowledgement, Table]]:
    """Everybody who has read a version: her place, the row and its values."""
    there = {row.user_id: row for row in policy.acknowledgements.select_related("user")}
    for ordinal, one in enumerate(listed(place, "read", item.get("read", [])), 1):
        if not isinstance(one, dict) or "person" not in one:
            raise HouseholdError(f"{place}, read: each names a person, and when.")
        here = Place("read", ordinal, str(one["person"]), f"{place}, ")
        known_keys(one, "read", f"{here}, ")
        who = ruled(here, "person", address, one["person"])
        person = find(who)
        if person is None:
            raise here.error("person", f"“{who}” is nobody here: add a [[person]] first.")
        row = there.get(person.pk) or Acknowledgement(user=person, policy=policy)
        yield here, row, {"when": one["when"]} if "when" in one else {}
