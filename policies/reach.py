"""Whom some people may write to today, for pages and refusals; the mail host decides by its own files.

In: people, addresses of ours as they are meant, others as they are. Out: a word for what forbids it. Nothing is touched
or raised. The number of queries does not grow with either.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import Membership, User
from domains.models import MailboxPerson
from policies import levels
from policies.lists import FIRST, Lists, domain_of, spelled
from policies.models import Contact


class Reach:
    """What each of the communities that bind these people says of these addresses."""

    def __init__(self, people: Collection[User], addresses: Collection[str]) -> None:
        self.bonds: dict[int, list[tuple[int, str, bool]]] = defaultdict(list)
        now = timezone.now()
        rows = Membership.objects.filter(user__in=[person.pk for person in people]).exclude(level="")
        for person, community, zone, level, overrides in rows.values_list(
            "user", "community", "community__timezone", "level", "overrides"
        ):
            setting = levels.effective(level, overrides, now.astimezone(ZoneInfo(zone)).date())["outgoing"]
            self.bonds[person].append((community, setting, level not in levels.WITHOUT_LIST))
        bound = [person for person in people if person.pk in self.bonds]
        self.lists = Lists(bound, addresses)
        self.inside = colleagues({community for bonds in self.bonds.values() for community, *_rest in bonds}, addresses)

    def refuses(self, person: User, address: str) -> str:
        """`blocked`, `inside` or `list` where one of her communities forbids it, else nothing."""
        said = (self.says(person, bond, address) for bond in self.bonds.get(person.pk, ()))
        return next(filter(None, said), "")

    def says(self, person: User, bond: tuple[int, str, bool], address: str) -> str:
        """What one community says: the first form that is listed decides, as at every station."""
        community, setting, listed = bond
        if (community, address) in self.lists.guardians:
            return ""
        for forms in (spelled(address), domain_of(address)):
            kinds = self.kinds(person, community, forms, listed=listed)
            if forms[0] == address and (community, address) in self.inside:
                kinds.add(Contact.Kind.ALLOWED)
            if kinds:
                return "blocked" if min(kinds, key=FIRST.index) == Contact.Kind.BLOCKED else ""
        return ("list" if listed else "inside") if setting == "list" else ""

    def kinds(self, person: User, community: int, forms: list[str], *, listed: bool) -> set[str]:
        """What the lists say of one form; of an address without its extension only that it is blocked."""
        lists = self.lists.rows["person", person.pk], self.lists.rows["community", community]
        rows = [found[form] for found in lists for form in forms if form in found]
        rows = [row for row in rows if row.direction in ("both", "out")]
        kinds = {row.kind for row in rows if row.address == forms[0] or row.kind == Contact.Kind.BLOCKED}
        return kinds if listed else kinds - {Contact.Kind.ALLOWED}


def colleagues(communities: Collection[int], addresses: Iterable[str]) -> set[tuple[int, str]]:
    """Which of these addresses are mailboxes of people of these communities alone."""
    found: dict[str, list[set[int]]] = defaultdict(list)
    rows = MailboxPerson.objects.filter(mailbox__address__in=list(addresses)).select_related("mailbox")
    of_user: dict[int, set[int]] = defaultdict(set)
    here = Membership.objects.filter(community__in=communities, user__in=rows.values("user"))
    for user, community in here.values_list("user", "community"):
        of_user[user].add(community)
    for row in rows:
        found[row.mailbox.address].append(of_user[row.user_id])
    return {(one, address) for address, sets in found.items() for one in set.intersection(*sets)}
