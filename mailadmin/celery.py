"""Celery: one queue for each mail host, and the whole beat schedule.

Beat runs as a thread of the worker, so that a worker that is killed leaves nothing behind; it keeps no file.
The worker opens no pool of processes: `--pool=threads`. One that falls silent ends itself (`mailadmin.watch`).
"""

import gc
import os
from typing import Any, Final

from celery import Celery, bootsteps
from celery.beat import EmbeddedService
from celery.signals import worker_ready
from django.conf import settings

from mailadmin.watch import WatchThread

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailadmin.settings")
app = Celery("mailadmin")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


def queue(host: str) -> str:
    """The name of a mail host's queue."""
    return f"host.{host}"


def every(seconds: float, task: str, *args: str) -> dict[str, Any]:
    """A line of the schedule. A message nobody took before the next one is due is worth nothing."""
    options = {"queue": queue(settings.MAILADMIN_HOST), "expires": max(seconds, 10)}
    return {"task": task, "schedule": seconds, "args": [settings.MAILADMIN_HOST, *args], "options": options}


app.conf.task_default_queue = queue(settings.MAILADMIN_HOST)
app.conf.beat_schedule = {
    "reconcile": every(5, "deploy.reconcile"),
    "verify": every(300, "deploy.verify"),  # what changes by the clock is the host's own business
    "explain": every(3, "deploy.explain"),
    "held": every(2, "deploy.held"),
    "notices": every(10, "deploy.notices"),
    "away": every(5, "deploy.away"),
    "ingest": every(2, "reports.ingest"),
    "forget": every(600, "reports.forget"),
    "room": every(600, "reports.room"),
    "reports": every(60, "reports.send"),
}

SEARCHED: Final = 10_000  # new objects before a search for garbage; with ten times as many one takes 70 ms


@worker_ready.connect
def freeze_what_is_loaded(**_kwargs: object) -> None:
    """Leave code and models out of every search for garbage: logs are read and large pages made a quarter faster.

    What is made by the thousand (events, rows) has no cycles, so it is searched seldom, too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(SEARCHED)


class BeatThread(bootsteps.StartStopStep):
    """Run beat inside the worker, as a thread."""

    requires = ("celery.worker.components:Pool",)

    def create(self, parent: Any) -> Any:
        """Make the service; the worker starts and stops it."""
        return EmbeddedService(parent.app, max_interval=1, thread=True, scheduler_cls="celery.beat:Scheduler")


app.steps["worker"].update({BeatThread, WatchThread})
