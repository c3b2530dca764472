"""From the database to a snapshot: the only module of the export that reads the other apps' models.

In: the host. Out: a `Snapshot` of one moment, with the generation of that moment. Nothing is written. The number of
queries does not grow with the number of rows.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from accounts.passwords import UNUSABLE
from accounts.wishes import Wishes
from deploy import snapshot
from deploy.models import MailHost
from deploy.snapshot import Snapshot
from domains.models import Alias, Domain, Mailbox, MailboxPerson


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction that sees the database as it is at one moment."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def gather(host: MailHost) -> Snapshot:
    """Everything this host is told: a backup MX learns the names it keeps mail for and nothing else."""
    primary = host.role == MailHost.Role.PRIMARY
    with one_moment():
        return Snapshot(
            generation=Wishes.current(),
            host=host.name,
            role="primary" if primary else "backup",
            domains=tuple(domains()),
            mailboxes=tuple(mailboxes()) if primary else (),
            aliases=tuple(aliases()) if primary else (),
        )


def domains() -> Iterator[snapshot.Domain]:
    """Every name that receives mail, sorted."""
    rows = Domain.objects.order_by("name").values_list("name", "kind", "alias_of__name", "relay_to")
    for name, kind, alias_of, relay_to in rows:
        yield snapshot.Domain(name, kind, alias_of or relay_to)


def mailboxes() -> Iterator[snapshot.Mailbox]:
    """Every mailbox, sorted. Its people sign in under the addresses of the mailboxes that are theirs alone."""
    people = defaultdict(list)  # mailbox -> (user, password, active)
    rows = MailboxPerson.objects.order_by("user__address")
    for mailbox, *person in rows.values_list("mailbox", "user", "user__password", "user__active"):
        people[mailbox].append(person)
    boxes = list(Mailbox.objects.order_by("address").values_list("pk", "address", "key", "quota", "active"))
    own = defaultdict(list)  # user -> the addresses the user signs in with
    for pk, address, _key, _quota, _active in boxes:
        if len(people[pk]) == 1:
            own[people[pk][0][0]].append(address)
    for pk, address, key, quota, active in boxes:
        logins = sorted({login for user, _password, _active in people[pk] for login in own[user]})
        password, usable = sign_in(people[pk])
        yield snapshot.Mailbox(address, key, tuple(logins), password, quota, bool(active and usable))


def sign_in(people: list[list[str]]) -> tuple[str, bool]:
    """The hash that opens a mailbox, and whether anybody of its people is active. A shared mailbox has no hash."""
    usable = any(active for _user, _password, active in people)
    if len(people) != 1 or people[0][1] == UNUSABLE:
        return "", usable
    return people[0][1], usable


def aliases() -> Iterator[snapshot.Alias]:
    """Every alias, sorted, with the moment from which it works no more."""
    rows = Alias.objects.order_by("address")
    for address, targets, internal, last_day, timezone in rows.values_list(
        "address", "targets", "internal", "expires", "domain__community__timezone"
    ):
        yield snapshot.Alias(address, tuple(targets), internal, end_of(last_day, timezone))


def end_of(last_day: date | None, timezone: str | None) -> str:
    """The end of a day in the community's time zone, as ISO 8601 in UTC; nothing for no day."""
    if not last_day:
        return ""
    midnight = datetime.combine(last_day + timedelta(days=1), time(), ZoneInfo(timezone or "UTC"))
    return midnight.astimezone(UTC).isoformat()
