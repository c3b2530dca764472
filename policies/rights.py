"""Whose lists a person may see and change. In: who acts, and whose list. Out: yes or no. Nothing is touched.

Guardians keep the lists of the protected of their family, owners and managers those of whom they stand above in their
business, each of them the list of the community itself but managers. Administrators do not: they may be made guardian
or owner, which is told to all. Whom a level binds sees her own lists, and may block; for more she asks.
"""

from accounts.models import Community, Membership, User
from accounts.rights import BELOW, role_in
from policies.models import Contact

KEEPERS = ("guardian", "owner")


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
