"""Whom people may write to, as their levels and lists say: read from the database, put in order.

In: nothing but the database. Out: plain data, for the mail host and for the count of different lists. Nothing is
touched or raised. The number of queries does not grow with the number of rows.

What binds a person: each community in which she has a level (the protected, members, managers who were given one) and
her own list. Guardians and owners have no level: no list binds them. Who is bound twice may write to whom both allow.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from accounts.models import Membership
from policies import levels
from policies.models import Contact

Listed = frozenset[tuple[str, str]]  # (entry, kind)
Course = tuple[tuple[date | None, str], ...]
Row = tuple[Any, ...]  # a membership: user, overrides, community, its name, kind and time zone, level


@dataclass(frozen=True, slots=True)
class Bond:
    """What one community says of one person's letters, out or in. `course`: see `levels.course`.

    `hours`: the course of the switch `hours`.
    """

    community: int
    name: str
    kind: str
    timezone: str
    level: str
    course: Course
    hours: Course

    @property
    def sleeps(self) -> bool:
        """True when there are hours outside of which mail is closed."""
        return any(setting != levels.ALWAYS for _until, setting in self.hours)

    @property
    def restricts(self) -> bool:
        """True when there is a time at which not everybody may write or be written to."""
        return any(setting in levels.RESTRICTING for _until, setting in self.course)


@dataclass(frozen=True, slots=True)
class Bound:
    """A person whose outgoing letters something binds: her bonds, in order, and her own list."""

    person: int
    bonds: tuple[Bond, ...]
    listed: Listed


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Everybody who is bound, by sign-in address, and the list of each community."""

    people: tuple[Bound, ...]
    lists: Mapping[int, Listed]

    def count(self) -> int:
        """How many different lists the mail host needs at most: people with the same bonds and entries share one."""
        return len({(bound.bonds, bound.listed) for bound in self.people})


def outgoing(rows: Iterable[Row]) -> Outgoing:
    """Everybody whose letters a level restricts, or a blocked address. `rows`: see `memberships`."""
    own, common = contacts()
    people = [Bound(person, tuple(found), own[person]) for person, found in bonds("outgoing", rows).items()]
    return Outgoing(tuple(bound for bound in people if binds(bound, common)), common)


def contacts() -> tuple[Mapping[int, Listed], Mapping[int, Listed]]:
    """The entries for letters that go out: of each person, and of each community."""
    own: dict[int, set[tuple[str, str]]] = defaultdict(set)
    common: dict[int, set[tuple[str, str]]] = defaultdict(set)
    rows = Contact.objects.exclude(direction=Contact.Direction.IN)
    for person, community, entry, kind in rows.values_list("person", "community", "address", "kind"):
        (own[person] if person else common[community]).add((entry, kind))
    return (
        defaultdict(frozenset, {pk: frozenset(listed) for pk, listed in own.items()}),
        defaultdict(frozenset, {pk: frozenset(listed) for pk, listed in common.items()}),
    )


def memberships() -> list[Row]:
    """What `bonds` reads: every membership with a level, in the order of sign-in addresses."""
    rows = Membership.objects.exclude(level="").order_by("user__address", "community__name")
    facts = ("community", "community__name", "community__kind", "community__timezone", "level")
    return list(rows.values_list("user", "overrides", *facts))


def bonds(switch: str, rows: Iterable[Row]) -> Mapping[int, list[Bond]]:
    """What each community says of `outgoing` or `incoming`, by person, in the order of the rows."""
    found: dict[int, list[Bond]] = defaultdict(list)
    for person, overrides, community, name, kind, timezone, level in rows:
        course, hours = (tuple(levels.course(level, overrides, one)) for one in (switch, "hours"))
        found[person].append(Bond(community, name, kind, timezone, level, course, hours))
    return found


def binds(bound: Bound, common: Mapping[int, Listed]) -> bool:
    """True when there is anybody whom this person may not write to at some time."""
    return any(bond.restricts or bond.sleeps for bond in bound.bonds) or any(
        kind == Contact.Kind.BLOCKED for listed in lists_of(bound, common) for _entry, kind in listed
    )


def lists_of(bound: Bound, common: Mapping[int, Listed]) -> Iterator[Listed]:
    """A person's own list and those of her communities."""
    yield bound.listed
    yield from (common[bond.community] for bond in bound.bonds)
