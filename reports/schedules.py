"""Reports that people get by mail: who asked for which, what she may see of it now, and when it is due.

In: who reads, what, how often, a moment. Out: schedules, readings, periods. Touched: ReportSchedule. Raises
PermissionDenied or Http404 where there is nothing for her to see, or no longer.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404
from django.utils import timezone

from accounts.models import Community, User
from domains.models import Mailbox, MailboxPerson
from reports import scope as scopes
from reports.models import ReportSchedule
from reports.periods import A_DAY, Period, Step, last_whole, over_next
from reports.readings import Reading, of_community, of_person

MORNING: Final = timedelta(hours=6)  # a week or month is told of from then on, by the clock of its report
REFUSED: Final = (PermissionDenied, Http404)
SHORTEST: Final = timedelta(days=7)


def ask_for(reader: User, reading: Reading, person: User | None, every: str, now: datetime) -> None:
    """Have it sent from now on, the first time when the week or month that we are in is over; once, however often."""
    ReportSchedule.objects.update_or_create(
        reader=reader,
        community=reading.community,
        person=person,
        mode=reading.mode,
        every=every,
        defaults={"purpose": reading.purpose},
        create_defaults={"purpose": reading.purpose, "sent": period(every, reading, now).last},
    )


def of_reader(reader: User, now: datetime) -> Iterator[ReportSchedule]:
    """What she gets, and may see now."""
    for one in schedules().filter(reader=reader):
        try:
            reading(one, now)
        except REFUSED:
            continue
        yield one


def perhaps_due(now: datetime) -> QuerySet[ReportSchedule]:
    """Those that can be due, wherever it is which day, of readers who may sign in."""
    return schedules().filter(reader__active=True, sent__lte=(now + A_DAY).date() - SHORTEST)


def schedules() -> QuerySet[ReportSchedule]:
    """All of them."""
    return ReportSchedule.objects.select_related("reader", "community", "person")


def reading(schedule: ReportSchedule, now: datetime) -> Reading:
    """What its reader may see of it at this moment; raise one of REFUSED."""
    reader, community = schedule.reader, schedule.community
    if community is None:
        return of_person(reader, cast(User, schedule.person), now)
    role = scopes.role_or_refused(reader, community)
    return of_community(reader, community, role, schedule.mode, schedule.purpose, now)


def period(every: str, reading: Reading, now: datetime) -> Period:
    """The last week or month that is over where the report is about."""
    return last_whole(cast(Step, every), timezone.localdate(now - MORNING, reading.zone))


def next_day(schedule: ReportSchedule) -> date:
    """When the next one is sent."""
    return over_next(cast(Step, schedule.every), schedule.sent)


def mailbox_of(reader: User) -> str:
    """Where she gets it: her sign-in address if its mailbox is hers alone, else the first that is; nothing without."""
    hers = MailboxPerson.objects.filter(user=reader).values("mailbox")
    alone = Mailbox.objects.filter(pk__in=hers, active=True).annotate(readers=Count("people")).filter(readers=1)
    addresses = list(alone.order_by("address").values_list("address", flat=True))
    return reader.address if reader.address in addresses else next(iter(addresses), "")


def language_of(reader: User) -> str:
    """The language that she chose, else that of her community."""
    homes = Community.objects.filter(memberships__user=reader).order_by("name")
    return reader.language or homes.values_list("language", flat=True).first() or settings.LANGUAGE_CODE
