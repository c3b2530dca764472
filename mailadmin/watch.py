"""The watch of a worker: one that hears nothing although its queue answers ends itself, and is started anew.

In: Celery's word that a task begins or ends; how long the silence may be, in seconds. Out: nothing. Touched: the
process, which ends with exit code 1 and one sentence in the log. Raises nothing.

Beat is a thread of the worker and sends a message every two seconds at least, so silence is a fault: of the connection
that takes messages from the queue, or of beat, which plans by the machine's clock (set back by an hour, it would send
nothing for an hour). A task that runs is no silence, however long it takes. A queue that
does not answer is not the worker's fault: it waits, and the silence is counted from when the queue is back.

Silence is counted in rounds of this thread, not by a clock: for whoever was stopped, or whose clock was set, no round
has passed.
"""

import faulthandler
import logging
import os
import threading
from collections.abc import Callable
from typing import Any, Final

from celery import Celery, bootsteps
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
ROUNDS: Final = 24  # that many silent ones are the patience
STDERR: Final = 2  # a descriptor


class Heard:
    """What is heard of tasks, in whichever thread they run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._anything = False

    def began(self, task_id: str, **_kwargs: object) -> None:
        """A task begins."""
        with self._lock:
            self._running.add(task_id)

    def ended(self, task_id: str, **_kwargs: object) -> None:
        """A task ended, in whatever way."""
        with self._lock:
            self._running.discard(task_id)
            self._anything = True

    def nothing(self) -> bool:
        """Whether no task runs, and none ended since this was asked last."""
        with self._lock:
            anything, self._anything = self._anything, False
            return not anything and not self._running


class Watch(threading.Thread):
    """Looks round after round; `end` is called once, when nothing was heard for `patience` seconds."""

    def __init__(
        self, heard: Heard, answers: Callable[[], bool], patience: float, end: Callable[[float], None]
    ) -> None:
        super().__init__(name="watch", daemon=True)
        self._heard, self._answers, self._patience, self._end = heard, answers, patience, end
        self._over = threading.Event()

    def run(self) -> None:
        """Count silent rounds."""
        silent = 0
        while silent < ROUNDS:
            if self._over.wait(self._patience / ROUNDS):
                return
            silent = silent + 1 if self._heard.nothing() and self._answers() else 0
        self._end(self._patience)

    def stop(self) -> None:
        """A worker that was asked to end takes no more tasks."""
        self._over.set()


def queue_answers(app: Celery) -> bool:
    """Whether somebody who asks the queue now gets an answer; a frozen one would keep her waiting for ever."""
    try:
        with app.connection_for_read(transport_options=settings.POKE_TRANSPORT_OPTIONS) as connection:
            connection.channel()  # to open one is to ask
    except (OperationalError, RedisError, OSError):
        return False
    return True


def end_worker(patience: float) -> None:
    """End at once: the thread that would end it properly may be the one that hangs.

    Nothing is lost: no task runs, and a message that was taken and not begun only says "look", as the next one will.
    """
    logger.critical(
        "No task began for %g s although the queue answers: this worker ends, to be started anew.", patience
    )
    # Where each thread stands: the cause, for whoever looks for it. Celery puts an object of its own in stderr's place.
    faulthandler.dump_traceback(STDERR, all_threads=True)
    logging.shutdown()
    os._exit(1)


class WatchThread(bootsteps.StartStopStep):
    """Run the watch inside the worker."""

    requires = ("celery.worker.components:Pool",)

    def create(self, parent: Any) -> Any:
        """Listen to what tasks do; the worker starts and stops the watch."""
        self.heard = Heard()
        task_prerun.connect(self.heard.began)
        task_postrun.connect(self.heard.ended)
        app = parent.app
        return Watch(self.heard, lambda: queue_answers(app), settings.MAILADMIN_PATIENCE, end_worker)
