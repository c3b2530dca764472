"""Whose lists a person may see and change. In: who acts, and whose list. Out: yes or no. Nothing is touched.

Guardians keep the lists of the protected of their family, owners and managers those of whom they stand above in their
business, each of them the list of the community itself but managers. Administrators do not: they may be made guardian
or owner, which is told to all. Whom a level binds sees her own lists, and may block; for more she asks.

Filter rules, vacation and forwarding of a mailbox are its people's, and theirs who stand above all of these in the
community whose domain it is in, or are their guardians, wherever it is. An administrator has no say in them.

Held letters are for who keeps the lists of everybody whose letters they are: a mailbox can be several people's. What is
written in them is to be seen where the level of each of these people says so (`sight`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Community, Membership, User
from accounts.rights import BELOW, role_in
from domains.models import Mailbox, MailboxPerson
from policies import levels
from policies.models import Contact, HeldLetter

KEEPERS = ("guardian", "owner")
SIGHTS = ("nothing", "contacts", "held")  # what parents see, the least first


def may_keep_list(actor: User, owner: User | Community) -> bool:
    """Add, change and remove any entry."""
    if isinstance(owner, Community):
        return role_in(actor, owner) in KEEPERS
    roles = dict(Membership.objects.filter(user=actor, role__in=BELOW).values_list("community", "role"))
    bound = list(Membership.objects.filter(user=owner).exclude(level="").values_list("community", "role"))
    return bool(bound) and all(role in BELOW.get(roles.get(community, ""), ()) for community, role in bound)


def may_see_list(actor: User, owner: User | Community) -> bool:
    """See the entries: who keeps them, and whom they bind."""
    if isinstance(owner, Community):
        return bool(role_in(actor, owner))
    return actor == owner or may_keep_list(actor, owner)


def may_write_entry(actor: User, owner: User | Community, kind: str) -> bool:
    """Add or remove one entry of this kind: in her own list everybody may block."""
    own = isinstance(owner, User) and actor == owner
    return (own and kind == Contact.Kind.BLOCKED) or may_keep_list(actor, owner)


def kept_communities(actor: User) -> QuerySet[Community]:
    """Those whose own list the actor keeps: of which she is guardian or owner."""
    return Community.objects.filter(memberships__user=actor, memberships__role__in=KEEPERS)


def kept_people(actor: User) -> set[int]:
    """Everybody whose list the actor keeps: the same as `may_keep_list` says of each, in two queries."""
    roles = dict(Membership.objects.filter(user=actor, role__in=BELOW).values_list("community", "role"))
    near = Membership.objects.filter(community__in=roles).exclude(level="").values("user")
    bound = Membership.objects.filter(user__in=near).exclude(level="")
    found: dict[int, bool] = defaultdict(lambda: True)
    for person, community, role in bound.values_list("user", "community", "role"):
        found[person] &= role in BELOW.get(roles.get(community, ""), ())
    return {person for person, below in found.items() if below}


def held_mailboxes(actor: User) -> Mapping[str, tuple[User, ...]]:
    """The mailboxes whose held letters the actor answers, by key, each with its people whom a level binds."""
    kept = kept_people(actor)
    found = bound_people(beside(kept)) if kept else {}
    return {key: people for key, people in found.items() if all(person.pk in kept for person in people)}


def held_keys(kept: set[int]) -> set[str]:
    """Their keys alone, which every page asks for, of whoever keeps the lists of these people."""
    rows = bound(beside(kept)) if kept else MailboxPerson.objects.none()
    found = set(rows.order_by().values_list("mailbox__key", "user"))
    return {key for key, _person in found} - {key for key, person in found if person not in kept}


def bound_people(rows: QuerySet[MailboxPerson]) -> Mapping[str, tuple[User, ...]]:
    """Whom a level binds of the people of these mailboxes, by key, in one query."""
    found: dict[str, dict[int, User]] = defaultdict(dict)
    for row in bound(rows).select_related("mailbox", "user").order_by("user__name", "user__pk"):
        found[row.mailbox.key][row.user.pk] = row.user
    return {key: tuple(people.values()) for key, people in found.items()}


def beside(people: set[int]) -> QuerySet[MailboxPerson]:
    """Whose the mailboxes of these people are."""
    theirs = MailboxPerson.objects.filter(user__in=people).values("mailbox")
    return MailboxPerson.objects.filter(mailbox__in=theirs)


def bound(rows: QuerySet[MailboxPerson]) -> QuerySet[MailboxPerson]:
    """Those of people whom a level binds. (SQLite would try each of a list of people on each row.)"""
    return rows.filter(Exists(Membership.objects.filter(user=OuterRef("user")).exclude(level="")))


def may_answer(actor: User, letter: HeldLetter) -> bool:
    """See a held letter and answer its questions."""
    return letter.key in held_keys(kept_people(actor))


def sights(people: Iterable[User], now: datetime) -> dict[int, str]:
    """What parents see of each of whom a level binds (`sight`): the strictest community counts."""
    seen: dict[int, str] = {}
    rows = Membership.objects.filter(user__in=[person.pk for person in people]).exclude(level="")
    for person, level, overrides, zone in rows.values_list("user", "level", "overrides", "community__timezone"):
        today = now.astimezone(ZoneInfo(zone)).date()
        sight = levels.effective(level, overrides, today)["sight"]
        seen[person] = min(sight, seen.get(person, sight), key=SIGHTS.index)
    return seen


def readable(people: Iterable[User], now: datetime) -> set[int]:
    """Those of whom parents see held letters too, not only with whom they write."""
    return {person for person, sight in sights(people, now).items() if sight == "held"}


def may_file(actor: User, mailbox: Mailbox) -> bool:
    """See and change what a mailbox does with its letters: one of its people, and who stands above all of them."""
    people = list(mailbox.people.all())
    return actor in people or (bool(people) and all(stands_above(actor, person, mailbox) for person in people))


def stands_above(actor: User, person: User, mailbox: Mailbox) -> bool:
    """In the community of the mailbox's domain, or as guardian of who is protected."""
    if person.administrator:
        return False
    above = BELOW.get(role_in(actor, mailbox.domain.community), frozenset())
    families = Membership.objects.filter(user=actor, role="guardian").values("community")
    guarded = Membership.objects.filter(user=person, role="protected", community__in=families)
    return role_in(person, mailbox.domain.community) in above or guarded.exists()


def filed_mailboxes(actor: User) -> set[int]:
    """Every mailbox whose letters the actor sorts: the same as `may_file` says of each, in five queries."""
    roles = dict(Membership.objects.filter(user=actor, role__in=BELOW).values_list("community", "role"))
    families = [community for community, role in roles.items() if role == "guardian"]
    wards = set(Membership.objects.filter(community__in=families, role="protected").values_list("user", flat=True))
    theirs = dict[tuple[int, int], str]()
    for person, community, role in Membership.objects.filter(community__in=roles).values_list(
        "user", "community", "role"
    ):
        theirs[person, community] = role
    found: dict[int, bool] = defaultdict(lambda: True)
    rows = MailboxPerson.objects.filter(
        Q(mailbox__domain__community__in=roles) | Q(mailbox__people__in=wards)
    ).distinct()
    for mailbox, community, person, administrator in rows.values_list(
        "mailbox", "mailbox__domain__community", "user", "user__administrator"
    ):
        above = theirs.get((person, community), "") in BELOW.get(roles.get(community, ""), ())
        found[mailbox] &= not administrator and (above or person in wards)
    own = MailboxPerson.objects.filter(user=actor).values_list("mailbox", flat=True)
    return {*own, *(mailbox for mailbox, below in found.items() if below)}
