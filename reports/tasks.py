"""The messages a mail host's worker understands about its log."""

import logging

from celery import shared_task
from django.utils import timezone

from deploy.services import mail_log
from reports.ingest import follow

logger = logging.getLogger(__name__)


@shared_task(name="reports.ingest")
def ingest(host: str) -> None:
    """Count what is new in this host's mail log."""
    try:
        follow(host, mail_log(), timezone.now())
    except OSError as error:
        logger.error("The mail log of %s cannot be read: %s", host, error)
