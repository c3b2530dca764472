"""Who may write to people, as their levels and lists say: read from the database, put in order.

In: nothing but the database. Out: plain data for the mail host. Nothing is touched or raised. The number of queries
does not grow with the number of rows.

Whose letters are looked at: everybody who is protected, and in a business whom a level shields from strangers, who
has hours or who has somebody blocked. Of several communities each has its say, and so has each person of a mailbox
that is shared.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from policies.models import Contact
from policies.outgoing import Bond, Row, bonds

LINE: Final = ("address", "kind", "assurance", "evidence")


class Line(NamedTuple):
    """An entry of a list for letters that come in."""

    address: str
    kind: str
    assurance: str
    evidence: str


Lines = frozenset[Line]


@dataclass(frozen=True, slots=True)
class Screened:
    """A person whose letters are looked at: what each community says, and her own list."""

    bonds: tuple[Bond, ...]
    lines: Lines


@dataclass(frozen=True, slots=True)
class Incoming:
    """Everybody whose letters are looked at, by user, and the list of each community."""

    people: Mapping[int, Screened]
    lists: Mapping[int, Lines]


def incoming(rows: Iterable[Row]) -> Incoming:
    """Everybody whose letters something looks at. `rows`: see `memberships`."""
    own, common = lines()
    people = {person: Screened(tuple(found), own[person]) for person, found in bonds("incoming", rows).items()}
    return Incoming({pk: one for pk, one in people.items() if looks(one, common)}, common)


def lines() -> tuple[Mapping[int, Lines], Mapping[int, Lines]]:
    """The entries for letters that come in: of each person, and of each community."""
    own: dict[int, set[Line]] = defaultdict(set)
    common: dict[int, set[Line]] = defaultdict(set)
    rows = Contact.objects.exclude(direction=Contact.Direction.OUT)
    for person, community, *line in rows.values_list("person", "community", *LINE):
        (own[person] if person else common[community]).add(Line(*line))
    return (
        defaultdict(frozenset, {pk: frozenset(listed) for pk, listed in own.items()}),
        defaultdict(frozenset, {pk: frozenset(listed) for pk, listed in common.items()}),
    )


def looks(person: Screened, common: Mapping[int, Lines]) -> bool:
    """True for the protected, where not everybody's letters come in at any time, and where somebody is blocked."""
    if any(bond.kind == "family" or bond.restricts or bond.sleeps for bond in person.bonds):
        return True
    listed = person.lines.union(*(common[bond.community] for bond in person.bonds))
    return any(line.kind == Contact.Kind.BLOCKED for line in listed)
