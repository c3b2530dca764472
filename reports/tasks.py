"""The messages a mail host's worker understands about its logs."""

import logging

from celery import shared_task
from django.utils import timezone

from deploy.services import mail_log, verdict_log
from reports import decisions, ingest as letters, looks

logger = logging.getLogger(__name__)


@shared_task(name="reports.ingest")
def ingest(host: str) -> None:
    """Count what is new in this host's mail log, and keep what was decided of letters."""
    try:
        letters.follow(host, mail_log(), timezone.now())
    except OSError as error:
        logger.error("The mail log of %s cannot be read: %s", host, error)
    try:
        decisions.follow(host, verdict_log(), timezone.now())
    except OSError as error:
        logger.error("What was decided on %s cannot be read: %s", host, error)


@shared_task(name="reports.forget")
def forget(host: str) -> None:
    """Drop what was kept long enough."""
    letters.forget(host, timezone.now())
    decisions.forget(host, timezone.now())
    looks.forget(timezone.now())
