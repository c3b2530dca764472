"""The messages a mail host's worker understands about its logs and reports."""

import logging

from celery import shared_task
from django.utils import timezone

from deploy.models import MailHost
from deploy.services import LayoutError, mail_log, sign_in_log, verdict_log
from deploy.services.room import HelperError
from reports import decisions, ingest as letters, looks, room, sending, signins

logger = logging.getLogger(__name__)


@shared_task(name="reports.ingest")
def ingest(host: str) -> None:
    """Read on in this host's logs: letters, what was decided of them, and who could not sign in."""
    for reader, log in ((letters, mail_log()), (decisions, verdict_log()), (signins, sign_in_log())):
        try:
            reader.follow(host, log, timezone.now())
        except OSError as error:
            logger.error("A log of %s cannot be read: %s", host, error)


@shared_task(name="reports.send")
def send(host: str) -> None:
    """Send the reports that people asked for, as far as they are due."""
    sending.send(host, timezone.now())


@shared_task(name="reports.forget")
def forget(host: str) -> None:
    """Drop what was kept long enough."""
    letters.forget(host, timezone.now())
    decisions.forget(host, timezone.now())
    signins.forget(host, timezone.now())
    looks.forget(timezone.now())
    room.forget(timezone.now())


@shared_task(name="reports.room")
def measure(host: str) -> None:
    """Ask this host how full its mailboxes are; a backup has none."""
    if not MailHost.objects.filter(name=host, role=MailHost.Role.PRIMARY).exists():
        return
    try:
        room.follow(timezone.now())
    except (HelperError, LayoutError) as error:
        logger.warning("How full the mailboxes are is not known: %s", error)
