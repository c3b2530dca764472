"""Who may do what: role x verb x object, as one table.

In: the person who acts, and whom or what the act concerns. Out: yes or no, or the rows the person may see.
Objects of a community that the person has no part in are not there for her: views answer 404 for them, and 403
for what she can see but may not do.
"""

from collections.abc import Iterable
from typing import Final

from django.db.models import Q, QuerySet

from accounts.models import Community, Membership, User

# Whom a role stands above in its own community.
BELOW: Final[dict[str, frozenset[str]]] = {
    "guardian": frozenset({"protected"}),
    "owner": frozenset({"manager", "member"}),
    "manager": frozenset({"member"}),
}


def role_in(person: User, community: Community | None) -> str:
    """The person's role in a community, or nothing."""
    if community is None:
        return ""
    return Membership.objects.filter(user=person, community=community).values_list("role", flat=True).first() or ""


def managed_communities(actor: User) -> QuerySet[Community]:
    """The communities whose people and addresses the actor may add and disable."""
    everything = Community.objects.all()
    if actor.administrator:
        return everything
    return everything.filter(memberships__user=actor, memberships__role__in=BELOW)


def may_run_hosts(actor: User) -> bool:
    """Hosts, domains, releases, health."""
    return actor.administrator


def may_manage_addresses(actor: User, community: Community | None, people: Iterable[User]) -> bool:
    """Add, change, suspend and delete addresses of these people in this community."""
    if actor.administrator:
        return True
    below = BELOW.get(role_in(actor, community), frozenset())
    return bool(below) and all(role_in(person, community) in below and not person.administrator for person in people)


def may_manage_person(actor: User, person: User) -> bool:
    """Change name, password and whether a person may sign in: wherever she belongs, the actor must stand above her."""
    if actor.administrator:
        return True
    roles = list(Membership.objects.filter(user=person).values_list("community_id", "role"))
    above = dict(Membership.objects.filter(user=actor).values_list("community_id", "role"))
    stands_above = all(role in BELOW.get(above.get(community, ""), ()) for community, role in roles)
    return bool(roles) and stands_above and not person.administrator


def may_set_password(actor: User, person: User) -> bool:
    """Give a new password: whoever does can sign in as that person, so nothing may open that is not hers to manage.

    A mailbox that the actor shares already is nothing new to her.
    """
    if actor.administrator:
        return True
    opened = (
        person.mailboxes.exclude(pk__in=actor.mailboxes.values("pk"))
        .select_related("domain__community")
        .prefetch_related("people")
    )
    return may_manage_person(actor, person) and all(
        may_manage_addresses(actor, mailbox.domain.community, mailbox.people.all()) for mailbox in opened
    )


def may_give_role(actor: User, community: Community, role: str) -> bool:
    """Make somebody this in that community."""
    return actor.administrator or role in BELOW.get(role_in(actor, community), ())


def visible_people(actor: User) -> QuerySet[User]:
    """The people whom the actor may know of: herself, those of the communities she manages."""
    everybody: QuerySet[User] = User.objects.all()
    if actor.administrator:
        return everybody
    known = Membership.objects.filter(community__in=managed_communities(actor)).values("user")
    return everybody.filter(Q(pk=actor.pk) | Q(pk__in=known))


def people_below(actor: User) -> QuerySet[User]:
    """The people whose addresses the actor manages in one community at least."""
    everybody: QuerySet[User] = User.objects.all()
    if actor.administrator:
        return everybody
    below = Q(pk__in=[])
    for community, role in Membership.objects.filter(user=actor, role__in=BELOW).values_list("community", "role"):
        below |= Q(community=community, role__in=BELOW[role])
    return everybody.filter(administrator=False, pk__in=Membership.objects.filter(below).values("user"))


def children_of(actor: User) -> QuerySet[User]:
    """The protected people whose guardian the actor is."""
    families = Membership.objects.filter(user=actor, role="guardian").values("community")
    wards = Membership.objects.filter(community__in=families, role="protected").values("user")
    found: QuerySet[User] = User.objects.filter(pk__in=wards)
    return found


def may_see_person(actor: User, person: User) -> bool:
    """Know that a person is here: herself, who manages a community of hers, administrators."""
    if actor == person or actor.administrator:
        return True
    return Membership.objects.filter(user=person, community__in=managed_communities(actor)).exists()


def may_see_figures(actor: User, person: User) -> bool:
    """See how many letters a person gets and sends: herself, and the guardians of a protected person."""
    if actor == person:
        return True
    families = Membership.objects.filter(user=actor, role="guardian").values("community")
    return Membership.objects.filter(user=person, role="protected", community__in=families).exists()
