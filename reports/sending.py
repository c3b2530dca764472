"""Reports by mail: each at its time, with what its reader may see at that moment, to her own mailbox, once.

In: schedules, a moment. Out: letters to this machine's mail host. Touched: ReportSchedule, AccessEntry. Raises nothing
that can happen on a mail host: what it does not take is logged, and tried again.

A schedule is marked (`tried`) before its letter is handed over, and done (`sent`) when the mail host answered 250. Of
two workers one can set the mark. Where the answer was lost, or the worker died in between, nobody here knows whether
the letter was taken, but the mail host's own log does: two minutes later it is sent again if no letter with its
Message-ID has been read there (`reports.ingest` reads every two seconds).
"""

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from deploy import services
from deploy.models import MailHost
from deploy.services.programs import CommandError
from reports import looks, schedules
from reports.fields import digest
from reports.models import Delivery, Letter, ReportSchedule
from reports.periods import Period
from reports.readings import Reading, note
from reports.sections import one_line
from reports.takeaway import Document, Paper, document, drawn

DOUBT: Final = timedelta(minutes=2)
AFTER_A_FAILURE: Final = 600  # seconds
Submit = Callable[[EmailMessage, str], None]
logger = logging.getLogger(__name__)


def send(host: str, now: datetime) -> None:
    """Send what is due, on the primary host; a second worker that comes meanwhile leaves it to the first."""
    if not MailHost.objects.filter(name=host, role=MailHost.Role.PRIMARY).exists():
        return
    try:
        with services.alone("reports"):
            send_all(now, services.own_address(), services.submit)
    except services.Busy:
        return
    except (services.LayoutError, services.NotTaken) as error:
        logger.warning("Reports are not sent yet: %s", error)


def send_all(now: datetime, author: str, submit: Submit) -> None:
    """Each that is due; raises NotTaken while the mail host is down. One that is no longer allowed ends with a word."""
    for schedule in schedules.perhaps_due(now):
        try:
            reading = schedules.reading(schedule, now)
        except schedules.REFUSED:
            end(schedule, now, author, submit)
            continue
        period = schedules.period(schedule.every, reading, now)
        if schedule.sent < period.last and not doubtful(schedule, now) and not cache.get(waits(schedule)):
            send_one(schedule, reading, period, now, author, submit)


def send_one(
    schedule: ReportSchedule, reading: Reading, period: Period, now: datetime, author: str, submit: Submit
) -> None:
    """Draw it and hand it over, unless that was done and only not noticed."""
    to, name = schedules.mailbox_of(schedule.reader), message_id(schedule, period.last, author)
    if not to:
        return  # until she has one again
    if schedule.tried and taken(name):
        done(schedule, period)
        return
    try:
        with translation.override(schedules.language_of(schedule.reader)):
            link = settings.MAILADMIN_URL + reverse("schedule-list")
            report = document(reading, period, every=schedule.every, link=link)
            letter = written(report, drawn(report), to=to, author=author, name=name, now=now)
        if marked(schedule, reading, period, now):
            submit(letter, to)
            done(schedule, period)
    except CommandError as error:
        later(schedule, error)
    except services.NotTaken as error:
        if not error.refused:
            raise
        later(schedule, error)


def end(schedule: ReportSchedule, now: datetime, author: str, submit: Submit) -> None:
    """Her report comes no more, since she may not see it any more: she is told so, in words without figures."""
    to, name = schedules.mailbox_of(schedule.reader), message_id(schedule, "end", author)
    if to and not taken(name):
        with translation.override(schedules.language_of(schedule.reader)):
            letter = addressed(farewell_title(schedule), to=to, author=author, name=name, now=now)
            letter.set_content(farewell(schedule), cte="quoted-printable")
        try:
            submit(letter, to)
        except services.NotTaken as error:
            if not error.refused:
                raise
            logger.warning("That the report of schedule %s ended could not be told: %s", schedule.pk, error)
    schedule.delete()


def farewell_title(schedule: ReportSchedule) -> str:
    """What the last letter is called."""
    return _("No more report: letters of %(name)s") % {"name": one_line(schedule.whose)}


def farewell(schedule: ReportSchedule) -> str:
    """What it says."""
    facts = {"name": one_line(schedule.whose)}
    if schedule.every == ReportSchedule.Every.WEEK:
        asked = _("You asked for a report about the letters of %(name)s each week.") % facts
    else:
        asked = _("You asked for a report about the letters of %(name)s each month.") % facts
    return f"{asked} {_('You may not see these figures any more, so this was the last letter about it.')}\n"


def doubtful(schedule: ReportSchedule, now: datetime) -> bool:
    """Handed over so lately that the log may not have been read yet."""
    return schedule.tried is not None and now < schedule.tried + DOUBT


def taken(name: str) -> bool:
    """Whether the mail host's log tells of a letter with this Message-ID."""
    return Letter.objects.filter(message_id=name).exists() or Delivery.objects.filter(message=digest(name)).exists()


def marked(schedule: ReportSchedule, reading: Reading, period: Period, now: datetime) -> bool:
    """Take it on, and write down that somebody looks; False where another worker took it, or its reader ended it."""
    with transaction.atomic():
        mine = ReportSchedule.objects.filter(pk=schedule.pk, sent=schedule.sent, tried=schedule.tried)
        if not mine.update(tried=now):
            return False
        if schedule.tried is None or schedule.tried < period.bounds(reading.zone)[1]:  # not yet for these days
            if reading.purpose and reading.community:
                looks.state_purpose(schedule.reader, reading.community, reading.purpose, now)
            note(schedule.reader, reading, now)
        return True


def done(schedule: ReportSchedule, period: Period) -> None:
    """These days are told of."""
    ReportSchedule.objects.filter(pk=schedule.pk).update(sent=period.last, tried=None)


def later(schedule: ReportSchedule, error: Exception) -> None:
    """One that cannot be sent now is left alone for a while, so that the others are."""
    logger.warning("The report of schedule %s was not sent: %s", schedule.pk, error)
    cache.set(waits(schedule), True, AFTER_A_FAILURE)


def waits(schedule: ReportSchedule) -> str:
    """Under which name it is remembered that one cannot be sent now."""
    return f"report-{schedule.pk}"


def message_id(schedule: ReportSchedule, what: object, author: str) -> str:
    """The same for the same letter, however often it is tried; says nothing about it."""
    name = f"report {settings.SECRET_KEY} {schedule.pk} {what}"
    return f"{hashlib.sha256(name.encode()).hexdigest()[:32]}@{author.partition('@')[2]}"


def written(report: Document, paper: Paper, *, to: str, author: str, name: str, now: datetime) -> EmailMessage:
    """The letter: text, HTML with its pictures, the PDF."""
    mail = addressed(f"{report.title}, {report.days}", to=to, author=author, name=name, now=now)
    mail.set_content(report.text, cte="quoted-printable")
    mail.add_alternative(report.html, subtype="html", cte="quoted-printable")
    html = mail.get_body(("html",))
    assert isinstance(html, EmailMessage)
    for cid, picture in paper.pictures.items():
        html.add_related(picture, "image", "png", cid=f"<{cid}>", disposition="inline")
    mail.add_attachment(paper.pdf, maintype="application", subtype="pdf", filename=f"{report.file}.pdf")
    return mail


def addressed(subject: str, *, to: str, author: str, name: str, now: datetime) -> EmailMessage:
    """A letter of ours, without its text."""
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["From"] = Address("Mailadmin", addr_spec=author)
    mail["To"] = to
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{name}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers by a program
    return mail
