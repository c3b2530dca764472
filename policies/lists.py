"""What the lists of some people say of some addresses: for pages and answers, not for the mail host.

In: people, addresses. Out: `Lists`, read in four queries however many there are. Nothing is touched or raised.
As at every station: the address before its domain; of one form always, then blocked, then allowed; a blocked address
is blocked with every extension.
"""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q

from accounts.models import Membership, User
from policies.levels import WITHOUT_LIST
from policies.models import Contact

FIRST = ("always", "blocked", "allowed")  # of one form
STRICTEST = ("blocked", "always", "allowed")  # of several people, or several communities


class Lists:
    """The entries that mean one of the addresses, in the lists of these people and of the communities binding them."""

    def __init__(self, people: Iterable[User], addresses: Iterable[str]) -> None:
        self.communities: dict[int, set[int]] = defaultdict(set)
        self.counted: dict[int, bool] = defaultdict(lambda: True)
        wanted = [person.pk for person in people]
        bound = Membership.objects.filter(user__in=wanted).exclude(level="")
        for person, community, level in bound.values_list("user", "community", "level"):
            self.communities[person].add(community)
            self.counted[person] &= level not in WITHOUT_LIST
        everywhere = set().union(*self.communities.values())
        forms = {form for address in addresses for form in (*spelled(address), *domain_of(address))}
        self.rows: dict[tuple[str, int], dict[str, Contact]] = defaultdict(dict)
        for row in Contact.objects.filter(Q(person__in=wanted) | Q(community__in=everywhere), address__in=forms):
            self.rows[whose(row)][row.address] = row
        self.guardians = guardians(everywhere)

    def counts(self, person: User) -> bool:
        """At her levels entries say something."""
        return self.counted[person.pk]

    def kind(self, person: User, address: str, direction: str) -> str:
        """What is said of an address, or nothing: the strictest of her communities."""
        if any((community, address) in self.guardians for community in self.communities[person.pk]):
            return Contact.Kind.ALWAYS
        return strictest(row.kind for row in self.says(person, address, direction) if row)

    def says(self, person: User, address: str, direction: str) -> list[Contact | None]:
        """The entry that decides, for each of her communities; None where there is none."""
        return [self.decides(person, community, address, direction) for community in self.communities[person.pk]]

    def decides(self, person: User, community: int, address: str, direction: str) -> Contact | None:
        """The first form that is listed decides."""
        lists = self.rows["person", person.pk], self.rows["community", community]
        for forms in (spelled(address), domain_of(address)):
            rows = [found[form] for found in lists for form in forms if form in found]
            rows = [row for row in rows if row.direction in ("both", direction)]
            rows = [row for row in rows if row.address == forms[0] or row.kind == Contact.Kind.BLOCKED]
            if rows:
                return min(rows, key=lambda row: FIRST.index(row.kind))
        return None


def strictest(kinds: Iterable[str]) -> str:
    """The strictest of several kinds of entries, or nothing."""
    found = set(kinds)
    return next((kind for kind in STRICTEST if kind in found), "")


def whose(row: Contact) -> tuple[str, int]:
    """Whose list an entry stands in."""
    return ("person", row.person_id) if row.person_id else ("community", row.community_id or 0)


def spelled(address: str) -> list[str]:
    """An address, and without its extension: an entry of that one counts where it blocks."""
    local, _at, name = address.rpartition("@")
    return list(dict.fromkeys([address, f"{local.partition('+')[0]}@{name}"]))


def domain_of(address: str) -> list[str]:
    """The entry that means everybody of an address's domain."""
    return [f"@{address.rpartition('@')[2]}"]


def guardians(communities: Iterable[int]) -> set[tuple[int, str]]:
    """The guardians of these families, by their addresses."""
    found = Membership.objects.filter(community__in=communities, role="guardian")
    rows = found.values_list("community", "user__address", "user__mailboxes__address")
    return {(community, address) for community, *both in rows for address in both if address}
