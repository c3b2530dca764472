"""Acceptable-use policies: who may do what, what is published, who has read it. Writers hold `with wishes(...)`.

In: who acts, a community, texts. Out: versions, and who has read them. Touched: versions and acknowledgements. Raised:
ValidationError with a sentence, PermissionDenied for whom the policy is not there.

Who belongs to a community sees its policy; guardians, owners and managers write it and see who has read it. To be an
administrator is no part in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext

from accounts.models import Community, Membership, User
from accounts.rights import BELOW, role_in
from policies.models import Acknowledgement, Contact, UsagePolicy
from policies.usage import claims
from policies.usage_words import Own, in_every_language, own, use_of


@dataclass(frozen=True)
class Reader:
    """Somebody who should read a version, or has. `when`: she said so. `here`: she belongs to the community."""

    person: User
    when: datetime | None
    here: bool


def may_write(actor: User, community: Community) -> bool:
    """Publish a version, and see who has read it."""
    return role_in(actor, community) in BELOW


def communities_of(person: User) -> QuerySet[Any]:
    """Hers, each with `newest`, the number of its newest version or None, and `read`: whether she has read that."""
    versions = UsagePolicy.objects.filter(community=OuterRef("pk")).order_by("-number")
    read = Acknowledgement.objects.filter(user=person, policy__community=OuterRef("pk"))
    found: QuerySet[Any] = Community.objects.filter(memberships__user=person).annotate(
        newest=Subquery(versions.values("number")[:1]),
        read=Exists(read.filter(policy__number=OuterRef("newest"))),
    )
    return found


def newest(community: Community) -> UsagePolicy | None:
    """The version that counts."""
    found: UsagePolicy | None = UsagePolicy.objects.filter(community=community).order_by("-number").first()
    return found


def publish(actor: User, community: Community, before: str, after: str) -> UsagePolicy:
    """Make these texts, around the rules of this moment, the next version; who publishes has read it."""
    if not may_write(actor, community):
        raise PermissionDenied
    last, generated = newest(community), in_every_language(use_of(community))
    row = UsagePolicy(community=community, number=last.number + 1 if last else 1, before=before, after=after)
    row.generated, row.by, row.when = generated, actor.address, timezone.now()
    row.clean_fields()
    if last and says_the_same(last, row):
        raise ValidationError(gettext("Version %(number)d says the same already.") % {"number": last.number})
    row.save()
    Acknowledgement(user=actor, policy=row).save()
    return row


def says_the_same(last: UsagePolicy, row: UsagePolicy) -> bool:
    """Nobody would read anything new."""
    texts = (last.before, last.after) == (row.before, row.after)
    return texts and claims(last.paragraphs()) == claims(row.paragraphs())


def acknowledge(actor: User, policy: UsagePolicy) -> None:
    """Note that somebody has read a version: the newest one, and once."""
    if not role_in(actor, policy.community):
        raise PermissionDenied
    if newest(policy.community) != policy:
        raise ValidationError(gettext("There is a newer version now, this one: read it, then say so once more."))
    if not Acknowledgement.objects.filter(user=actor, policy=policy).exists():
        Acknowledgement(user=actor, policy=policy).save()


def readers(policy: UsagePolicy) -> list[Reader]:
    """Who has read a version and who has not, those first who have not. Who cannot sign in is not waited for."""
    here = Membership.objects.filter(community=policy.community).values("user")
    read = dict(Acknowledgement.objects.filter(policy=policy).values_list("user", "when"))
    wanted = Q(pk__in=here, active=True) | Q(pk__in=read)
    people = User.objects.filter(wanted).annotate(here=Exists(here.filter(user=OuterRef("pk")))).order_by("name", "pk")
    found = [Reader(person, read.get(person.pk), person.here) for person in people]
    return sorted(found, key=lambda one: one.when is not None)


def owns(actor: User, community: Community, now: datetime) -> list[Own]:
    """What counts today for the one who looks, and for each protected person whose guardian she is."""
    whose = Q(user=actor)
    if role_in(actor, community) == "guardian":
        whose |= Q(role="protected")
    bonds = Membership.objects.filter(whose, community=community).exclude(level="").select_related("user", "community")
    listed = contacts_of(bond.user_id for bond in bonds)
    today = now.astimezone(ZoneInfo(community.timezone)).date()
    return [own(bond, listed.get(bond.user_id, 0), today) for bond in bonds]


def contacts_of(people: Iterable[int]) -> dict[int, int]:
    """How many entries the list of each has that are not blocked."""
    found = Contact.objects.filter(person__in=list(people)).exclude(kind=Contact.Kind.BLOCKED).order_by()
    return dict(found.values_list("person").annotate(Count("pk")))
