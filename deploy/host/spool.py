"""Postfix's queue, as root: what waits in it and why, one letter or all tried again now, one letter removed.

In: a `Layout`; to act on a letter its queue id and when it arrived, which must agree. Out: JSON, what was done.
Touched: that letter. Raises CommandError with one sentence.

A letter in the hold queue waits for somebody's answer: it is listed, and nothing here lets it go or removes it. A host
that keeps letters at home (`defer_transports`) goes on doing so, which `postqueue -i` and `-f` would not respect.
Sources: postqueue(1), postsuper(1), qmgr(8). The words of a trigger of the queue manager: D looks at what is put off
and due, A at all of it, F forgets which hosts did not answer, and that letters stay at home.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from deploy.host.commands import CommandError
from deploy.host.hold import envelope, kick, postfix, spool
from deploy.host.layout import Layout

MOST: Final = 200  # letters in a list
MOST_TO: Final = 10  # recipients of one of them
MOST_BYTES: Final = 1 << 20
LONGEST: Final = 300  # characters of an address or a reason
GONE: Final = "gone"


def listed(layout: Layout) -> bytes:
    """How many letters there are (`all`), and the oldest of them (`letters`)."""
    printed = postfix(layout, "postqueue", "-j").decode("utf-8", "replace")
    rows = sorted(
        (json.loads(line, strict=False) for line in printed.split("\n") if line), key=lambda row: row["arrival_time"]
    )
    due = dict(_due(layout))
    letters = [_letter(row, due) for row in rows[:MOST]]
    while len(data := json.dumps({"all": len(rows), "letters": letters}).encode()) > MOST_BYTES:
        letters = letters[: len(letters) // 2]
    return data


def retry(layout: Layout, queue_id: str, arrived: str) -> str:
    """Have a letter that was put off tried now: `tried` or `gone`."""
    path = _meant(layout, queue_id, arrived)
    if path is None:
        return GONE
    with suppress(FileNotFoundError):  # its time has come this moment
        os.utime(path, follow_symlinks=False)  # the file's time is when it is due
    _have_tried(layout, "D")
    return "tried"


def retry_all(layout: Layout) -> str:
    """Have everything that was put off tried now."""
    _have_tried(layout, "DA")
    return "tried"


def remove(layout: Layout, queue_id: str, arrived: str) -> str:
    """Remove a letter that was put off, for good, without a word to anybody: `removed` or `gone`."""
    if _meant(layout, queue_id, arrived) is None:
        return GONE
    postfix(layout, "postsuper", "-d", queue_id, "deferred")
    return "removed"


def _have_tried(layout: Layout, words: str) -> None:
    """Have the queue manager look; where letters leave the host, also at hosts that did not answer a moment ago."""
    stays = postfix(layout, "postconf", "-h", "defer_transports").strip()
    kick(layout, "qmgr", words if stays else f"{words}F")


def _meant(layout: Layout, queue_id: str, arrived: str) -> Path | None:
    """The file of the letter that was put off; None when it is gone, CommandError for every other letter."""
    path = next(_files(layout, "deferred", queue_id), None)
    if path is None:
        _refuse_others(layout, queue_id)
        return None
    if str(envelope(layout, queue_id, "deferred").arrived) != arrived:
        raise CommandError(f"The letter {queue_id} arrived at another time.")
    return path


def _refuse_others(layout: Layout, queue_id: str) -> None:
    if next(_files(layout, "hold", queue_id), None):
        raise CommandError(f"The letter {queue_id} waits for an answer: only that lets it go, or removes it.")
    if any(next(_files(layout, queue, queue_id), None) for queue in ("active", "incoming")):
        raise CommandError(f"The letter {queue_id} is being tried at this moment.")


def _files(layout: Layout, queue: str, queue_id: str) -> Iterator[Path]:
    """The file of a letter in a queue, wherever `hash_queue_names` has it."""
    return (path for path in spool(layout, queue).rglob(queue_id) if path.is_file() and not path.is_symlink())


def _due(layout: Layout) -> Iterator[tuple[str, int]]:
    """When each letter that was put off is tried next: the time of its file."""
    for path in spool(layout, "deferred").rglob("*"):
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                yield path.name, int(path.stat().st_mtime)


def _letter(row: dict[str, Any], due: dict[str, int]) -> dict[str, Any]:
    """What is told of a letter. The reason is Postfix's, and in it the words of other hosts."""
    recipients = row.get("recipients", [])
    return {
        "queue_id": row["queue_id"],
        "queue": row["queue_name"],
        "arrived": row["arrival_time"],
        "size": row["message_size"],
        "sender": row["sender"][:LONGEST],
        "count": len(recipients),
        "recipients": [
            {"address": one["address"][:LONGEST], "reason": one.get("delay_reason", "")[:LONGEST]}
            for one in recipients[:MOST_TO]
        ],
        "due": due.get(row["queue_id"]) if row["queue_name"] == "deferred" else None,
    }
