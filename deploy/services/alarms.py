"""Administrators are told by mail when a release was given up, a host is silent, or files were changed by hand.

In: a host's name and a moment. Out: letters from the panel's own login to each active administrator, in her language,
and `Alarm` rows that say what was told. Touched: those. Raises nothing that can happen on a mail host: what it does not
take now goes later, and nobody waits for it.

The row is written after the mail host answered 250 to everybody's; whoever was told already is remembered in it, so
that a letter that could not go to one goes to nobody twice.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from deploy import alarm_words, services
from deploy.alarm_rules import Pace, Step, Told, step
from deploy.models import Alarm, Drift, MailHost

SILENT: Final = timedelta(minutes=5)
About = Alarm.About
PACES: Final = {
    About.FAILED: Pace(timedelta(hours=1), timedelta(minutes=10), tells_end=True),
    About.SILENT: Pace(timedelta(hours=1), timedelta(minutes=10), tells_end=True),
    About.DRIFT: Pace(timedelta(days=1), timedelta(days=1), tells_end=False),
}
PAGES: Final = {About.FAILED: "home", About.SILENT: "home", About.DRIFT: "drift-list"}
Submit = Callable[[EmailMessage, str], None]
logger = logging.getLogger(__name__)


def tell(name: str, now: datetime) -> None:
    """Send what is due, on the primary host; a second worker that comes meanwhile leaves it to the first."""
    if not MailHost.objects.filter(name=name, role=MailHost.Role.PRIMARY).exists():
        return
    try:
        with services.alone("alarms"):
            tell_all(name, now, services.own_address(), services.submit)
    except services.Busy:
        return
    except (services.LayoutError, services.NotTaken, OSError) as error:
        logger.warning("Administrators were not told yet: %s", error)


def tell_all(teller: str, now: datetime, author: str, submit: Submit) -> None:
    """What is to be told of each host; raises NotTaken while the mail host is down."""
    known = {(row.host_id, row.about): row for row in Alarm.objects.all()}
    for host in MailHost.objects.all():
        for about, reasons in troubles(host, teller, now):
            row = known.get((host.pk, about)) or Alarm(host=host, about=about)
            before = Told(frozenset(row.told.splitlines()), row.when, row.well)
            following = step(reasons, before, PACES[about], now)
            tells = bool(following.news or following.over)
            if tells:
                send(row, following, now, author, submit)
            if following.told != before or (row.reached and (tells or not reasons)):
                remember(row, following.told)


def troubles(host: MailHost, teller: str, now: datetime) -> Iterator[tuple[Alarm.About, frozenset[str]]]:
    """What is wrong with a host. Whoever tells is not silent."""
    yield About.FAILED, frozenset(filter(None, [alarm_words.line(host.error)]))
    silent = host.name != teller and host.seen is not None and now - host.seen > SILENT
    yield About.SILENT, frozenset(["silent"] if silent else [])
    rows = Drift.objects.filter(host=host, kept=False).values_list("found", "path")
    yield About.DRIFT, frozenset(f"{found or '-'} {alarm_words.line(path)}" for found, path in rows)


def remember(row: Alarm, told: Told) -> None:
    """Write down what was told, to everybody."""
    row.told, row.when, row.well, row.reached = "\n".join(sorted(told.reasons)), told.when, told.well, []
    row.save()


def send(row: Alarm, following: Step, now: datetime, author: str, submit: Submit) -> None:
    """A letter to each administrator; one whose mailbox refuses is left out, for the others shall know."""
    for person in User.objects.filter(administrator=True, active=True).order_by("address"):
        name = name_of(row, following, person)
        if name in row.reached:
            continue
        try:
            submit(written(row, following, person, now, author), person.address)
        except services.NotTaken as error:
            if not error.refused:
                raise
            logger.warning("%s", error)
        row.reached = [*row.reached, name]
        row.save()


def name_of(row: Alarm, following: Step, person: User) -> str:
    """What a letter is known by: the same when it is tried again, another than that of the last trouble."""
    said = [row.host.name, row.about, person.address, str(row.when), str(following.over), *following.news]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]


def written(row: Alarm, following: Step, person: User, now: datetime, author: str) -> EmailMessage:
    """The letter as it is sent, in the administrator's language."""
    mail = EmailMessage()
    page = settings.MAILADMIN_URL + reverse(PAGES[About(row.about)])
    with translation.override(person.language or settings.LANGUAGE_CODE):
        mail["Subject"] = alarm_words.subject(row.about, row.host.name, over=following.over)
        text = alarm_words.text(row.about, following.news, person.name, page, over=following.over)
    mail["From"] = Address("Mailadmin", addr_spec=author)
    mail["To"] = Address(person.name, addr_spec=person.address)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{name_of(row, following, person)}@{author.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    return mail
