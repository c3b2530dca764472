"""Letters in Postfix's queue, as the agent sees them: all by the root helper. Held ones first, then those put off.

Postfix lets nobody but root read the queue of an instance that the system's own main.cf does not name
(alternate_config_directories), and that file is not ours. In: a `Layout`. Out: ids, letters, what became of them.
Touched: what `deploy.host.hold` and `deploy.host.spool` say. Raises HelperError.
"""

import json
from datetime import datetime
from typing import Any, Final

from deploy.host import helper
from deploy.host.hold import Waiting
from deploy.host.layout import Layout
from deploy.host.letter import Letter, look

GONE: Final = "gone"


def waiting(layout: Layout) -> list[str]:
    """The ids of all letters in the hold queue."""
    return helper.fetch(layout, "queue-waiting").decode().split()


def show(layout: Layout, queue_id: str) -> tuple[Waiting, Letter]:
    """A letter's envelope, and what it says."""
    envelope, _line, letter = helper.fetch(layout, "queue-show", queue_id).partition(b"\n")
    said = json.loads(envelope)
    return Waiting(**said | {"recipients": tuple(said["recipients"])}), look(letter)


def release(layout: Layout, queue_id: str, arrived: datetime, login: str) -> str:
    """Let a letter go: `released` or `gone`."""
    return helper.ask(layout, "queue-release", queue_id, _seconds(arrived), login)


def drop(layout: Layout, queue_id: str, arrived: datetime, login: str) -> str:
    """Remove a letter for good: `dropped` or `gone`."""
    return helper.ask(layout, "queue-drop", queue_id, _seconds(arrived), login)


def listed(layout: Layout) -> dict[str, Any]:
    """How many letters there are in all queues (`all`), and the oldest of them (`letters`), see `deploy.host.spool`."""
    found: dict[str, Any] = json.loads(helper.fetch(layout, "queue-list"))
    return found


def retry(layout: Layout, queue_id: str, arrived: int) -> str:
    """Have a letter that was put off tried now: `tried` or `gone`."""
    return helper.ask(layout, "queue-retry", queue_id, str(arrived))


def retry_all(layout: Layout) -> None:
    """Have every letter that was put off tried now."""
    helper.ask(layout, "queue-retry-all")


def remove(layout: Layout, queue_id: str, arrived: int) -> str:
    """Remove a letter that was put off, for good: `removed` or `gone`."""
    return helper.ask(layout, "queue-remove", queue_id, str(arrived))


def _seconds(arrived: datetime) -> str:
    return str(int(arrived.timestamp()))
