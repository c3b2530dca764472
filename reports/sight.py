"""Whose letters somebody may see, and in which time zone. Nothing is touched or raised.

In: who looks, and at whom. Out: yes or no, mailboxes, a zone. Figures are for oneself and the parents. With whom a
child writes is for parents to see as far as the level says (`sight`), and in the mailboxes alone that are nobody
else's: another grown-up's letters are her own.
"""

from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet

from accounts.models import Community, Membership, User
from accounts.rights import may_see_figures
from domains.models import Mailbox
from policies.rights import readable


def may_trace(actor: User, person: User, now: datetime) -> bool:
    """See the ways of a person's letters: her own, and a child's whose level lets parents see with whom it writes."""
    return actor == person or (may_see_figures(actor, person) and person.pk in readable([person], now))


def traced_mailboxes(actor: User, person: User, now: datetime) -> list[Mailbox]:
    """The mailboxes of the person whose letters the actor may follow: nobody shares them who would not let her."""
    found = list(seen_mailboxes(actor, person).prefetch_related("people"))
    others = {one for mailbox in found for one in mailbox.people.all()} - {actor}
    seen = readable(others, now)
    return [box for box in found if all(one == actor or one.pk in seen for one in box.people.all())]


def seen_mailboxes(actor: User, person: User) -> QuerySet[Mailbox]:
    """The person's mailboxes: all for herself, for a guardian those of the family."""
    mailboxes = Mailbox.objects.filter(people=person).order_by("address")
    if actor == person:
        return mailboxes
    protected = Membership.objects.filter(user=person, role="protected").values("community")
    families = Membership.objects.filter(user=actor, role="guardian", community__in=protected).values("community")
    return mailboxes.filter(domain__community__in=families)


def zone_of(person: User) -> tzinfo:
    """The time zone of the person's community, the one she is protected in first."""
    roles = Q(memberships__user=person, memberships__role="protected"), Q(memberships__user=person)
    found = (
        Community.objects.filter(role).order_by("name").values_list("timezone", flat=True).first() for role in roles
    )
    return ZoneInfo(next(filter(None, found), settings.TIME_ZONE))
