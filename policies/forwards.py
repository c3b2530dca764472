"""Where letters go on to from our mailboxes: in no circle, to addresses that exist, to whom people may write.

In: rows of the wishes, as the database has them now. Out: ways and sentences, in the reader's language. Nothing is
touched or raised. The number of queries does not grow with the number of mailboxes.

The mail host leaves out a target to whom a person of the mailbox may not write any more; `misfits` says the same here.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Membership, User
from accounts.rules import shown_address
from domains import rules as domain_rules
from domains.models import Alias, Domain, Mailbox, MailboxPerson, spellings
from policies import filters
from policies.models import Filing, FilterRule, Forwarding
from policies.reach import Reach

Edges = Mapping[str, list[str]]
NOWHERE: Final[list[str]] = []
NOBODY: Final = [("", 0)]  # somebody without a role


def forwarding(mailboxes: QuerySet[Mailbox] | Collection[int]) -> Mapping[int, list[str]]:
    """Where each of these mailboxes forwards to."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = FilterRule.objects.filter(mailbox__in=mailboxes, active=True, then__icontains='"forward"').order_by()
    for mailbox, then in rows.values_list("mailbox", "then"):
        found[mailbox] += filters.forwards(then)
    for mailbox, to in Forwarding.objects.filter(mailbox__in=mailboxes).order_by().values_list("mailbox", "to"):
        found[mailbox] += to
    return found


def everywhere() -> set[int]:
    """The mailboxes that forward."""
    rules = FilterRule.objects.filter(active=True, then__icontains='"forward"').order_by()
    return {*rules.values_list("mailbox", flat=True), *Forwarding.objects.order_by().values_list("mailbox", flat=True)}


def leading_to(address: str) -> list[tuple[FilterRule | Forwarding, set[str]]]:
    """What forwards to an address of ours, and how each of them writes it; rules that are off too."""
    there, local = spellings(address), address.rpartition("@")[0]
    rules = FilterRule.objects.filter(then__icontains=f'"{local}').select_related("mailbox")
    rows = Forwarding.objects.filter(to__icontains=f'"{local}').select_related("mailbox")
    found: list[tuple[FilterRule | Forwarding, set[str]]] = [
        *((row, named(filters.forwards(row.then), there)) for row in rules),
        *((row, named(row.to, there)) for row in rows),
    ]
    return [(row, gone) for row, gone in found if gone]


def named(targets: Iterable[str], there: Collection[str]) -> set[str]:
    """Which of some targets mean an address, written in one of these ways."""
    return {target for target in targets if domain_rules.without_extension(target) in there}


class Book:
    """Where a letter to an address of ours goes next; each address as it is meant: see `domains.models.meant`."""

    def __init__(self) -> None:
        names = Domain.objects.exclude(kind=Domain.Kind.BACKUP).values_list("name", "alias_of__name")
        self.homes = {name: alias_of or name for name, alias_of in names}

    def meant(self, target: str) -> str:
        """An address of ours without extension in its home domain; one outside as it is."""
        local, _at, name = target.rpartition("@")
        return f"{local.partition('+')[0]}@{self.homes[name]}" if name in self.homes else target

    def edges(self, starts: Iterable[str], *, through: bool) -> Edges:
        """Each address that is reached, and where it leads; `through` mailboxes that forward, or not.

        An address of ours that does not exist has no entry.
        """
        found: dict[str, list[str]] = {}
        waiting = {self.meant(start) for start in starts}
        while waiting:
            step = self.step(waiting, through=through)
            found.update(step)
            waiting = {target for targets in step.values() for target in targets} - found.keys()
        return found

    def step(self, addresses: Collection[str], *, through: bool) -> Edges:
        """Where these addresses lead, in a fixed number of queries."""
        boxes = dict(Mailbox.objects.filter(address__in=addresses).order_by().values_list("address", "pk"))
        going = forwarding(list(boxes.values())) if through and boxes else {}
        rest = [address for address in addresses if address not in boxes]
        alls = {f"@{address.rpartition('@')[2]}" for address in rest}
        aliases = dict(Alias.objects.filter(address__in={*rest, *alls}).order_by().values_list("address", "targets"))
        found = {address: list(map(self.meant, going.get(pk, NOWHERE))) for address, pk in boxes.items()}
        for address in rest:
            name = address.rpartition("@")[2]
            targets = aliases.get(address, aliases.get(f"@{name}"))
            if targets is not None or name not in self.homes:
                found[address] = list(map(self.meant, targets or NOWHERE))
        return found


def circle(starts: Iterable[str]) -> list[str]:
    """The first circle that letters to these mailboxes come into, `[a, b, a]`, else an empty list."""
    wanted = sorted(starts)
    if not wanted:
        return []
    edges = Book().edges(wanted, through=True)
    ways = (domain_rules.circle(start, lambda address: edges.get(address, NOWHERE)) for start in wanted)
    return next(filter(None, ways), [])


def circle_sentence(way: list[str]) -> str:
    """Why letters may not go this way."""
    if len(way) == 2:
        return _("%(address)s is this mailbox itself: forward to another address.") % {"address": shown_address(way[0])}
    return _("The letters would go in a circle: %(way)s.") % {"way": " → ".join(map(shown_address, way))}


@dataclass(frozen=True)
class Owners:
    """The people of some mailboxes: whose a mailbox is, and how many addresses it may forward to."""

    people: Mapping[int, list[User]]
    limits: Mapping[int, int]

    @classmethod
    def of(cls, mailboxes: Collection[int]) -> "Owners":
        """In two queries."""
        people: dict[int, list[User]] = defaultdict(list)
        homes: dict[int, int | None] = {}
        for row in MailboxPerson.objects.filter(mailbox__in=mailboxes).select_related("user", "mailbox__domain"):
            people[row.mailbox_id].append(row.user)
            homes[row.mailbox_id] = row.mailbox.domain.community_id
        roles: dict[int, list[tuple[str, int]]] = defaultdict(list)
        wanted = {person.pk for found in people.values() for person in found}
        for user, *role in Membership.objects.filter(user__in=wanted).values_list("user", "role", "community"):
            roles[user].append((role[0], role[1]))
        limits = {
            mailbox: min(
                limit(role, here=at == homes[mailbox]) for one in found for role, at in roles[one.pk] or NOBODY
            )
            for mailbox, found in people.items()
        }
        return cls(people, limits)


def limit(role: str, *, here: bool) -> int:
    """To how many addresses a mailbox may forward for a role; who is protected is so wherever the mailbox is."""
    counts = here or role == "protected"
    return filters.MOST_TARGETS.get(role if counts else "", filters.MOST_TARGETS[""])


def misfits(
    rows: Iterable[Filing], targets_of: Callable[[Filing], Collection[str]] = lambda row: row.targets()
) -> list[tuple[Filing, str]]:
    """The rows that forward where they may not, or no more, each with a sentence."""
    wanted = [(row, targets) for row in rows if (targets := targets_of(row))]
    if not wanted:
        return []
    owners = Owners.of({row.mailbox_id for row, _targets in wanted})
    book = Book()
    edges = book.edges((target for _row, targets in wanted for target in targets), through=False)
    reach = Reach({person for people in owners.people.values() for person in people}, edges)
    counts = {mailbox: len(set(to)) for mailbox, to in forwarding(list(owners.limits)).items()}
    found = []
    for row, targets in wanted:
        sentences = [misfit(target, owners.people[row.mailbox_id], book, edges, reach) for target in sorted(targets)]
        sentences.append(too_many(counts.get(row.mailbox_id, 0), owners.limits[row.mailbox_id]))
        found += [(row, said) for said in list(filter(None, sentences))[:1]]
    return found


def misfit(target: str, people: Iterable[User], book: Book, edges: Edges, reach: Reach) -> str:
    """Why one of these people cannot forward there, or nothing."""
    address = book.meant(target)
    if address not in edges:
        return _("%(address)s is not an address here: add it first.") % {"address": shown_address(target)}
    ends = ended(address, edges)
    for person in people:
        if said := next((word for end in ends if (word := reach.refuses(person, end))), ""):
            facts = {"name": person.name, "address": shown_address(target)}
            return sentence(said, direct=ends == [address]) % facts
    return ""


def sentence(said: str, *, direct: bool) -> str:
    """Why a person may not write there."""
    if not direct:
        return _("%(name)s may not write to everybody whom %(address)s leads to: choose another address.")
    if said == "blocked":
        return _("%(address)s is blocked for %(name)s: letters cannot be forwarded there.")
    if said == "inside":
        return _("%(name)s may write to own people only: letters cannot be forwarded to %(address)s.")
    return _("%(name)s may not write to %(address)s: it has to be on the list before letters are forwarded there.")


def ended(address: str, edges: Edges) -> list[str]:
    """The mailboxes and the addresses outside that a letter finally reaches."""
    seen, waiting, ends = {address}, [address], []
    while waiting:
        here = waiting.pop()
        targets = [target for target in edges.get(here, NOWHERE) if target not in seen]
        ends += [] if edges.get(here) else [here]
        seen.update(targets)
        waiting += targets
    return sorted(ends)


def too_many(count: int, limit: int) -> str:
    """Why a mailbox forwards to too many addresses, or nothing."""
    if count <= limit:
        return ""
    return _("This mailbox would forward to %(count)d addresses: at most %(limit)d.") % {"count": count, "limit": limit}
