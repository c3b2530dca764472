"""Whose mail is closed just now: the hours that people see are those that close it on the mail host.

In: people, a moment. Out: the hour at which each one's mail opens. Nothing is touched or raised.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from django.db.models import Count, Exists, OuterRef

from accounts.models import Membership
from deploy.gather import hours_of
from deploy.render import Unwritable
from deploy.render.hours import opening
from deploy.snapshot import Hours
from domains.models import MailboxPerson
from policies import levels
from policies.outgoing import Bond


def asleep(people: Iterable[int], now: datetime) -> Mapping[int, str]:
    """Those who sleep, by person, each with the hour of opening where she lives, `07:00`; in one query.

    A mailbox of several people never sleeps: who has none of her own does not either.
    """
    readers = Count("mailbox__mailboxperson")
    own = MailboxPerson.objects.filter(user=OuterRef("user")).annotate(readers=readers).filter(readers=1)
    rows = Membership.objects.filter(Exists(own), user__in=list(people)).exclude(level="").select_related("community")
    said: dict[int, list[Hours]] = defaultdict(list)
    for row in rows.order_by("community__name"):
        if (bond := bond_of(row)).sleeps:
            said[row.user_id].append(hours_of(bond, (), row.community.school_days, row.community.holidays))
    found = dict[int, str]()
    for person, hours in said.items():
        with suppress(Unwritable):  # such hours are never made live
            found[person] = opening(tuple(hours), now)
    return {person: hour for person, hour in found.items() if hour}


def bond_of(row: Membership) -> Bond:
    """What a community says of somebody's hours."""
    one, hours = row.community, tuple(levels.course(row.level, row.overrides, "hours"))
    return Bond(one.pk, one.name, one.kind, one.timezone, row.level, (), hours)
