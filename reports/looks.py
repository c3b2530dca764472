"""Who looked at whose figures, when and why: written down, and read by whom it is about.

In: who looks, at whom, in which mode, when. Out: entries. Touched: AccessEntry. Nothing is raised.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q, QuerySet

from accounts.models import Community, Membership, User
from domains.models import Mailbox
from reports.models import AccessEntry

PURPOSE_HOLDS: Final = timedelta(hours=1)  # then it is asked for again
ENTRIES_KEPT: Final = timedelta(days=400)
A_DAY: Final = timedelta(days=1)


def state_purpose(actor: User, community: Community, purpose: str, now: datetime) -> None:
    """The actor is going to look at everybody's names in a community, for this purpose."""
    AccessEntry.objects.create(
        who=actor.address, community=community, mode=AccessEntry.Mode.NAMES, purpose=purpose, when=now
    )


def stated_purpose(actor: User, community: Community, now: datetime) -> str:
    """The purpose that still holds, or nothing."""
    entries = AccessEntry.objects.filter(
        who=actor.address, community=community, person=None, when__gt=now - PURPOSE_HOLDS
    )
    found = entries.filter(mode=AccessEntry.Mode.NAMES).values_list("purpose", flat=True).first()
    return found or ""


def note_pseudonyms(actor: User, community: Community, now: datetime) -> None:
    """The actor looks at a community's pseudonyms: a line a day."""
    fields = {"who": actor.address, "community": community, "person": None, "mode": AccessEntry.Mode.PSEUDONYMS}
    if not AccessEntry.objects.filter(**fields, when__gt=now - A_DAY).exists():
        AccessEntry.objects.create(**fields, when=now)


def note_people(actor: User, people: Iterable[User], now: datetime) -> None:
    """The actor looks at the figures of people whom she looks after: a line a day for each."""
    wanted = {person.pk for person in people} - {actor.pk}
    if not wanted:
        return
    today = AccessEntry.objects.filter(who=actor.address, person__in=wanted, when__gt=now - A_DAY)
    wanted -= set(today.values_list("person", flat=True))
    homes = Membership.objects.filter(user__in=wanted, role="protected").values_list("user", "community")
    AccessEntry.objects.bulk_create(
        AccessEntry(who=actor.address, community_id=home, person_id=pk, mode=AccessEntry.Mode.NAMES, when=now)
        for pk, home in homes
    )


def looks_at(person: User) -> QuerySet[AccessEntry]:
    """The entries that are about her: at her alone, and at everybody of a community where she has a mailbox."""
    homes = Mailbox.objects.filter(people=person).values("domain__community")
    about = Q(person=person) | Q(person=None, community__in=homes)
    return AccessEntry.objects.filter(about).exclude(who=person.address).select_related("community")


def forget(now: datetime) -> None:
    """Drop what is older than any report."""
    AccessEntry.objects.filter(when__lt=now - ENTRIES_KEPT).delete()
