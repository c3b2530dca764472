"""The messages a mail host's worker understands. They carry no data: each only says where to look."""

import logging
from datetime import UTC, datetime

from celery import Task, shared_task
from celery.signals import worker_ready
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from deploy import answers, explain, export, notices
from deploy.services import alarms, drifting, folders, queued, released, vacations
from mailadmin.celery import app, queue

logger = logging.getLogger(__name__)


@shared_task(name="deploy.reconcile")
def reconcile(host: str) -> None:
    """Apply the newest wishes, if they are not live yet."""
    export.reconcile(host)


@shared_task(name="deploy.verify")
def verify(host: str) -> None:
    """Apply the newest wishes and compare every file, also where they should be live."""
    export.reconcile(host, verify=True)
    drifting.look(host, datetime.now(UTC))


@shared_task(name="deploy.held")
def held(host: str) -> None:
    """Make rows of the letters that wait, and carry out what is answered."""
    answers.attend(host)


@shared_task(name="deploy.notices")
def tell(host: str) -> None:
    """Tell those who answer what waits for them, and administrators what is wrong."""
    notices.tell(host, datetime.now(UTC))
    alarms.tell(host, datetime.now(UTC))


@shared_task(name="deploy.away")
def tell_who_is_away(host: str) -> None:
    """Tell who wrote to somebody who is away."""
    vacations.tell(host, datetime.now(UTC))


@shared_task(name="deploy.explain")
def answer_asked(host: str) -> None:
    """Say what somebody asked: of a letter, the folders of a mailbox, the queue, the files of a release."""
    explain.answer_asked(host)
    folders.answer_asked(host)
    queued.answer_asked(host)
    drifting.answer_asked(host, export.renew)
    released.answer_asked(host)


def poke(host: str, *, verify_all: bool = False) -> bool:
    """Ask a host's worker to apply the newest wishes now; False when the queue does not answer."""
    return send(verify if verify_all else reconcile, host)


def poke_explain(host: str) -> bool:
    """Ask a host's worker to answer what it was asked; False when the queue does not answer."""
    return send(answer_asked, host)


def send(task: "Task[[str], None]", host: str) -> bool:
    """A message to a host's worker; False when the queue does not answer, in which case its own clock will do."""
    try:
        with app.connection_for_write(transport_options=settings.POKE_TRANSPORT_OPTIONS) as connection:
            task.apply_async((host,), queue=queue(host), connection=connection, retry=False, expires=60)  # type: ignore[call-arg]
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("%s will look by its own clock: %s", host, error)
        return False
    return True


@worker_ready.connect
def look_at_once(**_kwargs: object) -> None:
    """A worker that starts does not wait for its clock."""
    poke(settings.MAILADMIN_HOST, verify_all=True)
