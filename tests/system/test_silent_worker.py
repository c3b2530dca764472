"""A worker that runs and does nothing is ended and started anew; one that only has to wait is left alone."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.host.machine import wait_for
from tests.system.faults import frozen, stopped
from tests.system.server import Server, started_server
from tests.system.test_worker import SAVES, caught_up, live_quota

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(400)]
PATIENCE = 10.0  # seconds; longer than the worker takes to find a queue again that was away for LONGER
LONGER = 1.3 * PATIENCE
SAYS = "No task began for 10 s although the queue answers"

# Its connection stays, it answers who asks for it, beat sends on: but it takes no message any more.
DEAF = """
import json
from django.conf import settings
from mailadmin.celery import app, queue
print(json.dumps(app.control.cancel_consumer(queue(settings.MAILADMIN_HOST), reply=True, timeout=10)))
"""
FAULTS: dict[str, Callable[[Server], AbstractContextManager[None]]] = {
    "queue frozen": lambda server: frozen(server, "redis"),
    "queue stopped": lambda server: stopped(server, "redis"),
    "worker frozen": lambda server: frozen(server, "worker"),
}


@pytest.fixture(scope="module")
def impatient() -> Iterator[Server]:
    """A server whose worker may be silent for some seconds only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAILADMIN_PATIENCE", str(PATIENCE))
        with started_server() as running:
            running.load()
            yield running


def goes_on(server: Server, quota: int) -> None:
    """What is saved now becomes live."""
    server.ask(SAVES.format(first=quota, count=1, pause=0))
    caught_up(server)
    assert live_quota(server) == str(quota)


def said(server: Server) -> int:
    """How often a worker said that it ends for its silence."""
    return (server.var / "log" / "worker.log").read_text().count(SAYS)


def test_a_worker_that_takes_no_messages_is_started_anew_and_goes_on(impatient: Server):
    goes_on(impatient, 1)
    deaf, before = impatient.pid("worker"), said(impatient)
    (answer,) = impatient.ask(DEAF)
    assert "ok" in next(iter(answer.values()))
    wait_for(lambda: impatient.pid("worker") not in (0, deaf), "another worker", 120)
    assert said(impatient) == before + 1
    goes_on(impatient, 2)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_worker_that_can_only_wait_is_left_alone(impatient: Server, fault: str):
    goes_on(impatient, 10 + len(fault))
    worker, before = impatient.pid("worker"), said(impatient)
    with FAULTS[fault](impatient):
        time.sleep(LONGER)  # how long it lasts is the test's subject
    goes_on(impatient, 100 + len(fault))
    assert impatient.pid("worker") == worker
    assert said(impatient) == before
